// The select of one page of matches. Which index finds the rows is decided here and written so that the planner has no other way:
// either the sort index is walked and every clause sifts (`filter`), or the best clauses find the rows (`drive`) and what
// is found is sorted by expressions that no index matches.
import { conjunctText, conjunctsOf, type Conjunct, type Writing } from './clause.js';
import { commonTokens, driversOf, RANK, type Drivers } from './drivers.js';
import { afterText, orderOf, orderText, rowAfterText, type Order } from './order.js';
import type { Query } from './query.js';
import { slotsOf, type Column } from './slots.js';
import { shareOf, walkIsCheaper } from './token-frequency.js';

type Road = 'walk' | 'take' | 'subject' | 'natural';

/** Everything a road needs. */
interface Page {
  readonly writing: Writing;
  readonly query: Query;
  readonly order: Order;
  readonly conjuncts: readonly Conjunct[];
  /** The columns selected, without `select`. */
  readonly columns: string;
}

const ROW = 'r';

export interface PageText {
  readonly text: string;
  readonly keys: number;
}

/** At most count + 1 rows in order: the last only tells that there is a next page. `more` names further columns of the row. */
export function pageText(writing: Writing, query: Query, more: readonly string[]): PageText {
  const order = orderOf(writing.definitions, writing.sql, query, ROW);
  const conjuncts = conjunctsOf(writing, query.type, query.where);
  const keys = order.columns.map(({ plain }, index) => `${plain}::text as k${index}`);
  const columns = [...['id', 'version', 'updated', 'res', ...more].map((name) => `${ROW}.${name}`), ...keys].join(', ');
  const drivers = driversOf(writing, query.type, conjuncts);
  const page = { writing, query, order, conjuncts, columns };
  const road = roadOf(page, drivers);
  writing.sql.constant &&= road !== 'natural' && isUsual(query.count) && conjuncts.length < 8;
  return { text: road === 'walk' ? walkText(page) : foundText(page, drivers, road), keys: keys.length };
}

/** Page sizes whose statements are worth keeping prepared. */
const isUsual = (count: number): boolean => count <= 2 || [5, 10, 20, 25, 50, 100, 200, 250, 500, 1000].includes(count);

function roadOf(page: Page, { rank, drivers }: Drivers): Road {
  const { order, conjuncts } = page;
  const [column] = order.columns;
  const walkable = order.columns.length === 0 || (order.columns.length === 1 && column?.walks !== undefined);
  if (rank === RANK.subject && drivers.size === 1) {
    return column?.walks === 'date' && column.descending && walkable && isOneSubject([...drivers][0]) ? 'subject' : 'take';
  }
  if (rank < RANK.range) return 'take';
  if (rank === RANK.range) return walkable && [...drivers].every((driver) => isOn(page, driver, column?.walks)) ? 'walk' : 'natural';
  if (!walkable) return 'take';
  return rank === RANK.none || walkPays(page, conjuncts) ? 'walk' : 'take';
}

function isOneSubject(conjunct: Conjunct | undefined): boolean {
  const clause = conjunct?.clause;
  if (clause?.kind !== 'parameter') return false;
  const [value, ...others] = clause.values;
  return value !== undefined && others.length === 0 && (value.parts === undefined || value.parts.length === 1);
}

/** Do the bounds lie on the column that is walked? */
function isOn({ writing, query }: Page, { clause }: Conjunct, column: Column | undefined): boolean {
  return column !== undefined && clause.kind === 'parameter' && slotsOf(writing.definitions, query.type).byCode.get(clause.parameter.code)?.column === column;
}

/** All tokens are common: is it still better to look into the GIN for those that are rare together? */
function walkPays({ writing, query }: Page, conjuncts: readonly Conjunct[]): boolean {
  const frequency = writing.frequencyOf(query.type);
  const { byCode } = slotsOf(writing.definitions, query.type);
  const shares = conjuncts.flatMap(({ clause }) => {
    const slot = clause.kind === 'parameter' ? byCode.get(clause.parameter.code) : undefined;
    return slot && clause.kind === 'parameter' && clause.modifier === undefined ? shareOf(frequency, commonTokens(slot, clause)) ?? [] : [];
  });
  return walkIsCheaper(frequency?.rows ?? 0, shares, query.count + 1);
}

function tests({ writing, query, conjuncts }: Page, drives: (conjunct: Conjunct) => boolean): string[] {
  const row = { type: query.type, alias: ROW };
  return [`${ROW}.res is not null`, ...conjuncts.map((conjunct) => conjunctText(writing, row, conjunct, drives(conjunct) ? 'drive' : 'filter'))];
}

function selectText({ query, columns }: Page, where: readonly string[], order: string): string {
  return `select ${columns} from fhir."${query.type}" ${ROW} where ${where.join(' and ')} order by ${order} limit ${query.count + 1}`;
}

/** The rows are found by the best clauses and sorted; within one subject the index has them in order of the date already. */
function foundText(page: Page, { drivers }: Drivers, road: Road): string {
  const { writing, query, order } = page;
  const where = tests(page, (conjunct) => drivers.has(conjunct));
  if (query.after) where.push(afterText(order, writing.sql, query.after, ROW));
  return selectText(page, where, orderText(order, ROW, road === 'take' ? 'opaque' : 'plain'));
}

function walkText(page: Page): string {
  const { writing, query: { after }, order } = page;
  const [column] = order.columns;
  const where = tests(page, (conjunct) => isOn(page, conjunct, column?.walks));
  if (column?.walks === 'date') return walkDates(page, where);
  if (after) where.push(rowAfterText(order, writing.sql, after, ROW));
  return selectText(page, where, orderText(order, ROW, 'plain'));
}

/**
 * Rows with a date, then rows without: the index has those without at one end, which is the wrong one for ascending order,
 * and a cursor can begin only among one of the two. The second select is not run when the first fills the page.
 */
function walkDates(page: Page, where: readonly string[]): string {
  const { writing: { sql }, query: { after, count }, order } = page;
  const direction = order.idDescending ? 'desc nulls last' : 'asc nulls first';
  const ids = order.idDescending ? 'desc' : 'asc';
  const dated = [...where, `${ROW}.date_lo is not null`];
  const undated = [...where, `${ROW}.date_lo is null`];
  if (after) {
    sql.constant = false;
    if (after.keys[0] == null) undated.push(`${ROW}.id ${order.idDescending ? '<' : '>'} ${sql.bind(after.id, 'text')}`);
    else dated.push(rowAfterText(order, sql, after, ROW));
  }
  const second = selectText(page, undated, `${ROW}.id ${ids}`);
  if (after && after.keys[0] == null) return second;
  const first = selectText(page, dated, `${ROW}.date_lo ${direction}, ${ROW}.id ${ids}`);
  return `select * from ((${first}) union all (${second})) d limit ${count + 1}`;
}
