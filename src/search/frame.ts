// What all pages of one type in one order have in common, worked out once: the order as SQL, the columns, and whole texts of statements that
// differ in nothing but values. Most of what a search cost to write was to put the same words together anew.
import type { Definitions } from '../definitions/model.js';
import { orderOf, type Order } from './order.js';
import { keyText } from './packed-page.js';
import type { Query } from './query.js';
import { slotsOf, type SlotTable } from './slots.js';
import type { SqlScope } from './sql-scope.js';

/** Alias of the row in a page's select. */
export const ROW = 'r';

/** The whole statement of a page. */
export interface WholePage {
  /** Set where other values give the same text. */
  readonly name?: string;
  readonly text: string;
  /** Number of sort keys: columns k0, k1, … */
  readonly keys: number;
}

export interface Frame {
  readonly order: Order;
  /** The columns selected, without `select`. */
  readonly columns: string;
  /** By what tells them apart. */
  readonly kept: Map<string, WholePage>;
}

/** The texts of a type and an order are dropped when they are too many. */
const MOST_KEPT = 200;

/** By the parameters of a type, then by order and columns. */
const frames = new WeakMap<SlotTable, Map<string, Frame>>();

/** `more` names further columns of the row. */
export function frameOf(definitions: Definitions, sql: SqlScope, query: Pick<Query, 'type' | 'sort'>, more: readonly string[]): Frame {
  const [first, ...others] = query.sort;
  // Orders by several keys are too many to be kept.
  if (others.length > 0) return makeFrame(definitions, sql, query, more);
  const table = slotsOf(definitions, query.type);
  let known = frames.get(table);
  if (!known) frames.set(table, (known = new Map<string, Frame>()));
  const name = `${first === undefined ? '' : first.parameter.code} ${first?.descending ? 'desc' : 'asc'} ${more.join(' ')}`;
  const frame = known.get(name);
  if (frame) return frame;
  const made = makeFrame(definitions, sql, query, more);
  // An order by anything but a column binds values.
  if (made.order.columns.every(({ walks }) => walks !== undefined)) known.set(name, made);
  return made;
}

function makeFrame(definitions: Definitions, sql: SqlScope, query: Pick<Query, 'type' | 'sort'>, more: readonly string[]): Frame {
  const order = orderOf(definitions, sql, query, ROW);
  const keys = order.columns.map(({ plain, cast, walks }, index) => `${keyText(plain, cast === 'text' && walks === undefined)} as k${index}`);
  return { order, columns: [...['id', 'res', ...more].map((name) => `${ROW}.${name}`), ...keys].join(', '), kept: new Map() };
}

export function keep({ kept }: Frame, shape: string, page: WholePage): WholePage {
  if (kept.size >= MOST_KEPT) kept.clear();
  kept.set(shape, page);
  return page;
}
