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

function decode(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw fail('invalid-parameter', { text: 'The query holds a % that is not followed by two hexadecimal digits of UTF-8' });
  }
}
