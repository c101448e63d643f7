// Is there something, how many, are all true? https://hl7.org/fhirpath/N1/#existence
import { distinct, Seen } from '../equality.js';
import { EvaluationError } from '../expression.js';
import { booleanItems, EMPTY, integerItems, isSystem, truthOf, type Item, type Items } from '../item.js';
import { isPrimitive } from '../plan.js';
import type { FunctionTable } from './plain-function.js';

const gives = 'System.Boolean';

export const EXISTENCE: FunctionTable = {
  empty: { takes: [0, 0], gives, run: (input) => booleanItems(input.length === 0) },
  not: { takes: [0, 0], gives, run: (input) => booleanItems(negated(truthOf(input, 'not()'))) },
  allTrue: { takes: [0, 0], gives, run: (input) => booleanItems(input.every((item) => booleanOf(item))) },
  anyTrue: { takes: [0, 0], gives, run: (input) => booleanItems(input.some((item) => booleanOf(item))) },
  allFalse: { takes: [0, 0], gives, run: (input) => booleanItems(!input.some((item) => booleanOf(item))) },
  anyFalse: { takes: [0, 0], gives, run: (input) => booleanItems(!input.every((item) => booleanOf(item))) },
  count: { takes: [0, 0], gives: 'System.Integer', run: (input) => integerItems(input.length) },
  distinct: { takes: [0, 0], gives: 'input', run: distinct },
  isDistinct: { takes: [0, 0], gives, run: (input) => booleanItems(distinct(input).length === input.length) },
  subsetOf: { takes: [1, 1], gives, run: (input, [other = EMPTY]) => booleanItems(isWithin(input, other)) },
  supersetOf: { takes: [1, 1], gives, run: (input, [other = EMPTY]) => booleanItems(isWithin(other, input)) },
  hasValue: { takes: [0, 0], gives, run: (input) => booleanItems(input.length === 1 && hasValue(input[0] as Item)) },
  getValue: { takes: [0, 0], gives: 'input', run: (input) => (input.length === 1 && hasValue(input[0] as Item) ? input : EMPTY) },
};

export function negated(value: boolean | undefined): boolean | undefined {
  return value === undefined ? undefined : !value;
}

function booleanOf({ type, value }: Item): boolean {
  if (typeof value !== 'boolean') throw new EvaluationError(`a boolean is wanted, not ${type}`);
  return value;
}

function hasValue(item: Item): boolean {
  return item.value !== undefined && (isSystem(item) || isPrimitive(item.type));
}

function isWithin(items: Items, others: Items): boolean {
  const seen = setOf(others);
  return items.every((item) => seen.has(item));
}

export function setOf(items: Items): Seen {
  const seen = new Seen();
  for (const item of items) seen.add(item);
  return seen;
}
