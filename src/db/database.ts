// A database as the rooms above see it: statements in, rows out, one transaction at a time. pg is known only in this folder.

export interface Statement {
  /** Set where the text is constant: it is prepared once per connection under this name. */
  readonly name?: string;
  readonly text: string;
  readonly values: readonly unknown[];
  /**
   * The same look-up for many: `$1`, its only value, is an array of keys where in `text` it is one, and each row names the key that it answers
   * as `asked`. Outside of transactions a crowd of one name is asked by it. The key is text.
   * Write `any((select $1::text[])::text[])`: the length of an array that stands there itself is part of the plan, which PostgreSQL then makes
   * anew each time (two keys: 82 µs against 20).
   */
  readonly together?: string;
}

export interface Rows<R> {
  readonly rows: readonly R[];
  readonly count: number;
}

export interface Queryable {
  query<R = Record<string, unknown>>(statement: Statement): Promise<Rows<R>>;
}

export interface Database extends Queryable {
  /** BEGIN … COMMIT on one connection; the whole is run again on 40001, 40P01, 08006, 57P01 and 25006, at most `attempts` times. */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
  /**
   * For short questions that are asked while a transaction is open, outside it: connections of their own, since transactions that hold
   * all the others would wait for each other.
   */
  readonly beside: Queryable;
  /** Resolves when a statement round trip works. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
