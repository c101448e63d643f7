// Quantity parameters: a number with its unit, `5.4|http://unitsofmeasure.org|mg`. https://hl7.org/fhir/R4/search.html#quantity
import { splitEscaped, unescape } from '../escape.js';
import type { QuantityRow } from '../index-rows.js';
import type { SearchValue } from '../query.js';
import { anyOf, paramIs, sidePredicate, type SqlScope } from '../sql-scope.js';
import type { Slot } from '../slots.js';
import { tokenHasher } from '../token-hash.js';
import { decimalRange, decimalTest } from './decimal-range.js';
import { takePrefix } from './prefix.js';
import { badValue, isObject, textOf, type ParameterRules } from './rules.js';

const units = tokenHasher('unit');
const CURRENCIES = 'urn:iso:std:iso:4217';

/** A quantity as the index holds it. */
export type Measure = Pick<QuantityRow, 'value' | 'unit' | 'code' | 'display'>;

/** Quantity and its kin, Money, and both ends of a Range. */
export function measuresOf(type: string, value: unknown): readonly Measure[] {
  if (!isObject(value)) return [];
  if (type === 'Range') return [...measuresOf('Quantity', value.low), ...measuresOf('Quantity', value.high)];
  if (typeof value.value !== 'number' || !Number.isFinite(value.value)) return [];
  const currency = textOf(value.currency);
  const system = currency === undefined ? textOf(value.system) : CURRENCIES;
  const code = currency ?? textOf(value.code);
  const unit = textOf(value.unit);
  return [{
    value: String(value.value),
    unit: system === undefined || code === undefined ? 0n : units.exact(system, code),
    code: code === undefined ? 0n : units.anySystem(code),
    display: unit === undefined ? 0n : units.anySystem(unit),
  }];
}

/** The test of one value: number and, where asked for, unit. `||mg` is a code or the words of the unit. */
export function quantityTest(slot: Slot, sql: SqlScope, side: string, { text, prefix = 'eq' }: SearchValue): string {
  const [number = '', system = '', code = ''] = splitEscaped(text, '|').map(unescape);
  const range = decimalRange(number);
  if (!range) throw badValue(slot, text, 'write a decimal, and its unit as in 5.4|http://unitsofmeasure.org|mg or 5.4||mg');
  const test = decimalTest(sql, `${side}.value`, prefix, range);
  if (code === '') return test;
  if (system !== '') return `${test} and ${side}.unit = ${sql.bind(String(units.exact(system, code)), 'bigint')}`;
  const unit = sql.bind(String(units.anySystem(code)), 'bigint');
  return `${test} and (${side}.code = ${unit} or ${side}.display = ${unit})`;
}

export function readQuantity(slot: Slot, text: string): SearchValue {
  const { prefix, rest } = takePrefix(text);
  const parts = splitEscaped(rest, '|');
  if (!decimalRange(parts[0] ?? '') || (parts.length !== 1 && (parts.length !== 3 || parts[2] === ''))) {
    throw badValue(slot, text, 'write a decimal, and its unit as in 5.4|http://unitsofmeasure.org|mg or 5.4||mg');
  }
  return { text: rest, prefix };
}

export const quantity: ParameterRules = {
  modifiers: [],

  indexer({ key: param }) {
    return (rows, type, value) => {
      for (const measure of measuresOf(type, value)) rows.quantity({ param, key: 0n, ...measure });
    };
  },

  read: (slot, _modifier, text) => readQuantity(slot, text),

  predicate(slot, _modifier, values, scope) {
    return sidePredicate(scope, 'quantity_index', (side) => {
      const tests = values.map((value) => `(${quantityTest(slot, scope.sql, side, value)})`);
      return `${paramIs(scope.sql, side, slot.readers.map(({ key }) => key))} and ${side}.key = 0 and ${anyOf(scope.sql, tests)}`;
    });
  },
};
