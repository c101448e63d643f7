// The select of one page of matches. Which index finds the rows is decided here and written so that the planner has no other way:
// either the sort index is walked and every clause sifts (`filter`), or the best clauses find the rows (`drive`) and what
// is found is sorted by expressions that no index matches.
import { fail } from '../fhir/errors.js';
import { askedSlot, conjunctText, conjunctsOf, type Writing } from './clause.js';
import { alongText, chainAlong } from './along-targets.js';
import { codesText } from './code-order.js';
import { soughtDates, type Sought } from './dated-walk.js';
import { driversOf, drives, RANK, type Conjunct, type Drivers } from './drivers.js';
import { frameOf, keep, ROW, type Frame, type WholePage } from './frame.js';
import { ofSubjectText, walkNullable } from './nullable-walk.js';
import { afterText, orderText, rowAfterText, type Order, type Side } from './order.js';
import type { Query } from './query.js';
import { refuseCostly } from './costly.js';
import { stagesOf } from './glance.js';
import { presenceText } from './presence.js';
import { slotsOf, type Column } from './slots.js';
import { MANY, type Use } from './sql-scope.js';
import { statementName } from './statement-name.js';

/**
 * walk: along the sort index, every clause sifting. take: by the best clauses, then sorted. subject: by the subject, whose index has the order of the
 * date already. dated: by the subject, from a date on. codes: by each value of the key in turn. probe: a bounded walk, and if it does not fill the page, take. glance: a short one, whose rows are asked what they point at. natural: no index helps, or the planner knows better.
 */
type Road = 'walk' | 'take' | 'subject' | 'dated' | 'codes' | 'probe' | 'glance' | 'natural';

/** Everything a road needs. */
interface Page {
  readonly writing: Writing;
  readonly query: Query;
  readonly frame: Frame;
  readonly order: Order;
  readonly conjuncts: readonly Conjunct[];
  readonly drivers: Drivers;
  /** Of the date that is walked. */
  readonly sought: Sought;
  /** The columns selected, without `select`. */
  readonly columns: string;
  /** Names of those beyond the id, the resource and the keys. */
  readonly more: readonly string[];
}

export interface PageText {
  readonly text: string;
  /** Number of sort keys: columns k0, k1, … */
  readonly keys: number;
}

/** At most count + 1 rows in order: the last only tells that there is a next page. `more` names further columns of the row. */
export function pageText(writing: Writing, query: Query, more: readonly string[]): PageText {
  const page = pageOf(writing, query, more);
  return { text: roadText(page, takenRoad(page)), keys: page.order.columns.length };
}

/** The same as part of the statement that `whole` makes of its text. Where tests are all that is to be written, statements are found by these. */
export function wholePage(writing: Writing, query: Query, whole: (text: string, keys: number) => string): WholePage {
  const page = pageOf(writing, query, []);
  const road = takenRoad(page);
  const keys = page.order.columns.length;
  const make = (select: string): WholePage => {
    const text = whole(select, keys);
    return writing.sql.constant ? { name: statementName(text), text, keys } : { text, keys };
  };
  if ((road !== 'take' && road !== 'subject') || idsDriver(page)) return make(roadText(page, road));
  const tests = foundTests(page, []).join(' and ');
  if (!writing.sql.constant) return make(foundSelect(page, road, tests));
  const shape = `${road} ${query.count} ${tests}`;
  return page.frame.kept.get(shape) ?? keep(page.frame, shape, make(foundSelect(page, road, tests)));
}

function pageOf(writing: Writing, query: Query, more: readonly string[]): Page {
  for (const { parameter: { code } } of query.sort) refuseOrder(writing, query.type, code);
  const frame = frameOf(writing.definitions, writing.sql, query, more);
  const { order, columns } = frame;
  const conjuncts = conjunctsOf(writing, query.type, query.where);
  const sought = order.columns[0]?.walks === 'date' ? soughtDates(writing.definitions, query.type, conjuncts) : { dated: false };
  return { writing, query, frame, order, columns, more, conjuncts, drivers: driversOf(writing, query.type, conjuncts), sought };
}

function takenRoad(page: Page): Road {
  const { writing: { sql }, query: { count }, conjuncts } = page;
  const road = roadOf(page);
  if (road !== 'codes') refuseCostly(page.writing, page);
  sql.constant &&= road !== 'natural' && isUsual(count) && conjuncts.length < 8;
  return road;
}

/** The place of a row in an order tells its value. */
function refuseOrder(writing: Writing, type: string, code: string): void {
  askedSlot(writing, type, code);
  if (writing.grant?.except(type, code)) throw fail('forbidden', { text: `${type} can't be sorted by ${code}: of some rows this caller is not shown it`, expression: '_sort' });
}

function roadText(page: Page, road: Road): string {
  if (road === 'walk') return walkText(page);
  if (road === 'dated') return ofSubjectText(page, parted(page, (conjunct) => page.drivers.drivers.has(conjunct)));
  const along = road === 'glance' ? chainAlong(page) : undefined;
  if (along) return alongText(page, along.driver, along.chain);
  if (road === 'glance') return glanceText(page);
  if (road === 'codes') return codesText(page, (query) => pageText(page.writing, query, page.more).text);
  return road === 'probe' ? probeText(page) : foundText(page, road, []);
}

/** Page sizes whose statements are worth keeping prepared. */
const isUsual = (count: number): boolean => count <= 2 || [5, 10, 20, 25, 50, 100, 200, 250, 500, 1000].includes(count);

function roadOf(page: Page): Road {
  const { order, drivers: { rank, drivers } } = page;
  const [column] = order.columns;
  if (column?.codes && rank >= RANK.range) return 'codes';
  const walkable = order.columns.length === 0 || (order.columns.length === 1 && (column?.walks !== undefined || column?.side !== undefined));
  if (rank === RANK.subject && drivers.size === 1) {
    if (column?.walks !== 'date' || !walkable || !isOneSubject([...drivers][0])) return 'take';
    return page.sought.reach ? 'dated' : column.descending ? 'subject' : 'take';
  }
  if (rank === RANK.farChain && walkable) return 'glance';
  if (rank < RANK.side || rank === RANK.farChain || (rank < RANK.range && ![...drivers].every(isPlain))) return 'take';
  if (!walkable) return rank === RANK.none ? 'natural' : 'take';
  if (rank === RANK.none) return 'walk';
  return rank === RANK.range && [...drivers].every((driver) => isOn(page, driver, column?.walks)) && isAllRange(page) ? 'walk' : 'probe';
}

/** One parameter, and not a combination of several. */
const isPlain = ({ clause }: Conjunct): boolean => clause.kind === 'parameter' || clause.kind === 'text';

/** Nothing sifts but bounds on the column that is walked: the walk ends as soon as the page is full. */
const isAllRange = ({ conjuncts, drivers: { drivers } }: Page): boolean => conjuncts.length === drivers.size;

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

/** Of the bounds on the column that is walked; of a date the walk itself knows where it begins. */
const walkUse = ({ order: { columns: [column] } }: Page): Use => (column?.walks === 'date' ? 'filter' : 'drive');

function testTexts({ writing, query }: Page, conjuncts: readonly Conjunct[], use: Use): string[] {
  return conjuncts.map((conjunct) => conjunctText(writing, { type: query.type, alias: ROW }, conjunct, use));
}

/** The clauses that find the rows and those that sift them. */
function parted(page: Page, drives: (conjunct: Conjunct) => boolean): string[] {
  const { writing, query: { type } } = page;
  return page.conjuncts.map((conjunct) => conjunctText(writing, { type, alias: ROW }, conjunct, drives(conjunct) ? 'drive' : 'filter'));
}

const EXISTS = `${ROW}.res is not null`;

function selectText(page: Page, columns: string, where: readonly string[], order: string, limit: number): string {
  return selectWhere(page, columns, [EXISTS, ...where].join(' and '), order, limit);
}

const selectWhere = ({ query }: Page, columns: string, where: string, order: string, limit: number): string =>
  `select ${columns} from fhir."${query.type}" ${ROW} where ${where} order by ${order} limit ${limit}`;

/** The rows are found by the best clauses and sorted; within one subject the index has them in order of the date already. */
function foundText(page: Page, road: Road, more: readonly string[]): string {
  const ids = idsDriver(page);
  return ids ? byIdsText(page, ids, more) : foundSelect(page, road, foundTests(page, more).join(' and '));
}

function foundTests(page: Page, more: readonly string[]): readonly string[] {
  const { writing, query, order, drivers } = page;
  const tests = [EXISTS, ...parted(page, (conjunct) => drives(writing, query.type, drivers, conjunct)), ...more];
  if (query.after) tests.push(afterText(order, writing.sql, query.after, ROW));
  return tests;
}

function foundSelect(page: Page, road: Road, tests: string): string {
  const order = orderText(page.order, ROW, road === 'subject' || road === 'natural' ? 'plain' : 'opaque');
  return selectWhere(page, page.columns, tests, order, page.query.count + 1);
}

/** The one clause that finds the rows, where a side table gives their ids and the rows come in the order of these. */
function idsDriver({ writing, query, order, drivers: { rank, drivers } }: Page): Conjunct | undefined {
  const [only, ...others] = drivers;
  const byId = order.columns.length === 0 || order.columns[0]?.walks === 'id';
  if (!only || others.length > 0 || !byId) return undefined;
  if (only.clause.kind === 'has') return only;
  if ((rank !== RANK.side && rank !== RANK.contains) || only.clause.kind !== 'parameter') return undefined;
  return writing.grant?.except(query.type, only.clause.parameter.code) ? undefined : only;
}

/** The ids are sorted before any row is read: of 8,000 matches 21 rows are looked up (6 ms; all of them, 98 ms). */
function byIdsText(page: Page, driver: Conjunct, more: readonly string[]): string {
  const { writing, query: { type, after, count }, order: { idDescending } } = page;
  const way = idDescending ? 'desc' : 'asc';
  const [ids = ''] = testTexts(page, [driver], 'ids');
  const tests = [...page.conjuncts.filter((conjunct) => conjunct !== driver).flatMap((conjunct) => testTexts(page, [conjunct], 'filter')), ...more];
  const rest = after ? ` where i.id ${idDescending ? '<' : '>'} ${writing.sql.bind(after.id, 'text')}` : '';
  const sorted = `select distinct i.id from (${ids}) i (id)${rest} order by i.id ${way}`;
  const rows = `select * from fhir."${type}" ${ROW} where ${ROW}.id = i.id offset 0`;
  return `select ${page.columns} from (${sorted}) i cross join lateral (${rows}) ${ROW} where ${[EXISTS, ...tests].join(' and ')} order by i.id ${way} limit ${count + 1}`;
}

/** All rows in order that pass. */
function walkText(page: Page): string {
  const [column] = page.order.columns;
  return walked(page, page.columns, parted(page, (conjunct) => walkUse(page) === 'drive' && isOn(page, conjunct, column?.walks)), page.query.count + 1);
}

function walked(page: Page, columns: string, where: readonly string[], limit: number): string {
  const { writing, query: { after }, order } = page;
  const [column] = order.columns;
  if (column?.side) return walkSide(page, column.side, columns, where, limit);
  if (column?.walks === 'date' || column?.walks === 'subject') return walkNullable(page, column, columns, where, limit);
  const all = after ? [...where, rowAfterText(order, writing.sql, after, ROW)] : where;
  return selectText(page, columns, all, orderText(order, ROW, 'plain'), limit);
}

/**
 * Along the side table's index, each resource at its least value (its greatest, descending), then those without one. `offset 0` leaves the planner
 * nothing but to look up one row after the other.
 */
function walkSide(page: Page, { table, column, key, slot, single }: Side, columns: string, where: readonly string[], limit: number): string {
  const { writing: { sql }, query: { type, after }, order: { idDescending, columns: [first] } } = page;
  const [way, beyond] = idDescending ? ['desc', '<'] : ['asc', '>'];
  const [side, other] = [sql.alias('s'), sql.alias('s')];
  const of = (alias: string): string => `${alias}.param = ${String(key)}${table === 'quantity_index' ? ` and ${alias}.key = 0` : ''}`;
  const before = `${other}.${column} ${idDescending ? '>' : '<'} w.value`;
  // As a select of one value, which the planner can't turn into a join of everything.
  const once = single ? [] : [`(select true from fhir.${table} ${other} where ${other}.id = w.place and ${of(other)} and ${before} limit 1) is not true`];
  const missing = [...where, presenceText(ROW, slot, false)];
  const from = [of(side)];
  if (after) {
    sql.constant = false;
    if (after.keys[0] == null) missing.push(`${ROW}.id ${beyond} ${sql.bind(after.id, 'text')}`);
    else from.push(`(${side}.${column}, ${side}.id) ${beyond} (${sql.bind(after.keys[0], first?.cast ?? 'text')}, ${sql.bind(after.id, 'text')})`);
  }
  const second = selectText(page, columns, missing, `${ROW}.id ${way}`, limit);
  if (after && after.keys[0] == null) return second;
  const places = `select distinct ${side}.${column} as value, ${side}.id as place from fhir.${table} ${side} where ${from.join(' and ')} order by ${side}.${column} ${way}, ${side}.id ${way}`;
  const rows = `select * from fhir."${type}" ${ROW} where ${ROW}.id = w.place offset 0`;
  const walk = `select ${columns} from (${places}) w cross join lateral (${rows}) ${ROW} where ${[EXISTS, ...once, ...where].join(' and ')} order by w.value ${way}, w.place ${way} limit ${limit}`;
  return `select * from ((${walk}) union all (${second})) d limit ${limit}`;
}

/** Rows looked at by a probe: some 4 ms, where the clause is in the row itself. */
const PROBE = 4000;
/** Rows that are looked up in a side table first, while no more ids are counted than these: of 1,000,000 rows half the amounts fill a page so. */
const FIRST_PROBE = 400;
const FEW = 500;
/** A row's words lie in another table. Whether a word is common is not asked before: that gathers all who have it. */
const PROBE_WORDS = 500;

/**
 * How many rows the clauses leave is not known: tokens that are common each may never come together, and a name may be rare. So the walk ends after a
 * number of rows; only when they do not fill the page are the rows found by the best clauses. Measured on a million rows, two common codes that never
 * meet: 2.3 s by the walk alone, 20 ms so.
 */
function probeText(page: Page): string {
  const { conjuncts, drivers: { rank } } = page;
  const worded = conjuncts.some(({ clause }) => clause.kind === 'text');
  if (worded) return probesText(page, [{ size: PROBE_WORDS }]);
  if (rank !== RANK.side && rank !== RANK.contains) return probesText(page, [{ size: PROBE }]);
  return probesText(page, [{ size: FIRST_PROBE, gate: manyText(page, FEW) }, { size: PROBE, gate: manyText(page, mostGathered(page)) }]);
}

/** Rows looked at, where the gate lets them be. */
interface Probe {
  readonly size: number;
  /** A select of `yes`. */
  readonly gate?: string;
}

/** One walk after the other until one fills the page, each longer than the one before. */
function probesText(page: Page, probes: readonly Probe[]): string {
  const { query: { count }, conjuncts } = page;
  const onColumn = (conjunct: Conjunct): boolean => isOn(page, conjunct, page.order.columns[0]?.walks);
  const lacking = (before: number): string[] => probes.slice(0, before).map((_, index) => `(select count(*) from near${index}) <= ${count}`);
  const ctes = probes.flatMap(({ size, gate }, index) => {
    const gates = [...lacking(index), ...(gate === undefined ? [] : [`(select yes from many${index})`])];
    const walk = walked(page, `${ROW}.*`, [...testTexts(page, conjuncts.filter(onColumn), walkUse(page)), ...gates], size);
    const sifted = testTexts(page, conjuncts.filter((conjunct) => !onColumn(conjunct)), 'filter');
    const near = `near${index} as materialized (select ${page.columns} from (${walk}) ${ROW}${sifted.length > 0 ? ` where ${sifted.join(' and ')}` : ''} limit ${count + 1})`;
    return gate === undefined ? [near] : [`many${index} as materialized (${gate})`, near];
  });
  const filled = probes.map((_, index) => `select * from near${index} where (select count(*) from near${index}) > ${count}`);
  return `with ${ctes.join(', ')} ${filled.join(' union all ')} union all (${foundText(page, 'take', lacking(probes.length))})`;
}

/**
 * What hangs on many rows of another type is gathered slowly (25,000 observations: 260 ms), and a page of it is soon met: some rows are looked at, then
 * more, and only if they do not fill the page is all gathered.
 */
function glanceText(page: Page): string {
  const { query: { count }, conjuncts } = page;
  const onColumn = (conjunct: Conjunct): boolean => isOn(page, conjunct, page.order.columns[0]?.walks);
  const { stages, ctes } = stagesOf(page.writing, page);
  const lacks = (index: number): string => `(select count(*) from near${index}) <= ${count}`;
  const parts = stages.flatMap(({ size, gate, named, row }, index) => {
    const gates = [...(index > 0 ? [lacks(index - 1)] : []), ...(gate === undefined ? [] : [gate])];
    const looked = `looked${index}`;
    const some = walked(page, `${ROW}.*`, [...testTexts(page, conjuncts.filter(onColumn), walkUse(page)), ...gates], size);
    const sifted = conjuncts.filter((conjunct) => !onColumn(conjunct)).map((conjunct) => conjunctText(page.writing, row(looked, conjunct), conjunct, 'filter'));
    const near = (from: string): string => `near${index} as materialized (select ${page.columns} from ${from} ${ROW} where ${sifted.join(' and ')} limit ${count + 1})`;
    return named ? [`${looked} as materialized (${some})`, near(looked)] : [near(`(${some})`)];
  });
  const filled = stages.map((_, index) => `select * from near${index} where (select count(*) from near${index}) > ${count}`);
  const found = foundText(page, 'take', stages.map((_, index) => lacks(index)));
  return `with ${[...ctes, ...parts].join(', ')} ${filled.join(' union all ')} union all (${found})`;
}

/** How many rows may be gathered where only their ids are, out of an index; of a table where as many are met sooner, fewer. */
const IDS_ALONE = { most: 5000, ofTable: 100_000, fewer: 2000 };

function mostGathered(page: Page): number {
  if (!idsDriver(page)) return MANY;
  const rows = page.writing.frequencyOf(page.query.type)?.rows ?? Infinity;
  return rows < IDS_ALONE.ofTable ? IDS_ALONE.fewer : IDS_ALONE.most;
}

/** Does the first clause that drives name more rows than these? Counts no further than needed. */
function manyText(page: Page, many: number): string {
  const { writing, query, drivers: { drivers } } = page;
  const ids = [...drivers].slice(0, 1).map((first) => conjunctText(writing, { type: query.type, alias: ROW }, first, 'ids'));
  return `select count(*) > ${many} as yes from (${ids.join('')} limit ${many + 1}) m`;
}
