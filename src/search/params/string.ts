// String parameters: names, addresses, words; matched from the start, without case or accents. https://hl7.org/fhir/R4/search.html#string
import { unescape } from '../escape.js';
import { fold } from '../fold.js';
import type { SearchValue } from '../query.js';
import { anyOf, paramIs, sidePredicate, type PredicateScope, type SqlScope } from '../sql-scope.js';
import { badValue, isObject, type ParameterRules } from './rules.js';

/** Each part of these is a value of its own: `name` finds family, given, prefix, suffix and text. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  HumanName: ['family', 'given', 'prefix', 'suffix', 'text'],
  Address: ['text', 'line', 'city', 'district', 'state', 'postalCode', 'country'],
};

/** Sorts after every text that begins with what stands before it. */
const LAST = '\u{10ffff}';

/** The texts of one value. */
export function stringsOf(type: string, value: unknown): readonly string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  const parts = PARTS[type];
  const texts: string[] = [];
  if (!parts || !isObject(value)) return texts;
  for (const part of parts) {
    const found = value[part];
    if (Array.isArray(found)) for (const item of found) addText(item, texts);
    else addText(found, texts);
  }
  return texts;
}

function addText(value: unknown, texts: string[]): void {
  if (typeof value === 'string' && value !== '') texts.push(value);
}

/** The test of one folded text: from the start. */
export function startsWith(sql: SqlScope, column: string, folded: string): string {
  return `${column} >= ${sql.bind(folded, 'text')} and ${column} < ${sql.bind(folded + LAST, 'text')}`;
}

export function prefixPredicate(keys: readonly number[], values: readonly SearchValue[], scope: PredicateScope): string {
  return textPredicate(keys, values, scope, (side, text) => startsWith(scope.sql, `${side}.value`, fold(text)));
}

function textPredicate(
  keys: readonly number[],
  values: readonly SearchValue[],
  scope: PredicateScope,
  test: (side: string, text: string) => string,
): string {
  return sidePredicate(scope, 'string_index', (side) => {
    const tests = values.map(({ text }) => `(${test(side, unescape(text))})`);
    return `${paramIs(scope.sql, side, keys)} and ${anyOf(scope.sql, tests)}`;
  });
}

const escapeLike = (text: string): string => text.replace(/[\\%_]/g, '\\$&');

/** Modifiers that only `_filter` gives. */
const WHOLE: Readonly<Record<string, (sql: SqlScope, folded: string) => string>> = {
  equals: (sql, folded) => `= ${sql.bind(folded, 'text')}`,
  differs: (sql, folded) => `<> ${sql.bind(folded, 'text')}`,
  ends: (sql, folded) => `like ${sql.bind(`%${escapeLike(folded)}`, 'text')}`,
};

export const string: ParameterRules = {
  modifiers: ['exact', 'contains'],

  indexer({ key }, type) {
    return (rows, value) => {
      for (const text of stringsOf(type, value)) rows.string(key, fold(text), text);
    };
  },

  read(slot, _modifier, text) {
    if (unescape(text).trim() === '') throw badValue(slot, text, 'write at least one character');
    return { text };
  },

  predicate(slot, modifier, values, scope) {
    const { sql } = scope;
    const keys = slot.readers.map(({ key }) => key);
    if (modifier === 'exact') {
      return textPredicate(keys, values, scope, (side, text) => `${side}.value = ${sql.bind(fold(text), 'text')} and ${side}.raw = ${sql.bind(text, 'text')}`);
    }
    if (modifier === 'contains') {
      return textPredicate(keys, values, scope, (side, text) => `${side}.value like ${sql.bind(`%${escapeLike(fold(text))}%`, 'text')}`);
    }
    const compare = WHOLE[modifier ?? ''];
    return compare ? textPredicate(keys, values, scope, (side, text) => `${side}.value ${compare(sql, fold(text))}`) : prefixPredicate(keys, values, scope);
  },
};
