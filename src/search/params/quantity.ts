// Quantity parameters: a number with its unit, `5.4|http://unitsofmeasure.org|mg`. https://hl7.org/fhir/R4/search.html#quantity
import { splitEscaped, unescape } from '../escape.js';
import type { QuantityRow } from '../index-rows.js';
import type { SearchValue } from '../query.js';
import { anyOf, paramIs, sidePredicate, type SqlScope } from '../sql-scope.js';
import type { Slot } from '../slots.js';
import { tokenHasher } from '../token-hash.js';
import { baseUnit, UCUM, type BaseUnit } from '../ucum.js';
import { decimalRange, decimalTest, type DecimalRange } from './decimal-range.js';
import { endsOf, type End } from './number.js';
import { takePrefix } from './prefix.js';
import { badValue, isObject, textOf, type ParameterRules } from './rules.js';
import { sampledEnds } from './sampled-data.js';

const units = tokenHasher('unit');
const CURRENCIES = 'urn:iso:std:iso:4217';

/** A quantity as the index holds it. */
export type Measure = Omit<QuantityRow, 'param' | 'key'>;

/** Quantity and its kin, Money; both ends of a Range and of what a SampledData reaches. */
export function measuresOf(type: string, value: unknown): readonly Measure[] {
  if (!isObject(value)) return [];
  if (type === 'Range') {
    const [low, high] = [value.low, value.high].map((end) => (isObject(end) ? end : undefined));
    return endsOf(numberOf(low), numberOf(high)).map((end) => ({ ...end, ...unitOf(low ?? high ?? {}, end) }));
  }
  if (type === 'SampledData') return isObject(value.origin) ? sampledEnds(value).map((end) => ({ ...end, ...unitOf(value.origin as Record<string, unknown>, end) })) : [];
  const number = numberOf(value);
  return number === undefined ? [] : [{ value: number, ...unitOf(value, { value: number }) }];
}

function numberOf(quantity: Record<string, unknown> | undefined): string | undefined {
  return typeof quantity?.value === 'number' && Number.isFinite(quantity.value) ? String(quantity.value) : undefined;
}

/** What is said of the unit, and the ends in base units where it is one of UCUM. */
function unitOf(quantity: Record<string, unknown>, { value, other }: End): Omit<Measure, 'value' | 'other'> {
  const currency = textOf(quantity.currency);
  const system = currency === undefined ? textOf(quantity.system) : CURRENCIES;
  const code = currency ?? textOf(quantity.code);
  const unit = textOf(quantity.unit);
  const base = system === UCUM && code !== undefined ? baseUnit(code) : undefined;
  const canonical = base && inBase(base, value);
  const canonicalOther = base && other !== undefined ? inBase(base, other) : undefined;
  return {
    unit: system === undefined || code === undefined ? 0n : units.exact(system, code),
    code: code === undefined ? 0n : units.anySystem(code),
    display: unit === undefined ? 0n : units.anySystem(unit),
    ...(base && canonical !== undefined && { dimension: base.dimension, canonical, ...(canonicalOther !== undefined && { canonicalOther }) }),
  };
}

/** Open ends stay so. */
const inBase = (base: BaseUnit, amount: string): string | undefined => (amount.endsWith('Infinity') ? amount : base.inBase(amount));

const ADVICE = 'write a decimal, and its unit as in 5.4|http://unitsofmeasure.org|mg or 5.4||mg';

/** The test of one value: number and, where asked for, unit. `||mg` is a code or the words of the unit; a unit of UCUM is all that can be converted into it. */
export function quantityTest(slot: Slot, sql: SqlScope, side: string, { text, prefix = 'eq' }: SearchValue): string {
  const [number = '', system = '', code = ''] = splitEscaped(text, '|').map(unescape);
  const range = decimalRange(number);
  if (!range) throw badValue(slot, text, ADVICE);
  const base = system === UCUM ? baseUnit(code) : undefined;
  const converted = base && rangeInBase(base, range);
  if (base && converted) {
    const test = decimalTest(sql, { value: `${side}.canonical`, other: `${side}.canonical_other` }, prefix, converted);
    return `${side}.dimension = ${sql.bind(String(base.dimension), 'bigint')} and ${test}`;
  }
  const test = decimalTest(sql, { value: `${side}.value`, other: `${side}.other` }, prefix, range);
  if (code === '') return test;
  if (system !== '') return `${test} and ${side}.unit = ${sql.bind(String(units.exact(system, code)), 'bigint')}`;
  const unit = sql.bind(String(units.anySystem(code)), 'bigint');
  return `${test} and (${side}.code = ${unit} or ${side}.display = ${unit})`;
}

/** Undefined where a bound is beyond what can be converted. */
function rangeInBase(base: BaseUnit, { value, lo, hi, about }: DecimalRange): DecimalRange | undefined {
  const [exact, from, to, least, most] = [value, lo, hi, about.lo, about.hi].map((amount) => base.inBase(amount));
  if (exact === undefined || from === undefined || to === undefined || least === undefined || most === undefined) return undefined;
  return { value: exact, lo: from, hi: to, about: { lo: least, hi: most } };
}

export function readQuantity(slot: Slot, text: string): SearchValue {
  const { prefix, rest } = takePrefix(text);
  const parts = splitEscaped(rest, '|');
  if (!decimalRange(parts[0] ?? '') || (parts.length !== 1 && (parts.length !== 3 || parts[2] === ''))) throw badValue(slot, text, ADVICE);
  return { text: rest, prefix };
}

export const quantity: ParameterRules = {
  modifiers: [],

  indexer({ key: param }, type) {
    return (rows, value) => {
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
