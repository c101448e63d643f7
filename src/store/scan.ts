// What a bulk export reads: the ids of a search, the resources of these as they were at a moment, and what was deleted.
import { clauseSql } from '../search/clause-sql.js';
import type { Grant } from '../search/grant.js';
import { scanStatement, type Moment, type Scan } from '../search/scan.js';
import type { FrequencyOf } from '../search/token-frequency.js';
import { resourceTable } from './tables.js';
import type { Ground } from './visible-rows.js';

export interface ScannedIds {
  readonly ids: readonly string[];
  /** The last one looked at; undefined where there are no more. */
  readonly last?: string;
}

interface ScanRow {
  readonly ids: string | null;
  readonly last: string | null;
  readonly seen: number;
}

export async function scanIds({ db, definitions }: Ground, frequencyOf: FrequencyOf, grant: Grant, scan: Scan): Promise<ScannedIds> {
  if (grant.rows(scan.type).kind === 'none') return { ids: [] };
  const { rows } = await db.query<ScanRow>(scanStatement(definitions, scan, grant, frequencyOf));
  return scannedOf(rows[0], scan.count);
}

function scannedOf(row: ScanRow | undefined, count: number): ScannedIds {
  const ids = row?.ids?.split(' ') ?? [];
  return row?.last != null && row.seen >= count ? { ids, last: row.last } : { ids };
}

/**
 * The resources as they were at the moment; those that the Grant does not show now are left out. A row each: a megabyte of them as one
 * value takes PostgreSQL twice the CPU, most of it for memory that it asks of the system each time.
 */
export async function linesAsOf({ db, definitions }: Ground, grant: Grant, type: string, ids: readonly string[], at: number): Promise<readonly string[]> {
  const clause = grant.rows(type);
  if (clause.kind === 'none') return [];
  const values: unknown[] = [ids.join(' '), at];
  const granted = clause.kind === 'all' ? '' : ` and (${clauseSql(definitions, type, clause, 't', values)})`;
  const then = `(select h.res from fhir.history h where h.id = t.id and h.type = '${type}' and h.updated <= $2::bigint order by h.version desc limit 1)`;
  const { rows } = await db.query<{ line: string | null }>({
    ...(granted === '' && { name: `lines of ${type}` }),
    text: `select case when t.updated <= $2::bigint then t.res else ${then} end as line
      from ${resourceTable(type)} t where t.id = any((select string_to_array($1::text, ' '))::text[])${granted}`,
    values,
  });
  return rows.flatMap(({ line }) => line ?? []);
}

/** Resources that are there no more: deleted after `since`. A Grant that shows some rows only can't tell whose they were. */
export async function deletedIds({ db }: Pick<Ground, 'db'>, grant: Grant, { type, moment: { at, since = 0 }, after = '', count }: Omit<Scan, 'where'> & { readonly moment: Moment }): Promise<ScannedIds> {
  if (grant.rows(type).kind !== 'all') return { ids: [] };
  const { rows } = await db.query<ScanRow>({
    name: `deleted ${type}`,
    text: `select string_agg(d.id, ' ' order by d.id) as ids, max(d.id) as last, count(*) as seen from (
      select id from ${resourceTable(type)} where res is null and updated > $1::bigint and updated <= $2::bigint and id > $3 order by id limit $4) d`,
    values: [since, at, after, count],
  });
  return scannedOf(rows[0], count);
}
