// One version of a resource: the current one, or the one asked for. https://hl7.org/fhir/R4/http.html#read
import type { Queryable, Statement } from '../db/database.js';
import type { Grant } from '../search/grant.js';
import type { StoredVersion } from './store.js';
import { resourceTable } from './tables.js';
import { guarded, type Ground } from './visible-rows.js';

/** The columns of every statement that gives versions: `toVersion` reads them. */
export interface VersionRow {
  readonly version: number;
  readonly updated: number;
  readonly res: string | null;
}

export function toVersion(type: string, id: string, { version, updated, res }: VersionRow): StoredVersion {
  return { type, id, version, updated, text: res };
}

export async function read({ db, definitions }: Ground, grant: Grant, type: string, id: string): Promise<StoredVersion | undefined> {
  const statement = guarded(definitions, grant, type, {
    name: `read ${type}`,
    values: [id],
    text: (where) => `select t.version, t.updated, t.res from ${resourceTable(type)} t where t.id = $1 ${where}`,
    together: (where) => `select t.id as asked, t.version, t.updated, t.res from ${resourceTable(type)} t where t.id = any((select $1::text[])::text[]) ${where}`,
  });
  return statement && one(db, statement, type, id);
}

export async function vread({ db, definitions }: Ground, grant: Grant, type: string, id: string, version: number): Promise<StoredVersion | undefined> {
  const statement = guarded(definitions, grant, type, {
    name: `vread ${type}`,
    values: [id, version],
    text: (where) => `
      select v.version, v.updated, v.res from ${resourceTable(type)} t cross join lateral (
        select t.version, t.updated, t.res where t.version = $2
        union all
        select h.version, h.updated, h.res from fhir.history h where h.id = t.id and h.type = '${type}' and h.version = $2) v
      where t.id = $1 ${where}`,
  });
  return statement && one(db, statement, type, id);
}

export async function lock(db: Queryable, type: string, id: string): Promise<StoredVersion | undefined> {
  const text = `select version, updated, res from ${resourceTable(type)} where id = $1 for update`;
  return one(db, { name: `lock ${type}`, text, values: [id] }, type, id);
}

export async function lockAll(db: Queryable, type: string, ids: readonly string[]): Promise<Map<string, StoredVersion>> {
  const text = `select id, version, updated, res from ${resourceTable(type)} where id = any((select $1::text[])::text[]) order by id for update`;
  const { rows } = await db.query<VersionRow & { id: string }>({ name: `lock all ${type}`, text, values: [ids] });
  return new Map(rows.map((row) => [row.id, toVersion(type, row.id, row)]));
}

async function one(db: Queryable, statement: Statement, type: string, id: string): Promise<StoredVersion | undefined> {
  const { rows } = await db.query<VersionRow>(statement);
  return rows[0] && toVersion(type, id, rows[0]);
}
