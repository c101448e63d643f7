// Functions of numbers and quantities. https://hl7.org/fhirpath/N1/#math · https://build.fhir.org/ig/HL7/FHIRPath/#boundary-functions
import type { Decimal } from '../../fhir/decimal.js';
import { add, atScale, fromNumber, negate, toNumber, towards } from '../decimal-arithmetic.js';
import { decimalOf, isNumber } from '../equality.js';
import { EvaluationError } from '../expression.js';
import { booleanItems, decimalItems, EMPTY, integerItems, integerOf, single, systemItem, type Item, type Items } from '../item.js';
import { areComparable, type Quantity } from '../quantity.js';
import { temporalBoundary, temporalPrecision, type Temporal } from '../temporal.js';
import type { FunctionRow, FunctionTable, PlainFunction } from './plain-function.js';

const DECIMAL = 'System.Decimal';
const INTEGER = 'System.Integer';
/** Places a boundary is given to, and the most it may be asked for. */
const BOUNDARY_PLACES = 8;
const MOST_PLACES = 28;

export const MATH: FunctionTable = {
  abs: { takes: [0, 0], gives: 'input', run: (input) => mapped(input, 'abs()', (value) => (value.digits < 0n ? negate(value) : value)) },
  ceiling: { takes: [0, 0], gives: INTEGER, run: (input) => whole(input, 'ceiling()', (value) => towards(value, 0, false)) },
  floor: { takes: [0, 0], gives: INTEGER, run: (input) => whole(input, 'floor()', (value) => towards(value, 0, true)) },
  truncate: { takes: [0, 0], gives: INTEGER, run: (input) => whole(input, 'truncate()', (value) => towards(value, 0, value.digits > 0n)) },
  round: { takes: [0, 1], gives: DECIMAL, run: (input, [places = EMPTY]) => rounded(input, places) },
  exp: ofFloats('exp', 0, Math.exp),
  ln: ofFloats('ln', 0, Math.log),
  log: ofFloats('log', 1, (value, base) => Math.round((Math.log(value) / Math.log(base)) * 1e12) / 1e12),
  sqrt: ofFloats('sqrt', 0, Math.sqrt),
  power: { takes: [1, 1], run: power },
  lowBoundary: { takes: [0, 1], run: boundary(true) },
  highBoundary: { takes: [0, 1], run: boundary(false) },
  precision: { takes: [0, 0], gives: INTEGER, run: (input) => integerItems(precision(single(input, 'precision()'))) },
  comparable: { takes: [1, 1], gives: 'System.Boolean', run: (input, [other = EMPTY]) => comparable(input, other) },
};

/** Undefined where there is none. Throws EvaluationError for what is no number. */
function numberIn(items: Items, what: string): Item | undefined {
  const item = single(items, what);
  const system = item && systemItem(item);
  if (system && !isNumber(system)) throw new EvaluationError(`${what} takes a number, not ${system.type}`);
  return system;
}

/** As the same type: an Integer, a Decimal or a Quantity. */
function mapped(input: Items, what: string, change: (value: Decimal) => Decimal): Items {
  const item = single(input, what);
  const system = item && systemItem(item);
  if (system?.type === 'System.Quantity') return [changedQuantity(system.value as Quantity, change)];
  const number = numberIn(input, what);
  if (!number) return EMPTY;
  const value = change(decimalOf(number));
  return number.type === INTEGER ? integerItems(toNumber(value)) : decimalItems(value);
}

function changedQuantity(quantity: Quantity, change: (value: Decimal) => Decimal): Item {
  return { type: 'System.Quantity', value: { ...quantity, value: change(quantity.value) } };
}

function whole(input: Items, what: string, change: (value: Decimal) => Decimal): Items {
  const number = numberIn(input, what);
  return number ? integerItems(toNumber(change(decimalOf(number)))) : EMPTY;
}

function rounded(input: Items, places: Items): Items {
  const count = integerOf(places, 'round()') ?? 0;
  if (count < 0 || count > MOST_PLACES) throw new EvaluationError(`round() takes 0 to ${MOST_PLACES} places`);
  return mapped(input, 'round()', (value) => (value.scale > count ? atScale(value, count) : value));
}

function ofFloats(name: string, count: number, run: (value: number, other: number) => number): FunctionRow {
  return {
    takes: [count, count],
    gives: DECIMAL,
    run: (input, [other]) => {
      const number = numberIn(input, `${name}()`);
      const argument = numberIn(other ?? EMPTY, `${name}()`);
      if (!number || (count > 0 && !argument)) return EMPTY;
      return decimalItems(fromNumber(run(toNumber(decimalOf(number)), argument ? toNumber(decimalOf(argument)) : NaN)));
    },
  };
}

function power(input: Items, [exponent = EMPTY]: Parameters<PlainFunction>[1]): Items {
  const [base, by] = [numberIn(input, 'power()'), numberIn(exponent, 'power()')];
  if (!base || !by) return EMPTY;
  const result = toNumber(decimalOf(base)) ** toNumber(decimalOf(by));
  return base.type === INTEGER && by.type === INTEGER && Number.isInteger(result) ? integerItems(result) : decimalItems(fromNumber(result));
}

function boundary(low: boolean): PlainFunction {
  const what = low ? 'lowBoundary()' : 'highBoundary()';
  return (input, [digits = EMPTY]) => {
    const item = single(input, what);
    const system = item && systemItem(item);
    const places = integerOf(digits, what);
    if (!system) return EMPTY;
    if (system.type === 'System.Quantity') return quantityBoundary(system.value as Quantity, places, low);
    if (isNumber(system)) return decimalItems(decimalBoundary(decimalOf(system), places, low));
    if (typeof system.value !== 'object') throw new EvaluationError(`${what} takes a number, quantity, date or time, not ${system.type}`);
    const value = temporalBoundary(system.value as Temporal, low, places);
    return value ? [{ type: `System.${value.kind}`, value }] : EMPTY;
  };
}

/** Half a unit of the last place to either side, then outwards to so many places. */
function decimalBoundary(value: Decimal, places = BOUNDARY_PLACES, low: boolean): Decimal | undefined {
  if (places < 0 || places > MOST_PLACES) return undefined;
  return towards(add(value, { digits: low ? -5n : 5n, scale: value.scale + 1 }), places, low);
}

function quantityBoundary(quantity: Quantity, places: number | undefined, low: boolean): Items {
  const value = decimalBoundary(quantity.value, places, low);
  return value ? [{ type: 'System.Quantity', value: { ...quantity, value } }] : EMPTY;
}

function precision(item: Item | undefined): number | undefined {
  const system = item && systemItem(item);
  if (!system) return undefined;
  if (isNumber(system)) return Math.max(0, decimalOf(system).scale);
  if (system.type === 'System.Quantity') return Math.max(0, (system.value as Quantity).value.scale);
  if (typeof system.value !== 'object') throw new EvaluationError(`precision() takes a number, date or time, not ${system.type}`);
  return temporalPrecision(system.value as Temporal);
}

function comparable(input: Items, other: Items): Items {
  const [left, right] = [input, other].map((items) => {
    const item = single(items, 'comparable()');
    return item && systemItem(item);
  });
  if (!left || !right) return EMPTY;
  return booleanItems(left.type === 'System.Quantity' && right.type === 'System.Quantity' && areComparable(left.value as Quantity, right.value as Quantity));
}
