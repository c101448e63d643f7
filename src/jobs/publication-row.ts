// How far a set of definitions has been stored: one row that every process on the database looks at.
import type { Queryable } from '../db/database.js';

export interface PublicationRow {
  /** Lines that are stored. */
  readonly position: number;
  readonly done: boolean;
}

const READ = { name: 'publication-read', text: 'select content, position, done from fhir.publication where name = $1' };
const SAVE = {
  name: 'publication-save',
  text: `insert into fhir.publication (name, content, position, done) values ($1, $2, $3, $4)
    on conflict (name) do update set content = excluded.content, position = excluded.position, done = excluded.done`,
};

/** Another content begins at its first line. */
export async function readPublication(db: Queryable, name: string, content: string): Promise<PublicationRow> {
  const { rows } = await db.query<PublicationRow & { readonly content: string }>({ ...READ, values: [name] });
  const [row] = rows;
  return row?.content === content ? { position: row.position, done: row.done } : { position: 0, done: false };
}

export async function savePublication(db: Queryable, name: string, content: string, { position, done }: PublicationRow): Promise<void> {
  await db.query({ ...SAVE, values: [name, content, position, done] });
}
