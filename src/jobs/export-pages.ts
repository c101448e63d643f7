// The pages of an export: ids of one type each, kept with its job.
import type { Queryable } from '../db/database.js';

export interface ExportPage {
  readonly type: string;
  /** Of resources; of what was deleted `Patient/1`. */
  readonly ids: readonly string[];
}

const ADD = { name: 'export-page-add', text: 'insert into fhir.export_page (job, page, type, ids) values ($1, $2, $3, $4)' };
const GET = { name: 'export-page-get', text: 'select type, ids from fhir.export_page where job = $1 and page = $2' };
const FRESH = { name: 'export-fresh', text: 'insert into fhir.job_key (job, key) select $1, key from unnest($2::text[]) as given (key) on conflict do nothing returning key' };

export async function addPage(db: Queryable, job: string, page: number, { type, ids }: ExportPage): Promise<void> {
  await db.query({ ...ADD, values: [job, page, type, ids.join(' ')] });
}

/** Undefined once the job was called off. */
export async function readPage(db: Queryable, job: string, page: number): Promise<ExportPage | undefined> {
  const { rows } = await db.query<{ type: string; ids: string }>({ ...GET, values: [job, page] });
  const [row] = rows;
  return row && { type: row.type, ids: row.ids.split(' ') };
}

/** Those that the job has not met before; they are remembered until it ends. */
export async function unmet(db: Queryable, job: string, type: string, ids: readonly string[]): Promise<readonly string[]> {
  const keys = ids.map((id) => `${type}/${id}`).sort();
  const { rows } = await db.query<{ key: string }>({ ...FRESH, values: [job, keys] });
  const fresh = new Set(rows.map(({ key }) => key));
  return ids.filter((id) => fresh.has(`${type}/${id}`));
}
