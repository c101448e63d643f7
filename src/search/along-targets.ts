// Rows whose subject is what a chain leads to, target after target: a page is full after a few of them, where the index by subject has the rows of
// each together. In the order of the ids 1 % of 25,000 patients were met after 2,000 observations, and gathering what hangs on them costs more still.
import { askedSlot, conjunctText, conjunctsOf, targetsText, type Writing } from './clause.js';
import { RANK, rankOf, type Conjunct, type Drivers, type Knowing } from './drivers.js';
import { ROW } from './frame.js';
import { rowAfterText, type Order } from './order.js';
import type { Clause, Query, SortKey } from './query.js';
import { slotsOf } from './slots.js';

type Chain = Extract<Clause, { kind: 'chain' }>;

/** As much of a page as is asked here. */
interface Chained {
  readonly writing: Writing;
  readonly query: Query;
  readonly order: Order;
  readonly conjuncts: readonly Conjunct[];
  readonly drivers: Drivers;
  readonly columns: string;
}

/** Targets that are looked at, in the order of their ids, before all are gathered that the chain leads to. */
const LOOKED = 200;

function isSubjectChain({ definitions }: Pick<Knowing, 'definitions'>, type: string, clause: Clause | undefined): clause is Chain {
  return clause?.kind === 'chain' && slotsOf(definitions, type).byCode.get(clause.parameter.code)?.column === 'subject';
}

/** The chain that finds the rows, where they come in the order of their subjects. */
export function chainAlong({ writing, query, order, drivers: { drivers } }: Omit<Chained, 'columns'>): { readonly driver: Conjunct; readonly chain: Chain } | undefined {
  const [only, ...others] = drivers;
  const [column, ...more] = order.columns;
  if (!only || only.granted || others.length > 0 || more.length > 0 || column?.walks !== 'subject') return undefined;
  const chain = only.clause;
  if (!isSubjectChain(writing, query.type, chain) || query.after?.keys[0] === null) return undefined;
  const { code } = askedSlot(writing, query.type, chain.parameter.code).parameter;
  return writing.grant?.except(query.type, code) ? undefined : { driver: only, chain };
}

/** The search in the order that it names. One that names none comes in that of its ids, or of the subject, where a chain that may lead to many leads to it; on later pages as on the one before. */
export const inUsualOrder = (knowing: Knowing, query: Query): Query => (query.sort.length > 0 ? query : { ...query, sort: usualOrder(knowing, query) });

function usualOrder(knowing: Knowing, { type, where, after }: Query): readonly SortKey[] {
  if (after) return after.keys.length === 1 ? [...slotsOf(knowing.definitions, type).byCode.values()].filter(({ column }) => column === 'subject').slice(0, 1).map(bySubject) : [];
  const chain = conjunctsOf({}, type, where).map(({ clause }) => clause).find((clause) => isSubjectChain(knowing, type, clause));
  return chain?.kind === 'chain' && rankOf(knowing, type, chain) === RANK.farChain ? [bySubject(chain)] : [];
}

const bySubject = ({ parameter }: Pick<Chain, 'parameter'>): SortKey => ({ parameter, descending: false });

/** A few targets are looked at, no further than to a full page; only if they do not fill it are all gathered. */
export function alongText(page: Chained, driver: Conjunct, chain: Chain): string {
  const { writing, query: { after, count }, order: { idDescending } } = page;
  const { type } = chain;
  const [way, from] = idDescending ? ['desc', '<='] : ['asc', '>='];
  const place = after && writing.sql.bind(String(after.keys[0]).slice(type.length + 1), 'text');
  const onward = (id: string): string => (place === undefined ? '' : ` and ${id} ${from} ${place}`);
  const few = (columns: string): string => `select ${columns} from fhir."${type}" o where o.res is not null${onward('o.id')} order by o.id ${way} limit ${LOOKED}`;
  const ids = few('o.id');
  const tests = conjunctsOf(writing, type, chain.where).map((conjunct) => conjunctText(writing, { type, alias: 'o', ids }, conjunct, 'filter'));
  const met = `select o.id as place, '${type}/' || o.id as target from (${few('*')}) o${tests.length > 0 ? ` where ${tests.join(' and ')}` : ''}`;
  const all = `select target as place, target from (${targetsText(writing, chain)}) a (target) where (select count(*) from near) <= ${count}${onward(`substr(target, ${type.length + 2})`)} order by target ${way}`;
  return `with near as materialized (${rowsText(page, driver, met)}) select * from near where (select count(*) from near) > ${count} union all (${rowsText(page, driver, all)})`;
}

/** `place`: what the targets are in the order of, so that no more of them are asked for than fill the page. */
function rowsText({ writing, query: { type, after, count }, order, conjuncts, columns }: Chained, driver: Conjunct, targets: string): string {
  const way = order.idDescending ? 'desc' : 'asc';
  const row = { type, alias: ROW };
  const tests = [`${ROW}.res is not null`, `${ROW}.subject = t.target`, ...conjuncts.filter((conjunct) => conjunct !== driver).map((conjunct) => conjunctText(writing, row, conjunct, 'filter'))];
  if (after) tests.push(rowAfterText(order, writing.sql, after, ROW));
  const rows = `select * from fhir."${type}" ${ROW} where ${tests.join(' and ')} order by ${ROW}.id ${way} limit ${count + 1}`;
  return `select ${columns} from (${targets}) t cross join lateral (${rows}) ${ROW} order by t.place ${way}, ${ROW}.id ${way} limit ${count + 1}`;
}
