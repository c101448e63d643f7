// The versions of one resource, newest first. https://hl7.org/fhir/R4/http.html#history
import type { Grant } from '../search/grant.js';
import { toVersion, type VersionRow } from './read.js';
import type { HistoryVersion } from './store.js';
import { resourceTable } from './tables.js';
import { guarded, type Ground } from './visible-rows.js';

/** `before`: versions below it; `since`: milliseconds since the epoch, inclusive. */
export interface HistoryPage {
  readonly count: number;
  readonly before?: number;
  readonly since?: number;
}

export interface HistoryAnswer {
  readonly versions: readonly HistoryVersion[];
  /** Of all versions since `since`, on this page and others. */
  readonly total: number;
}

interface HistoryRow extends VersionRow {
  readonly method: HistoryVersion['method'] | null;
  readonly total: number;
}

export async function history({ db, definitions }: Ground, grant: Grant, type: string, id: string, page: HistoryPage): Promise<HistoryAnswer> {
  const statement = guarded(definitions, grant, type, {
    name: `history ${type}`,
    values: [id, page.since ?? 0, page.before ?? Number.MAX_SAFE_INTEGER, page.count],
    text: (where) => historyText(type, where),
  });
  if (!statement) return { versions: [], total: 0 };
  const { rows } = await db.query<HistoryRow>(statement);
  return {
    // A page past the oldest version still comes with one row, for the total.
    versions: rows.flatMap(({ method, ...row }) => (method === null ? [] : [{ ...toVersion(type, id, row), method }])),
    total: rows[0]?.total ?? 0,
  };
}

function historyText(type: string, where: string): string {
  return `
    select c.total, v.version, v.updated, v.method, v.res from ${resourceTable(type)} t
    cross join lateral (
      select count(*) + (t.updated >= $2)::int as total from fhir.history h where h.id = t.id and h.type = '${type}' and h.updated >= $2) c
    left join lateral (
      select t.version, t.updated, t.method, t.res where t.updated >= $2 and t.version < $3
      union all
      select h.version, h.updated, h.method, h.res from fhir.history h
      where h.id = t.id and h.type = '${type}' and h.updated >= $2 and h.version < $3
      order by version desc limit $4) v on true
    where t.id = $1 ${where} order by v.version desc`;
}
