// Rows in the order of their dates that last until a moment: those that may begin only shortly before it are one stretch of an index, and the long ones that
// began earlier are another's. Of one order they are the two parts, so that the second is not asked where the first fills the page.
import type { Definitions } from '../definitions/model.js';
import { classRows, isLong, isOfClass, type Reach } from './date-reach.js';
import type { Conjunct } from './drivers.js';
import { ROW } from './frame.js';
import { dateReach } from './params/date.js';
import { slotsOf } from './slots.js';
import type { SqlScope } from './sql-scope.js';

/** What the criteria by the promoted date ask of it together: the reach of the one that leaves least. */
export interface Sought {
  /** Rows without a date don't pass. */
  readonly dated: boolean;
  /** Undefined where none but an exact bound is asked, which the tests themselves have. */
  readonly reach?: Required<Reach>;
}

export function soughtDates(definitions: Definitions, type: string, conjuncts: readonly Conjunct[]): Sought {
  let dated = false;
  let last: Reach | undefined;
  for (const { clause } of conjuncts) {
    if (clause.kind !== 'parameter' || clause.parameter.type !== 'date' || clause.modifier !== undefined) continue;
    const slot = slotsOf(definitions, type).byCode.get(clause.parameter.code);
    if (slot?.column !== 'date') continue;
    dated = true;
    const reach = dateReach(slot, clause.values);
    if (reach && (!last || reach.from > last.from)) last = reach;
  }
  return last?.until === undefined ? { dated } : { dated, reach: { from: last.from, until: last.until } };
}

/** Of the page's select. */
export interface DatedSelect {
  readonly sql: SqlScope;
  readonly type: string;
  readonly columns: string;
  /** Every test of a row, as a filter. */
  readonly where: readonly string[];
  /** By date_lo and id, as the indexes have it. */
  readonly order: string;
  readonly descending: boolean;
  readonly limit: number;
  readonly reach: Required<Reach>;
}

const DATE = { lo: `${ROW}.date_lo`, hi: `${ROW}.date_hi` };

/** Among all rows: of the long ones a few from each class. */
export function datedWalk(select: DatedSelect): string {
  const { sql, columns, order, reach, limit } = select;
  const from = sql.bind(reach.from, 'bigint');
  const rows = rowsText(select, '*', [isOfClass(DATE, from)]);
  const long = `select ${columns} from ${classRows(sql.bind(reach.until, 'bigint'))} cross join lateral (${rows}) ${ROW} order by ${order} limit ${limit}`;
  return inTurn(select, from, long);
}

/** Among the rows of one subject, which is one of the tests. */
export function datedOfSubject(select: DatedSelect): string {
  const from = select.sql.bind(select.reach.from, 'bigint');
  return inTurn(select, from, rowsText(select, select.columns, [isLong(DATE), `${DATE.lo} < ${from}`]));
}

function inTurn(select: DatedSelect, from: string, long: string): string {
  const short = rowsText(select, select.columns, [`${DATE.lo} >= ${from}`]);
  const parts = select.descending ? [short, long] : [long, short];
  return `select * from (${parts.map((part) => `(${part})`).join(' union all ')}) d limit ${select.limit}`;
}

function rowsText({ type, where, order, limit }: DatedSelect, columns: string, tests: readonly string[]): string {
  return `select ${columns} from fhir."${type}" ${ROW} where ${[...where, ...tests].join(' and ')} order by ${order} limit ${limit}`;
}
