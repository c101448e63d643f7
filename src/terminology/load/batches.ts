// Rows into a table a few thousand at a time: memory stays the same, however long the file.
import type { Queryable } from '../../db/database.js';

export type Cell = string | number | boolean | null;

const ROWS = 5000;

export interface Batches {
  add(row: readonly Cell[]): Promise<void>;
  /** Sends what is left. */
  end(): Promise<void>;
}

/** `columns` are names with PostgreSQL types: `code text`. All are constants of the program. */
export function intoTable(db: Queryable, table: string, columns: readonly string[], conflict = ''): Batches {
  const names = columns.map((column) => column.slice(0, column.indexOf(' ')));
  const types = columns.map((column, index) => `$${index + 1}::${sent(column.slice(column.indexOf(' ') + 1))}[]`);
  const picked = columns.map((column, index) => `u.c${index}::${column.slice(column.indexOf(' ') + 1)}`);
  const text = `insert into ${table} (${names.join(', ')}) select ${picked.join(', ')} from unnest(${types.join(', ')}) as u(${columns.map((_column, index) => `c${index}`).join(', ')}) ${conflict}`;
  let lists: Cell[][] = columns.map(() => []);
  let count = 0;
  const send = async (): Promise<void> => {
    if (count === 0) return;
    const values = lists;
    lists = columns.map(() => []);
    count = 0;
    await db.query({ text, values });
  };
  return {
    async add(row) {
      for (const [index, cell] of row.entries()) lists[index]?.push(cell);
      count += 1;
      if (count >= ROWS) await send();
    },
    end: send,
  };
}

/** Lexemes travel as text. */
const sent = (type: string): string => (type === 'tsvector' ? 'text' : type);
