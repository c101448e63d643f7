// What generated code calls: three-valued logic, where undefined is FHIRPath's empty collection, and references.
// https://hl7.org/fhirpath/N1/#boolean-logic
import { refersTo } from './refers-to.js';

type Truth = boolean | undefined;

/** Stands for a collection of several where one value is wanted: equal to nothing. */
const MANY = Symbol('many');

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

/** By the names that generated code uses. */
export const RUNTIME = { MANY, truth, not, and, or, xor, implies, equals, refersTo };
