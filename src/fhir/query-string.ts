// A query string or form body as name-value pairs in order. https://hl7.org/fhir/R4/http.html#search
import { fail } from './errors.js';

/** Decoded pairs; a malformed escape is 400. An empty text gives none. */
export function queryPairs(text: string): [name: string, value: string][] {
  if (text === '') return [];
  return text.split('&').filter((piece) => piece !== '').map((piece) => {
    const equals = piece.indexOf('=');
    return equals < 0 ? [decode(piece), ''] : [decode(piece.slice(0, equals)), decode(piece.slice(equals + 1))];
  });
}

/** The pairs as a query string, without the question mark. */
export const queryText = (pairs: readonly (readonly [name: string, value: string])[]): string =>
  pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');

function decode(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw fail('invalid-parameter', { text: 'The query holds a % that is not followed by two hexadecimal digits of UTF-8' });
  }
}
