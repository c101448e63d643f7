// All rows of a search, as ids in their order, a great many at a time: what a bulk export gives out. Rows that were changed after its moment are
// judged as they are now and given as they were then.
import type { Definitions } from '../definitions/model.js';
import type { SearchStatement } from './compile.js';
import type { Grant } from './grant.js';
import { pageText } from './page.js';
import type { Clause, Query } from './query.js';
import { SqlScope } from './sql-scope.js';
import type { FrequencyOf } from './token-frequency.js';

/** Milliseconds since the epoch: as of `at`, and changed after `since`. */
export interface Moment {
  readonly at: number;
  readonly since?: number;
}

export interface Scan {
  readonly type: string;
  readonly where: Clause;
  readonly moment: Moment;
  /** The last id of the scan before. */
  readonly after?: string;
  /** Rows that are looked at. */
  readonly count: number;
}

/** One row: `ids` (with spaces between; null for none), `last` looked at, and `seen`, how many were. */
export function scanStatement(definitions: Definitions, { type, where, moment: { at, since = 0 }, after, count }: Scan, grant: Grant, frequencyOf: FrequencyOf): SearchStatement {
  const sql = new SqlScope([]);
  const query: Query = { type, where, sort: [], count: count - 1, includes: [], total: 'none', self: [], ...(after !== undefined && { after: { keys: [], id: after } }) };
  const { text } = pageText({ definitions, sql, grant, frequencyOf }, query, ['updated']);
  const [to, from] = [sql.bind(at, 'bigint'), sql.bind(since, 'bigint')];
  const then = `(select h.updated from fhir.history h where h.id = p.id and h.type = '${type}' and h.updated <= ${to} order by h.version desc limit 1)`;
  const due = `case when p.updated <= ${to} then p.updated else ${then} end > ${from}`;
  return { text: `select string_agg(p.id, ' ' order by p.id) filter (where ${due}) as ids, max(p.id) as last, count(*) as seen from (${text}) p`, values: sql.values };
}
