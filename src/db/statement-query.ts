// A statement on its way: pg's own query, but that a named statement is described once per connection, not at each of its runs, and that it says when it is sent.
// https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
import pg from 'pg';
import type { Overdue, Watched } from './overdue.js';

/** What pg's Result knows of its columns. */
interface Columns {
  fields: readonly unknown[];
  _parsers: unknown;
  _prebuiltEmptyResultObject: unknown;
}

/** What pg's Connection does beyond its typings. */
interface Wire {
  readonly stream: { cork(): void; uncork(): void; write(bytes: Buffer): unknown };
  bind(message: { portal: string; statement: string; values: readonly unknown[]; valueMapper: unknown }): void;
}

/** What pg's Query is beyond its typings. */
interface BaseQuery extends pg.Submittable {
  name: string | undefined;
  readonly text: string;
  readonly values: readonly unknown[];
  readonly _result: Columns;
  _accumulateRows: unknown;
  submit(connection: pg.Connection): Error | null;
  handleCommandComplete(message: unknown, connection: pg.Connection): void;
}

/** A statement as a connection has it prepared. */
interface Described {
  readonly text: string;
  readonly columns: Columns;
}

/** Made of text and values, a Query is not copied property by property, as pg does with an object of settings: 10 µs of each request. */
const Query = pg.Query as unknown as new (text: string, values: readonly unknown[]) => BaseQuery;
const { prepareValue } = (pg as unknown as { readonly utils: { readonly prepareValue: unknown } }).utils;

/** Execute the unnamed portal, all rows of it; then Sync. */
const EXECUTE_AND_SYNC = Buffer.from([0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0x53, 0, 0, 0, 4]);

const known = new WeakMap<object, Map<string, Described>>();

export class StatementQuery extends Query implements Watched {
  place = -1;
  private connection: object | undefined;

  constructor(text: string, values: readonly unknown[], name: string | undefined, private readonly overdue: Overdue | undefined) {
    super(text, values);
    this.name = name;
  }

  override submit(connection: pg.Connection): Error | null {
    this.overdue?.begin(this, connection);
    const described = this.name === undefined ? undefined : known.get(connection)?.get(this.name);
    if (described?.text === this.text) return this.run(connection, described.columns);
    this.connection = connection;
    return super.submit(connection);
  }

  /** Told of its columns, or that it has none. Of the result nothing else is kept: it holds the rows of this run. */
  override handleCommandComplete(message: unknown, connection: pg.Connection): void {
    const { fields, _parsers, _prebuiltEmptyResultObject } = this._result;
    if (this.connection && this.name !== undefined) remember(this.connection, this.name, { text: this.text, columns: { fields, _parsers, _prebuiltEmptyResultObject } });
    super.handleCommandComplete(message, connection);
  }

  /** In two messages of one write, where pg sends four. */
  private run(connection: pg.Connection, columns: Columns): Error | null {
    Object.assign(this._result, columns);
    this._accumulateRows = true;
    const wire = connection as unknown as Wire;
    wire.stream.cork();
    try {
      wire.bind({ portal: '', statement: this.name ?? '', values: this.values, valueMapper: prepareValue });
      wire.stream.write(EXECUTE_AND_SYNC);
      return null;
    } catch {
      // A value that can't be written: nothing was sent, and pg tells.
      return super.submit(connection);
    } finally {
      wire.stream.uncork();
    }
  }
}

function remember(connection: object, name: string, described: Described): void {
  const statements = known.get(connection);
  if (statements) statements.set(name, described);
  else known.set(connection, new Map([[name, described]]));
}
