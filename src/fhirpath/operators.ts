// The operators of FHIRPath over collections. https://hl7.org/fhirpath/N1/#operations
import { decimalText, type Decimal } from '../fhir/decimal.js';
import { add, divide, multiply, negate, remainder, toNumber, wholeQuotient } from './decimal-arithmetic.js';
import { areAlike, areEqual, compareItems, decimalOf, isNumber, Seen } from './equality.js';
import { EvaluationError, UnsupportedError } from './expression.js';
import { negated } from './functions/existence.js';
import { booleanItems, decimalItems, EMPTY, integerItems, single, stringItems, systemItem, textOf, truthOf, type Item, type Items } from './item.js';
import { calendarUnit, timeUnit, type Quantity } from './quantity.js';
import { addTo, type Temporal } from './temporal.js';

export type Operator = (left: Items, right: Items) => Items;

const OPERATORS: Readonly<Record<string, Operator>> = {
  '=': (left, right) => booleanItems(areEqual(left, right)),
  '!=': (left, right) => booleanItems(negated(areEqual(left, right))),
  '~': (left, right) => booleanItems(areAlike(left, right)),
  '!~': (left, right) => booleanItems(!areAlike(left, right)),
  '<': (left, right) => compared(left, right, (order) => order < 0),
  '<=': (left, right) => compared(left, right, (order) => order <= 0),
  '>': (left, right) => compared(left, right, (order) => order > 0),
  '>=': (left, right) => compared(left, right, (order) => order >= 0),
  in: contained,
  contains: (left, right) => contained(right, left),
  xor: (left, right) => booleanItems(xor(truthOf(left, 'xor'), truthOf(right, 'xor'))),
  '&': (left, right) => stringItems((textOf(left, '&') ?? '') + (textOf(right, '&') ?? '')),
  '+': (left, right) => calculated(left, right, '+'),
  '-': (left, right) => calculated(left, right, '-'),
  '*': (left, right) => calculated(left, right, '*'),
  '/': (left, right) => calculated(left, right, '/'),
  div: (left, right) => calculated(left, right, 'div'),
  mod: (left, right) => calculated(left, right, 'mod'),
};

const BOOLEANS: ReadonlySet<string> = new Set(['=', '!=', '~', '!~', '<', '<=', '>', '>=', 'in', 'contains', 'and', 'or', 'xor', 'implies']);

/** Throws UnsupportedError for one that is unknown; `and`, `or`, `implies` and `|` look at their right side only where they must. */
export function operatorCalled(name: string): Operator {
  const operator = OPERATORS[name];
  if (!operator) throw new UnsupportedError(`the operator ${name}`);
  return operator;
}

/** The type of the result; undefined where the operands tell. */
export function typeOfOperator(name: string): string | undefined {
  return BOOLEANS.has(name) ? 'System.Boolean' : name === '&' ? 'System.String' : undefined;
}

function compared(left: Items, right: Items, test: (order: number) => boolean): Items {
  const [a, b] = [single(left, 'a comparison'), single(right, 'a comparison')];
  if (!a || !b || !systemItemOrNone(a) || !systemItemOrNone(b)) return EMPTY;
  const order = compareItems(a, b);
  return order === undefined ? EMPTY : booleanItems(test(order));
}

/** A primitive without a value, or a Quantity without a number, has nothing to compare; other elements are refused later. */
function systemItemOrNone(item: Item): boolean {
  if (systemItem(item)) return true;
  return item.value !== undefined && item.type !== 'Quantity';
}

function contained(left: Items, right: Items): Items {
  const item = single(left, 'in');
  if (!item) return EMPTY;
  const seen = new Seen();
  for (const other of right) seen.add(other);
  return booleanItems(seen.has(item));
}

function xor(left: boolean | undefined, right: boolean | undefined): boolean | undefined {
  return left === undefined || right === undefined ? undefined : left !== right;
}

type Sign = '+' | '-' | '*' | '/' | 'div' | 'mod';

function calculated(left: Items, right: Items, sign: Sign): Items {
  const [a, b] = [operand(left, sign), operand(right, sign)];
  if (!a || !b) return EMPTY;
  if (isNumber(a) && isNumber(b)) return a.type === b.type && a.type === 'System.Integer' ? ofIntegers(a.value as number, b.value as number, sign) : ofDecimals(decimalOf(a), decimalOf(b), sign);
  if (sign === '+' && typeof a.value === 'string' && typeof b.value === 'string') return stringItems(a.value + b.value);
  if (a.type === 'System.Quantity' && b.type === 'System.Quantity') return ofQuantities(a.value as Quantity, b.value as Quantity, sign);
  if (b.type === 'System.Quantity' && (sign === '+' || sign === '-')) return moved(a, b.value as Quantity, sign);
  throw new EvaluationError(`${a.type} ${sign} ${b.type} makes no sense`);
}

function operand(items: Items, sign: Sign): Item | undefined {
  const item = single(items, sign);
  return item && systemItem(item);
}

function ofIntegers(a: number, b: number, sign: Sign): Items {
  switch (sign) {
    case '+':
      return integerItems(a + b);
    case '-':
      return integerItems(a - b);
    case '*':
      return integerItems(a * b);
    case 'div':
      return b === 0 ? EMPTY : integerItems(Math.trunc(a / b));
    case 'mod':
      return b === 0 ? EMPTY : integerItems(a % b);
    case '/':
      return ofDecimals({ digits: BigInt(a), scale: 0 }, { digits: BigInt(b), scale: 0 }, sign);
  }
}

function ofDecimals(a: Decimal, b: Decimal, sign: Sign): Items {
  if (sign === 'div') {
    const whole = wholeQuotient(a, b);
    return integerItems(whole === undefined ? undefined : Number(whole));
  }
  return decimalItems(decimalResult(a, b, sign));
}

function decimalResult(a: Decimal, b: Decimal, sign: Exclude<Sign, 'div'>): Decimal | undefined {
  switch (sign) {
    case '+':
      return add(a, b);
    case '-':
      return add(a, negate(b));
    case '*':
      return multiply(a, b);
    case '/':
      return divide(a, b);
    case 'mod':
      return remainder(a, b);
  }
}

/** Sums of the same unit alone; products have the product of the units. */
function ofQuantities(a: Quantity, b: Quantity, sign: Sign): Items {
  if (sign === 'div' || sign === 'mod') throw new EvaluationError(`quantities have no ${sign}`);
  const value = decimalResult(a.value, b.value, sign);
  if (!value) return EMPTY;
  if (sign === '*' || sign === '/') return [{ type: 'System.Quantity', value: { value, unit: a.unit === '1' && sign === '*' ? b.unit : `(${a.unit})${sign === '*' ? '.' : '/'}(${b.unit})`, calendar: false } }];
  return a.unit === b.unit && a.calendar === b.calendar ? [{ type: 'System.Quantity', value: { ...a, value } }] : EMPTY;
}

function moved(item: Item, quantity: Quantity, sign: '+' | '-'): Items {
  const unit = timeUnit(quantity) ?? calendarUnit(quantity.unit);
  if (typeof item.value !== 'object') throw new EvaluationError(`${item.type} ${sign} ${decimalText(quantity.value)} makes no sense`);
  if (unit === undefined) throw new EvaluationError(`a date can not be moved by ${quantity.unit}`);
  const amount = toNumber(quantity.value);
  return [{ type: item.type, value: addTo(item.value as Temporal, sign === '-' ? -amount : amount, unit) }];
}

/** `-x`. Throws EvaluationError for what is neither number nor quantity. */
export function negatedItems(items: Items): Items {
  const item = operand(items, '-');
  if (!item) return EMPTY;
  if (item.type === 'System.Quantity') return [{ type: item.type, value: { ...(item.value as Quantity), value: negate((item.value as Quantity).value) } }];
  if (!isNumber(item)) throw new EvaluationError(`- of a ${item.type} makes no sense`);
  return typeof item.value === 'number' ? integerItems(-item.value) : decimalItems(negate(item.value as Decimal));
}
