// Number parameters: a value is matched to the precision it was written with. https://hl7.org/fhir/R4/search.html#number
import type { SearchValue } from '../query.js';
import { anyOf, paramIs, sidePredicate } from '../sql-scope.js';
import type { Slot } from '../slots.js';
import { decimalRange, decimalTest, type DecimalRange } from './decimal-range.js';
import { takePrefix } from './prefix.js';
import { badValue, isObject, type ParameterRules } from './rules.js';

function askedNumber(slot: Slot, text: string): DecimalRange {
  const range = decimalRange(text);
  if (!range) throw badValue(slot, text, 'write a decimal such as 100, 100.00 or 1e2');
  return range;
}

/** One number, or a row for each end of a Range. */
function numbersOf(value: unknown): readonly End[] {
  if (typeof value === 'number') return Number.isFinite(value) ? [{ value: String(value) }] : [];
  if (!isObject(value)) return [];
  const [low, high] = [value.low, value.high].map((end) => (isObject(end) && typeof end.value === 'number' ? String(end.value) : undefined));
  return endsOf(low, high);
}

export interface End {
  readonly value: string;
  readonly other?: string;
}

/** An end that was not written is open; without both there is no range. */
export function endsOf(low: string | undefined, high: string | undefined): readonly End[] {
  if (low === undefined && high === undefined) return [];
  const [from, to] = [low ?? '-Infinity', high ?? 'Infinity'];
  return [{ value: from, other: to }, { value: to, other: from }];
}

export const number: ParameterRules = {
  modifiers: [],

  indexer({ key: param }) {
    return (rows, value) => {
      for (const found of numbersOf(value)) rows.quantity({ param, key: 0n, ...found, unit: 0n, code: 0n, display: 0n });
    };
  },

  read(slot, _modifier, text): SearchValue {
    const { prefix, rest } = takePrefix(text);
    askedNumber(slot, rest);
    return { text: rest, prefix };
  },

  predicate(slot, _modifier, values, scope) {
    return sidePredicate(scope, 'quantity_index', (side) => {
      const { sql } = scope;
      const tests = values.map(({ text, prefix = 'eq' }) => `(${decimalTest(sql, { value: `${side}.value`, other: `${side}.other` }, prefix, askedNumber(slot, text))})`);
      return `${paramIs(sql, side, slot.readers.map(({ key }) => key))} and ${side}.key = 0 and ${anyOf(sql, tests)}`;
    });
  },
};
