// Composite parameters: values that stand together, `8480-6$gt130`. https://hl7.org/fhir/R4/search.html#composite
import { splitEscaped, unescape } from '../escape.js';
import { fold } from '../fold.js';
import { fail } from '../../fhir/errors.js';
import type { SearchValue } from '../query.js';
import { anyOf, paramIs, sidePredicate, type PredicateScope } from '../sql-scope.js';
import type { RowCollector } from '../row-collector.js';
import type { Part, Slot } from '../slots.js';
import { referenceHash, tokenHasher } from '../token-hash.js';
import { dateTest, rangeOf, readDate } from './date.js';
import { decimalRange, decimalTest } from './decimal-range.js';
import { number } from './number.js';
import { measuresOf, quantityTest, readQuantity } from './quantity.js';
import { askedTargets, reference, targetsOf } from './reference.js';
import { badValue, type ParameterRules, type ReadContext } from './rules.js';
import { startsWith, stringsOf } from './string.js';
import { codesOf, token, tokenPredicate, type Coded } from './token.js';

/** `1$123$345`: a token and two numbers, of which the row has the first as its value and the second as what it is in base units. */
interface Triple {
  readonly key: bigint;
  readonly numbers: readonly SearchValue[];
}

/** One value of a component in a resource. */
export interface Found {
  readonly type: string;
  readonly value: unknown;
}

type SecondKind = 'token' | 'quantity' | 'date' | 'string' | 'reference';

interface PairRules {
  index(rows: RowCollector, slot: Slot, key: bigint, found: Found): void;
  read(part: Slot, text: string, context: ReadContext): SearchValue;
  /** Rows that have the pair of `key` and one value. */
  predicate(slot: Slot, pairs: readonly Pair[], scope: PredicateScope): string;
}

interface Pair {
  readonly key: bigint;
  readonly value: SearchValue;
}

/** Keys are the same for all parameters, so that `combo-code-value-quantity` can read the rows of two others. */
const keys = tokenHasher('composite');

/** The first component as the key of the pair: by its code alone, and with its system or the lack of one. */
function keysOf({ system, code }: Coded): readonly bigint[] {
  return [keys.anySystem(code), system === undefined ? keys.noSystem(code) : keys.exact(system, code)];
}

/** A key that a query asks for. */
function keyAsked(slot: Slot, text: string): bigint {
  const [first = '', second] = splitEscaped(text, '|').map(unescape);
  if (second === undefined) return keys.anySystem(first);
  if (second === '') throw badValue(slot, text, 'in a composite write code, system|code or |code');
  return first === '' ? keys.noSystem(second) : keys.exact(first, second);
}

/** A token for every pair of forms. */
const tokens = (slot: Slot, key: bigint, others: readonly bigint[]): readonly bigint[] => others.map((other) => slot.hasher.pair(key, other));

/** Strings begin with their key, so that one index finds the pair. */
const keyed = (key: bigint, text: string): string => `${BigInt.asUintN(64, key).toString(36).padStart(13, '0')} ${text}`;

const PAIRS: Readonly<Record<SecondKind, PairRules>> = {
  token: {
    index(rows, slot, key, { type, value }) {
      for (const coded of codesOf(type, value)) for (const pair of tokens(slot, key, keysOf(coded))) rows.token(pair);
    },
    read(part, text, context) {
      keyAsked(part, text);
      return token.read(part, undefined, text, context);
    },
    predicate: (slot, pairs, scope) => tokenPredicate(slot.readers.flatMap((reader) => pairs.map(({ key, value }) => reader.hasher.pair(key, keyAsked(reader, value.text)))), scope),
  },
  reference: {
    index(rows, slot, key, { type, value }) {
      for (const pair of tokens(slot, key, targetsOf(type, value).map(referenceHash))) rows.token(pair);
    },
    read: (part, text, context) => reference.read(part, undefined, text, context),
    predicate: (slot, pairs, scope) => tokenPredicate(
      pairs.flatMap(({ key, value }) => askedTargets(slot, undefined, [value]).map((target) => slot.hasher.pair(key, referenceHash(target)))), scope,
    ),
  },
  quantity: {
    index(rows, slot, key, { type, value }) {
      for (const measure of measuresOf(type, value)) rows.quantity({ param: slot.key, key, ...measure });
    },
    read: (part, text) => readQuantity(part, text),
    predicate: (slot, pairs, scope) => keyedQuantities(slot, pairs, scope, (side, value) => quantityTest(slot, scope.sql, side, value)),
  },
  // The bounds of the date lie in the columns value and unit: date_index has no key.
  date: {
    index(rows, slot, key, { type, value }) {
      const range = rangeOf(type, value);
      if (range) rows.quantity({ param: slot.key, key, value: String(range.lo), unit: BigInt(range.hi), code: 0n, display: 0n });
    },
    read: (part, text, { now }) => readDate(part, text, now),
    predicate: (slot, pairs, scope) => keyedQuantities(slot, pairs, scope, (side, value) => (
      dateTest(slot, scope.sql, { lo: `${side}.value`, hi: `${side}.unit` }, value)
    )),
  },
  string: {
    index(rows, slot, key, { type, value }) {
      for (const text of stringsOf(type, value)) rows.string(slot.key, keyed(key, fold(text)), `${key} ${text}`);
    },
    read: (_part, text) => ({ text }),
    predicate: (slot, pairs, scope) => sidePredicate(scope, 'string_index', (side) => {
      const tests = pairs.map(({ key, value }) => `(${startsWith(scope.sql, `${side}.value`, keyed(key, fold(unescape(value.text))))})`);
      return `${paramIs(scope.sql, side, [slot.key])} and ${anyOf(scope.sql, tests)}`;
    }),
  },
};

function keyedQuantities(
  slot: Slot,
  pairs: readonly Pair[],
  scope: PredicateScope,
  test: (side: string, value: SearchValue) => string,
): string {
  return sidePredicate(scope, 'quantity_index', (side) => {
    const tests = pairs.map(({ key, value }) => `(${side}.key = ${scope.sql.bind(String(key), 'bigint')} and ${test(side, value)})`);
    return `${paramIs(scope.sql, side, slot.readers.map((reader) => reader.key))} and ${anyOf(scope.sql, tests)}`;
  });
}

function secondRules(part: Part): PairRules {
  return PAIRS[part.slot.parameter.type as SecondKind];
}

function partsOf(slot: Slot): readonly [Part, Part] {
  const [first, second] = slot.parts ?? [];
  if (!first || !second) throw fail('unknown-parameter', { text: `The composite parameter ${slot.code} is not indexed here: search by its parts`, expression: slot.code });
  return [first, second];
}

/** Adds the rows of values that stand together: of a pair, or of a token and two numbers. */
export function indexTogether(slot: Slot, rows: RowCollector, [first, second, third]: readonly Found[]): void {
  if (first && second && third) indexTriple(slot, rows, first, second.value, third.value);
  else if (first && second) indexPair(slot, rows, first, second);
}

function indexTriple(slot: Slot, rows: RowCollector, first: Found, second: unknown, third: unknown): void {
  if (typeof second !== 'number' || typeof third !== 'number') return;
  for (const coded of codesOf(first.type, first.value)) {
    for (const key of keysOf(coded)) rows.quantity({ param: slot.key, key, value: String(second), canonical: String(third), unit: 0n, code: 0n, display: 0n });
  }
}

function triplesPredicate(slot: Slot, triples: readonly Triple[], scope: PredicateScope): string {
  const { sql } = scope;
  const test = (side: string, column: string, { text, prefix = 'eq' }: SearchValue): string => {
    const range = decimalRange(text);
    if (!range) throw badValue(slot, text, 'write a decimal such as 100');
    return decimalTest(sql, { value: `${side}.${column}`, other: `${side}.other` }, prefix, range);
  };
  return sidePredicate(scope, 'quantity_index', (side) => {
    const tests = triples.map(({ key, numbers: [start, end] }) => (
      `(${side}.key = ${sql.bind(String(key), 'bigint')} and ${test(side, 'value', start ?? { text: '' })} and ${test(side, 'canonical', end ?? { text: '' })})`
    ));
    return `${paramIs(sql, side, slot.readers.map((reader) => reader.key))} and ${anyOf(sql, tests)}`;
  });
}

function indexPair(slot: Slot, rows: RowCollector, first: Found, second: Found): void {
  const [, part] = partsOf(slot);
  for (const coded of codesOf(first.type, first.value)) {
    for (const key of keysOf(coded)) secondRules(part).index(rows, slot, key, second);
  }
}

export const composite: ParameterRules = {
  modifiers: [],

  // The extractor evaluates the components and calls indexTogether.
  indexer: () => () => undefined,

  read(slot, _modifier, text, context) {
    const [first, second] = partsOf(slot);
    const parts = slot.parts ?? [];
    const codes = parts.map((part) => part.slot.code);
    const pieces = splitEscaped(text, '$');
    if (pieces.length !== parts.length || pieces.includes('')) throw badValue(slot, text, `write ${(slot.turned ? codes.reverse() : codes).join('$')}, with a $ between the values`);
    const [left = '', ...others] = slot.turned ? pieces.reverse() : pieces;
    keyAsked(first.slot, left);
    if (parts.length > 2) return { text, parts: [{ text: left }, ...others.map((piece, index) => number.read(parts[index + 1]?.slot ?? slot, undefined, piece, context))] };
    return { text, parts: [{ text: left }, secondRules(second).read(second.slot, others[0] ?? '', context)] };
  },

  predicate(slot, _modifier, values, scope) {
    const [first, second] = partsOf(slot);
    if (slot.parts?.length === 3) {
      return triplesPredicate(slot, values.map(({ parts: [token, ...numbers] = [] }) => ({ key: keyAsked(first.slot, token?.text ?? ''), numbers })), scope);
    }
    const pairs = values.map(({ parts = [] }) => ({ key: keyAsked(first.slot, parts[0]?.text ?? ''), value: parts[1] ?? { text: '' } }));
    return secondRules(second).predicate(slot, pairs, scope);
  },
};
