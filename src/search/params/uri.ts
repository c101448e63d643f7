// Uri parameters: compared whole and exactly. https://hl7.org/fhir/R4/search.html#uri
import { unescape } from '../escape.js';
import type { SearchValue } from '../query.js';
import { badValue, type ParameterRules } from './rules.js';
import { tokenPredicate } from './token.js';
import type { Slot } from '../slots.js';

/** `http://a/b/c` and what stands above it: `http://a/b`, `http://a`. */
function withParents(uri: string): string[] {
  const found = [uri];
  let at = uri;
  for (let slash = at.lastIndexOf('/'); slash > 0 && !at.slice(0, slash).endsWith('/'); slash = at.lastIndexOf('/')) {
    at = at.slice(0, slash);
    found.push(at, `${at}/`);
  }
  return found;
}

export function urisOf(slot: Slot, modifier: string | undefined, values: readonly SearchValue[]): readonly bigint[] {
  const uris = values.map(({ text }) => unescape(text));
  const asked = modifier === 'above' ? uris.flatMap(withParents) : uris;
  return asked.map((text) => slot.hasher.anySystem(text));
}

export const uri: ParameterRules = {
  modifiers: ['above'],

  indexer({ hasher }) {
    return (rows, _type, value) => {
      if (typeof value === 'string' && value !== '') rows.token(hasher.anySystem(value));
    };
  },

  read(slot, _modifier, text) {
    if (text === '') throw badValue(slot, text, 'write a whole URI');
    return { text };
  },

  predicate: (slot, modifier, values, scope) => tokenPredicate(urisOf(slot, modifier, values), scope),
};
