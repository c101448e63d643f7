// Date parameters: every value is a range of time, from a year to an instant, and prefixes compare ranges.
// https://hl7.org/fhir/R4/search.html#date
import { dateRange, eventsRange, periodRange, type TimeRange } from '../../fhir/date-time.js';
import { classRows, isOfClass, reachOf, reachText, type Bounds, type Reach } from '../date-reach.js';
import type { Prefix, SearchValue } from '../query.js';
import { anyOf, gathered, paramIs, sidePredicate, type PredicateScope, type SqlScope } from '../sql-scope.js';
import type { Slot } from '../slots.js';
import { takePrefix } from './prefix.js';
import { badValue, isObject, listOf, textOf, type ParameterRules } from './rules.js';

/** The range of one value of a resource; hi exclusive, as everywhere. Undefined where it says nothing of time. */
export function rangeOf(type: string, value: unknown): TimeRange | undefined {
  if (typeof value === 'string') return dateRange(value);
  if (!isObject(value)) return undefined;
  if (type === 'Period') return boundsOf(value);
  return type === 'Timing' ? timingRange(value) : undefined;
}

function boundsOf(period: Record<string, unknown>): TimeRange | undefined {
  const start = textOf(period.start);
  const end = textOf(period.end);
  return start === undefined && end === undefined ? undefined : periodRange(start, end);
}

/** From the first event or the start of the bounds to the last event or their end. */
function timingRange({ event, repeat }: Record<string, unknown>): TimeRange | undefined {
  const events = eventsRange(listOf(event).filter((item) => typeof item === 'string'));
  const bounds = isObject(repeat) && isObject(repeat.boundsPeriod) ? boundsOf(repeat.boundsPeriod) : undefined;
  if (!events || !bounds) return events ?? bounds;
  return { lo: Math.min(events.lo, bounds.lo), hi: Math.max(events.hi, bounds.hi) };
}

/**
 * The table of prefixes as the specification words it, with hi exclusive on both sides. What is redundant bounds the
 * scan of an index that begins with lo; what bounds it from below where a range only ends late is in date-reach.ts.
 */
const TESTS: Readonly<Record<Prefix, (row: Bounds, from: () => string, to: () => string) => string>> = {
  eq: ({ lo, hi }, from, to) => `${lo} >= ${from()} and ${lo} < ${to()} and ${hi} <= ${to()}`,
  ne: ({ lo, hi }, from, to) => `(${lo} < ${from()} or ${hi} > ${to()})`,
  gt: ({ hi }, _from, to) => `${hi} > ${to()}`,
  lt: ({ lo }, from) => `${lo} < ${from()}`,
  ge: ({ lo, hi }, from, to) => `(${lo} >= ${from()} or ${hi} > ${to()})`,
  le: ({ lo, hi }, from, to) => `${lo} < ${to()} and (${lo} < ${from()} or ${hi} <= ${to()})`,
  sa: ({ lo }, _from, to) => `${lo} >= ${to()}`,
  eb: ({ lo, hi }, from) => `${hi} <= ${from()} and ${lo} < ${from()}`,
  ap: ({ lo, hi }, from, to) => `${lo} < ${to()} and ${hi} > ${from()}`,
};

/** The same of a row that is one millisecond: each test is of one column, whose index it bounds. */
const TESTS_OF_INSTANTS: Readonly<Record<Prefix, (row: string, from: () => string, to: () => string) => string>> = {
  eq: (row, from, to) => `${row} >= ${from()} and ${row} < ${to()}`,
  ne: (row, from, to) => `(${row} < ${from()} or ${row} >= ${to()})`,
  gt: (row, _from, to) => `${row} >= ${to()}`,
  lt: (row, from) => `${row} < ${from()}`,
  ge: (row, from) => `${row} >= ${from()}`,
  le: (row, _from, to) => `${row} < ${to()}`,
  sa: (row, _from, to) => `${row} >= ${to()}`,
  eb: (row, from) => `${row} < ${from()}`,
  ap: (row, from, to) => `${row} >= ${from()} and ${row} < ${to()}`,
};

/** `parts` of an approximate date are the ends of the wider range, set when the query was read. */
function askedRange(slot: Slot, { text, parts }: SearchValue): TimeRange {
  const [first, last] = parts ?? [];
  const range = dateRange(text);
  if (!range) throw badValue(slot, text, 'write a date such as 2024, 2024-05, 2024-05-31 or 2024-05-31T09:00:00Z');
  return first && last ? { lo: Number(first.text), hi: Number(last.text) } : range;
}

/** The test of one value against a row's bounds. */
export function dateTest(slot: Slot, sql: SqlScope, row: Bounds, value: SearchValue): string {
  const { lo, hi } = askedRange(slot, value);
  return TESTS[value.prefix ?? 'eq'](row, bound(sql, lo), bound(sql, hi));
}

/** What all rows that pass have in common, of which an index knows. */
export function dateReach(slot: Slot, values: readonly SearchValue[]): Reach | undefined {
  return reachOf(values.map((value) => ({ prefix: value.prefix ?? 'eq', ...askedRange(slot, value) })));
}

/** The tests of all values; of rows that are to be found by them, written so that an index finds them. */
function datesTest(slot: Slot, { sql, use }: PredicateScope, row: Bounds, values: readonly SearchValue[]): string {
  const tests = anyOf(sql, values.map((value) => `(${dateTest(slot, sql, row, value)})`));
  const reach = use === 'filter' ? undefined : dateReach(slot, values);
  return reach?.until === undefined ? tests : `${reachText(sql, row, reach)} and ${tests}`;
}

function sideTests(slot: Slot, sql: SqlScope, side: string, values: readonly SearchValue[]): string {
  const tests = values.map((value) => `(${dateTest(slot, sql, { lo: `${side}.lo`, hi: `${side}.hi` }, value)})`);
  return `${paramIs(sql, side, slot.readers.map(({ key }) => key))} and ${anyOf(sql, tests)}`;
}

/** A select that gives the first ids at once, which is all that is asked where they are only counted up to some number. */
function lastingIds(slot: Slot, { sql }: PredicateScope, values: readonly SearchValue[], { from, until }: Required<Reach>): string {
  const side = sql.alias('s');
  const row = { lo: `${side}.lo`, hi: `${side}.hi` };
  const tests = sideTests(slot, sql, side, values);
  const first = sql.bind(from, 'bigint');
  const ids = (where: string): string => `select ${side}.id from fhir.date_index ${side} where ${tests} and ${where}`;
  return `${ids(`${row.lo} >= ${first}`)} union all select l.id from ${classRows(sql.bind(until, 'bigint'))} cross join lateral (${ids(isOfClass(row, first))} offset 0) l`;
}

function instantTest(slot: Slot, sql: SqlScope, row: string, value: SearchValue): string {
  const { lo, hi } = askedRange(slot, value);
  return TESTS_OF_INSTANTS[value.prefix ?? 'eq'](row, bound(sql, lo), bound(sql, hi));
}

/** Bound at the first use, and only then: PostgreSQL refuses a value that the text does not name. */
function bound(sql: SqlScope, moment: number): () => string {
  let name: string | undefined;
  return () => (name ??= sql.bind(moment, 'bigint'));
}

/** Text of a value without its prefix, checked; how far `ap` reaches is a tenth of the time between the date and now. */
export function readDate(slot: Slot, text: string, now: number | undefined): SearchValue {
  const { prefix, rest } = takePrefix(text);
  const { lo, hi } = askedRange(slot, { text: rest });
  if (prefix !== 'ap' || now === undefined) return { text: rest, prefix };
  const reach = Math.round(Math.abs(now - lo) / 10);
  return { text: rest, prefix, parts: [{ text: String(lo - reach) }, { text: String(hi + reach) }] };
}

export const date: ParameterRules = {
  modifiers: [],

  indexer({ column, key }, type) {
    return (rows, value) => {
      const range = rangeOf(type, value);
      if (!range) return;
      if (column !== 'date') {
        rows.date(key, range.lo, range.hi);
        return;
      }
      rows.count += 1;
      rows.dateLo = range.lo;
      rows.dateHi = range.hi;
    };
  },

  read: (slot, _modifier, text, { now }) => readDate(slot, text, now),

  predicate(slot, _modifier, values, scope) {
    const { sql, row } = scope;
    if (slot.column === 'date') {
      return datesTest(slot, scope, { lo: `${row}.date_lo`, hi: `${row}.date_hi` }, values);
    }
    if (slot.column === 'updated') {
      return anyOf(sql, values.map((value) => `(${instantTest(slot, sql, `${row}.updated`, value)})`));
    }
    const reach = scope.use === 'filter' ? undefined : dateReach(slot, values);
    if (reach?.until === undefined) return sidePredicate(scope, 'date_index', (side) => sideTests(slot, sql, side, values));
    return gathered(scope, lastingIds(slot, scope, values, { from: reach.from, until: reach.until }));
  },
};
