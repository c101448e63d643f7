// Uri parameters: compared whole and exactly, or along their path with :above and :below. https://hl7.org/fhir/R4/search.html#uri
import { unescape } from '../escape.js';
import type { SearchValue } from '../query.js';
import type { Slot } from '../slots.js';
import type { SqlScope } from '../sql-scope.js';
import { rowsOfTexts } from './code-text.js';
import { badValue, type ParameterRules } from './rules.js';
import { tokenPredicate } from './token.js';

/** As far as a URI is compared for :below: an entry of an index must end somewhere. In UTF-16 units. */
const LONGEST = 500;
/** Sorts after every character that a URI holds. */
const LAST = '\u{10ffff}';

/** A canonical is found with and without its version: `http://a/b|1` and `http://a/b`. */
export function canonicalForms(uri: string): readonly string[] {
  const bar = uri.indexOf('|');
  return bar <= 0 ? [uri] : [uri, uri.slice(0, bar)];
}

/** `http://a/b/c` and what stands above it: `http://a/b`, `http://a`; of `http://a/b|1.2` the versions `1.2` and `1` and the URL without one. */
function withParents(uri: string): string[] {
  const [url = '', version] = uri.split('|', 2);
  if (version !== undefined) return [...version.split('.').map((_, index, numbers) => `${url}|${numbers.slice(0, index + 1).join('.')}`), url];
  const found = [uri];
  let at = uri;
  for (let slash = at.lastIndexOf('/'); slash > 0 && !at.slice(0, slash).endsWith('/'); slash = at.lastIndexOf('/')) {
    at = at.slice(0, slash);
    found.push(at, `${at}/`);
  }
  return found;
}

/** The URIs that a value names, or that stand above it. */
export function urisAsked(modifier: string | undefined, values: readonly SearchValue[]): readonly string[] {
  const uris = values.map(({ text }) => unescape(text));
  return modifier === 'above' ? [...new Set(uris.flatMap(withParents))] : uris;
}

export function urisOf(slot: Slot, modifier: string | undefined, values: readonly SearchValue[]): readonly bigint[] {
  return urisAsked(modifier, values).map((text) => slot.hasher.anySystem(text));
}

/** How a URI stands in the dictionary. One that is too long ends in the number that tells it from others with the same beginning. */
export function dictionaryText(uri: string, token: bigint): string {
  return uri.length <= LONGEST ? uri : `${uri.slice(0, LONGEST).replace(/[\ud800-\udbff]$/, '')} ${token.toString(36)}`;
}

/** Is a URI of the dictionary the one asked for, further down its path, or a version of it? `http://a/b` is not above `http://a/bc`. */
export function belowTest(sql: SqlScope, column: string, uri: string): string {
  const asked = uri.slice(0, LONGEST);
  const marks = asked.includes('|') ? ['.'] : asked.endsWith('/') ? [''] : ['/', '|', '#'];
  const beginnings = marks.map((mark) => `(${column} >= ${sql.bind(asked + mark, 'text')} and ${column} < ${sql.bind(asked + mark + LAST, 'text')})`);
  return `(${[`${column} = ${sql.bind(asked, 'text')}`, ...beginnings].join(' or ')})`;
}

export const uri: ParameterRules = {
  modifiers: ['above', 'below'],

  indexer({ hasher, key }) {
    return (rows, value) => {
      if (typeof value !== 'string' || value === '') return;
      for (const form of canonicalForms(value)) rows.token(hasher.anySystem(form));
      const token = hasher.anySystem(value);
      rows.text(key, dictionaryText(value, token), token);
    };
  },

  read(slot, _modifier, text) {
    if (text === '') throw badValue(slot, text, 'write a whole URI');
    return { text };
  },

  predicate(slot, modifier, values, scope) {
    if (modifier !== 'below') return tokenPredicate(urisOf(slot, modifier, values), scope);
    return rowsOfTexts(slot, scope, (column) => values.map(({ text }) => belowTest(scope.sql, column, unescape(text))));
  },
};
