// The values of a plan that only some types can have: each is refused where a line of JavaScript could not tell the answer.
import { UnsupportedError } from './expression.js';
import { comparable, hasUnion, isPrimitive, mayRepeat, NUMBERS, ordering, type Nodes, type Value } from './plan.js';

export function equals(left: Value, right: Value): Value {
  const isPlain = isWord(left) || isWord(right) || comparable(typesOf(left), typesOf(right));
  if (!isPlain || (couldBeMany(left) && couldBeMany(right))) throw new UnsupportedError('a comparison of more than plain values');
  return { op: 'equals', left, right };
}

/** A text that no date, time or number is written like: whatever the types of the other side, === tells. */
function isWord(value: Value): boolean {
  return value.op === 'literal' && typeof value.value === 'string' && !/^[-+0-9T@]/.test(value.value);
}

export function compare(operator: '<' | '<=' | '>' | '>=', left: Value, right: Value): Value {
  const kind = ordering([...typesOf(left), ...typesOf(right)]);
  if (kind === undefined || kind === 'time' || couldBeMany(left) || couldBeMany(right)) throw new UnsupportedError('a comparison of more than numbers and dates');
  return { op: 'compare', operator, left, right, dated: kind === 'date' };
}

export function sum(left: Value, right: Value): Value {
  if (![left, right].every(({ op }) => op === 'count' || op === 'sum')) throw new UnsupportedError('a sum of more than counts');
  return { op: 'sum', left, right };
}

export function count(of: Nodes): Value {
  if (hasUnion(of)) throw new UnsupportedError('count() of a union');
  return { op: 'count', of };
}

export function isDistinct(of: Nodes): Value {
  if (hasUnion(of) || !comparable(of.types, ['string'])) throw new UnsupportedError('isDistinct() of more than plain values');
  return { op: 'distinct', of };
}

export function concat(left: Value, right: Value): Value {
  if (!isText(left) || !isText(right)) throw new UnsupportedError('& of more than texts');
  return { op: 'concat', left, right };
}

export function hasValue(of: Nodes): Value {
  if (mayRepeat(of) || !of.types.every(isPrimitive)) throw new UnsupportedError('hasValue() of more than a primitive');
  return { op: 'exists', of, valued: true };
}

export function couldBeMany(value: Value): boolean {
  return value.op === 'single' && mayRepeat(value.of);
}

export function isText(value: Value): boolean {
  return !couldBeMany(value) && typesOf(value).every((type) => isPrimitive(type) && type !== 'boolean' && !NUMBERS.has(type) && ordering([type]) === undefined);
}

export function typesOf(value: Value): readonly string[] {
  if (value.op === 'single') return value.of.types;
  if (value.op === 'count' || value.op === 'sum') return ['integer'];
  if (value.op === 'concat') return ['string'];
  if (value.op !== 'literal') return ['boolean'];
  if (value.value === null) return [];
  if (typeof value.value === 'number') return ['decimal'];
  return [typeof value.value === 'string' ? 'string' : 'boolean'];
}
