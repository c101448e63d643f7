// How far back the ranges begin that last until a moment: an index has them in the order of their beginnings. Nearly all are at most a day long and begin
// within a day before it; of the long ones, which have indexes of their own (migrations/0240), each class of lengths begins within its longest.
import { MIN_MS } from '../fhir/date-time.js';
import type { Prefix } from './query.js';
import type { SqlScope } from './sql-scope.js';

/** Names of a range's ends in a table; hi exclusive. */
export interface Bounds {
  readonly lo: string;
  readonly hi: string;
}

/** What criteria ask of a range's beginning, in milliseconds. */
export interface Reach {
  /** A range that passes begins then or later, unless it is a long one. */
  readonly from: number;
  /** A long one that passes ends after this; undefined where `from` holds of these too. */
  readonly until?: number;
}

/** One value that is asked for. */
export interface AskedDate {
  readonly prefix: Prefix;
  readonly lo: number;
  readonly hi: number;
}

const DAY_MS = 86_400_000;
/** Longest of the short ones. */
const SHORT_MS = DAY_MS;
/** Longest of each class of long ones, but of the last. The indexes are written with these. */
const CLASSES_MS = [32 * DAY_MS, 367 * DAY_MS, 3670 * DAY_MS];

/** Of alternatives. Undefined where one of them has no such bound. */
export function reachOf(asked: readonly AskedDate[]): Reach | undefined {
  let [from, until] = [Infinity, Infinity];
  for (const one of asked) {
    const reach = reachOfOne(one);
    if (!reach) return undefined;
    from = Math.min(from, reach.from);
    until = Math.min(until, reach.until ?? Infinity);
  }
  return until === Infinity ? { from } : { from, until };
}

function reachOfOne({ prefix, lo, hi }: AskedDate): Reach | undefined {
  switch (prefix) {
    case 'eq': return { from: lo };
    case 'sa': return { from: hi };
    case 'gt': return { from: hi - SHORT_MS + 1, until: hi };
    case 'ge': return { from: Math.min(lo, hi - SHORT_MS + 1), until: hi };
    case 'ap': return { from: lo - SHORT_MS + 1, until: lo };
    default: return undefined;
  }
}

/** As the indexes have it. */
export const isLong = ({ lo, hi }: Bounds): string => `${hi} - ${lo} > ${SHORT_MS}`;

/** The class of a long one, from 1, as the indexes have it. */
function lengthClass({ lo, hi }: Bounds): string {
  const whens = CLASSES_MS.map((most, index) => `when ${hi} - ${lo} <= ${most} then ${index + 1}`);
  return `(case ${whens.join(' ')} else ${CLASSES_MS.length + 1} end)`;
}

/** Each class of long ones and, as SQL, when those of it begin at the earliest that last until the moment of the reach. */
function classStarts(until: string): readonly { readonly number: number; readonly start: string }[] {
  return [...CLASSES_MS.map((most) => `${until} - ${most - 1}`), `${MIN_MS}::bigint`].map((start, index) => ({ number: index + 1, start }));
}

/** The same as rows `c` of class and start. */
export const classRows = (until: string): string => `(values ${classStarts(until).map(({ number, start }) => `(${number}, ${start})`).join(', ')}) c (class, start)`;

/** What holds of the long ones that begin before `from` and are in the class of `c`. */
export const isOfClass = (row: Bounds, from: string): string => `${isLong(row)} and ${lengthClass(row)} = c.class and ${row.lo} >= c.start and ${row.lo} < ${from}`;

/** A condition that all that pass satisfy, each part of which an index answers. */
export function reachText(sql: SqlScope, row: Bounds, { from, until }: Reach): string {
  const first = sql.bind(from, 'bigint');
  const short = `${row.lo} >= ${first}`;
  if (until === undefined) return short;
  const classes = classStarts(sql.bind(until, 'bigint'));
  const long = classes.map(({ number, start }) => `(${isLong(row)} and ${lengthClass(row)} = ${number} and ${row.lo} >= ${start} and ${row.lo} < ${first})`);
  return `(${[short, ...long].join(' or ')})`;
}
