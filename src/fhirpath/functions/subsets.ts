// Parts of collections and collections together. https://hl7.org/fhirpath/N1/#subsetting
import { distinct } from '../equality.js';
import { EMPTY, integerOf, single, type Item, type Items } from '../item.js';
import { setOf } from './existence.js';
import type { FunctionTable } from './plain-function.js';

const gives = 'input';

export const SUBSETS: FunctionTable = {
  first: { takes: [0, 0], gives, run: (input) => input.slice(0, 1) },
  last: { takes: [0, 0], gives, run: (input) => input.slice(-1) },
  tail: { takes: [0, 0], gives, run: (input) => input.slice(1) },
  single: { takes: [0, 0], gives, run: (input) => wrapped(single(input, 'single()')) },
  skip: { takes: [1, 1], gives, run: (input, [count]) => input.slice(Math.max(0, integerOf(count ?? EMPTY, 'skip()') ?? 0)) },
  take: { takes: [1, 1], gives, run: (input, [count]) => input.slice(0, Math.max(0, integerOf(count ?? EMPTY, 'take()') ?? 0)) },
  intersect: { takes: [1, 1], gives, run: (input, [other = EMPTY]) => intersection(input, other) },
  exclude: { takes: [1, 1], gives, run: (input, [other = EMPTY]) => difference(input, other) },
  union: { takes: [1, 1], run: (input, [other = EMPTY]) => union(input, other) },
  combine: { takes: [1, 1], run: (input, [other = EMPTY]) => [...input, ...other] },
};

/** `|`: without duplicates. */
export function union(left: Items, right: Items): Items {
  return distinct([...left, ...right]);
}

function wrapped(item: Item | undefined): Items {
  return item ? [item] : EMPTY;
}

function intersection(input: Items, other: Items): Items {
  const others = setOf(other);
  return distinct(input.filter((item) => others.has(item)));
}

function difference(input: Items, other: Items): Items {
  const others = setOf(other);
  return input.filter((item) => !others.has(item));
}
