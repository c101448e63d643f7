// What generated code calls: three-valued logic, where undefined is FHIRPath's empty collection, and references.
// https://hl7.org/fhirpath/N1/#boolean-logic
import { sameJson } from './equality.js';
import { EvaluationError } from './expression.js';
import { matches } from './guarded-regex.js';
import { refersTo } from './refers-to.js';
import { compareTemporals, parseTemporal } from './temporal.js';

type Truth = boolean | undefined;

/** Stands for a collection of several where one value is wanted: equal to nothing. */
const MANY = Symbol('many');

/** Stands for a primitive that has extensions and no value: equal to nothing. */
const NONE = Symbol('none');

function truth(value: unknown): Truth {
  if (value === undefined || value === MANY) return undefined;
  return typeof value === 'boolean' ? value : true;
}

function not(value: Truth): Truth {
  return value === undefined ? undefined : !value;
}

function and(left: Truth, right: Truth): Truth {
  if (left === false || right === false) return false;
  return left === undefined || right === undefined ? undefined : true;
}

function or(left: Truth, right: Truth): Truth {
  return not(and(not(left), not(right)));
}

function xor(left: Truth, right: Truth): Truth {
  return left === undefined || right === undefined ? undefined : left !== right;
}

function implies(left: Truth, right: Truth): Truth {
  return or(not(left), right);
}

function equals(left: unknown, right: unknown): Truth {
  return left === undefined || right === undefined ? undefined : left === right;
}

function compare(order: number | undefined, operator: '<' | '<=' | '>' | '>='): Truth {
  if (order === undefined) return undefined;
  return operator === '<' ? order < 0 : operator === '<=' ? order <= 0 : operator === '>' ? order > 0 : order >= 0;
}

function numberOrder(left: unknown, right: unknown): number | undefined {
  return typeof left === 'number' && typeof right === 'number' ? left - right : undefined;
}

/** Of date, dateTime and instant. Where both are written alike, with the same offset and fraction, the text has their order. */
function dateOrder(left: unknown, right: unknown): number | undefined {
  if (typeof left !== 'string' || typeof right !== 'string') return undefined;
  if (left.length === right.length && left.slice(19) === right.slice(19)) return left < right ? -1 : Number(left > right);
  const [a, b] = [parseTemporal(left, 'DateTime'), parseTemporal(right, 'DateTime')];
  return a && b && compareTemporals(a, b);
}

function ofTexts(run: (text: string, argument: string) => boolean): (text: unknown, argument: unknown) => Truth {
  return (text, argument) => (typeof text === 'string' && typeof argument === 'string' ? run(text, argument) : undefined);
}

function tooManySteps(): never {
  throw new EvaluationError('it takes too many steps over this resource');
}

/** `&`: what is not there is ''. */
function concat(left: unknown, right: unknown): string {
  return (typeof left === 'string' ? left : '') + (typeof right === 'string' ? right : '');
}

/** `_birthDate`: extensions that stand in for a value, or beside it. */
function isElement(sibling: unknown): boolean {
  return typeof sibling === 'object' && sibling !== null;
}

function isElementAt(siblings: unknown, place: number): boolean {
  return Array.isArray(siblings) && isElement(siblings[place]);
}

/** By the names that generated code uses. */
export const RUNTIME = {
  MANY,
  NONE,
  truth,
  not,
  and,
  or,
  xor,
  implies,
  equals,
  compare,
  numberOrder,
  dateOrder,
  startsWith: ofTexts((text, start) => text.startsWith(start)),
  endsWith: ofTexts((text, end) => text.endsWith(end)),
  includes: ofTexts((text, part) => text.includes(part)),
  matches: ofTexts((text, pattern) => matches(text, pattern, false)),
  concat,
  sameJson,
  tooManySteps,
  isElement,
  isElementAt,
  refersTo,
};
