// The versions of all resources of some types, by time. https://hl7.org/fhir/R4/http.html#history
// A version is shown once no transaction that could still come before it is open, so that who asks again by `_since` misses nothing.
import type { Statement } from '../db/database.js';
import { clauseSql } from '../search/clause-sql.js';
import type { Grant } from '../search/grant.js';
import { toVersion, type VersionRow } from './read.js';
import type { HistoryQuery, HistoryVersion } from './store.js';
import { resourceTable } from './tables.js';
import type { Ground } from './visible-rows.js';

interface HistoryRow extends VersionRow {
  readonly type: string;
  readonly id: string;
  readonly method: HistoryVersion['method'];
}

export async function historyOfTypes(ground: Ground, grant: Grant, query: HistoryQuery): Promise<readonly HistoryVersion[]> {
  const statement = historyStatement(ground, grant, query);
  if (!statement) return [];
  const { rows } = await ground.db.query<HistoryRow>(statement);
  return rows.map(({ type, id, method, ...row }) => ({ ...toVersion(type, id, row), method }));
}

/** Undefined where the Grant shows no row of any of the types. */
export function historyStatement({ definitions }: Pick<Ground, 'definitions'>, grant: Grant, query: HistoryQuery): Statement | undefined {
  const values: unknown[] = [];
  const bind = (value: unknown, type: string): string => `$${values.push(value)}::${type}`;
  const bounds = boundsOf(query, bind);
  const branches = query.types.flatMap((type) => {
    const clause = grant.rows(type);
    if (clause.kind === 'none') return [];
    const granted = clause.kind === 'all' ? '' : ` and (${clauseSql(definitions, type, clause, 't', values)})`;
    return [currentText(type, bounds, granted), supersededText(type, bounds, granted)];
  });
  if (branches.length === 0) return undefined;
  return { text: `select type, id, version, updated, method, res from (${branches.join(' union all ')}) v ${bounds.order('v')} limit ${bounds.count}`, values };
}

interface Bounds {
  /** Conditions on the columns of an alias: the moment, and the place after which to go on. */
  readonly of: (alias: string, type: string) => string;
  /** Was the version that `superseded` (a time) followed still current at the moment asked for? */
  readonly lasted: (superseded: string) => string;
  readonly order: (alias: string) => string;
  readonly count: string;
}

function boundsOf({ id, since, at, after, ascending = false, count }: HistoryQuery, bind: (value: unknown, type: string) => string): Bounds {
  const beyond = ascending ? '>' : '<';
  const direction = ascending ? 'asc' : 'desc';
  const fixed: ((alias: string) => string)[] = [];
  const add = (value: unknown, type: string, test: (alias: string, bound: string) => string): void => {
    const bound = bind(value, type);
    fixed.push((alias) => test(alias, bound));
  };
  if (id !== undefined) add(id, 'text', (alias, bound) => `${alias}.id = ${bound}`);
  if (since !== undefined) add(since, 'bigint', (alias, bound) => `${alias}.updated >= ${bound}`);
  if (at) add(at.hi, 'bigint', (alias, bound) => `${alias}.updated < ${bound}`);
  const from = at && bind(at.lo, 'bigint');
  const place = after && { updated: bind(after.updated, 'bigint'), type: bind(after.type, 'text'), id: bind(after.id, 'text'), version: bind(after.version, 'bigint') };
  return {
    of: (alias, type) => [
      ...fixed.map((test) => test(alias)),
      // The first is for the index, the second is exact.
      ...(place ? [`${alias}.updated ${beyond}= ${place.updated}`, `(${alias}.updated, '${type}', ${alias}.id, ${alias}.version) ${beyond} (${place.updated}, ${place.type}, ${place.id}, ${place.version})`] : []),
    ].map((test) => ` and ${test}`).join(''),
    lasted: (superseded) => (from === undefined ? '' : ` and ${superseded} > ${from}`),
    order: (alias) => `order by ${['updated', 'type', 'id', 'version'].map((column) => `${alias}.${column} ${direction}`).join(', ')}`,
    count: bind(count, 'bigint'),
  };
}

// Transactions of other databases of the cluster write nothing here. One that ended meanwhile is in the snapshot still, and counts.
const HORIZON = `age(t.xmin) > (select coalesce(max(age(x::xid)), 0) from pg_snapshot_xip(pg_current_snapshot()) x
  where not exists (select from pg_stat_activity a where a.backend_xid = x::xid and a.datname <> current_database()))`;

function currentText(type: string, bounds: Bounds, granted: string): string {
  const inner = `select '${type}' as type, t.id, t.version, t.updated, t.method, t.res from ${resourceTable(type)} t where ${HORIZON}${bounds.of('t', type)}${granted}`;
  return `(select * from (${inner}) c ${bounds.order('c')} limit ${bounds.count})`;
}

/** What superseded a version is the next; where that was purged, when it was has been kept with this one. */
function supersededText(type: string, bounds: Bounds, granted: string): string {
  const visible = granted === '' ? '' : ` and exists (select from ${resourceTable(type)} t where t.id = h.id${granted})`;
  const next = `coalesce(h.ended, (select n.updated from fhir.history n where n.id = h.id and n.type = h.type and n.version = h.version + 1), (select t.updated from ${resourceTable(type)} t where t.id = h.id))`;
  const inner = `select '${type}' as type, h.id, h.version, h.updated, h.method, h.res from fhir.history h where h.type = '${type}'${bounds.of('h', type)}${bounds.lasted(next)}${visible}`;
  return `(select * from (${inner}) c ${bounds.order('c')} limit ${bounds.count})`;
}
