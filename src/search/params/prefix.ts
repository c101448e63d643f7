// The two letters that may stand before a date, number or quantity. https://hl7.org/fhir/R4/search.html#prefix
import type { Prefix } from '../query.js';

const PREFIXED = /^(eq|ne|gt|lt|ge|le|sa|eb|ap)(?=[-+.\d])/;

/** `ge2020` -> ge and 2020; without a prefix it is eq. */
export function takePrefix(text: string): { readonly prefix: Prefix; readonly rest: string } {
  const prefix = PREFIXED.exec(text)?.[1];
  return prefix === undefined ? { prefix: 'eq', rest: text } : { prefix: prefix as Prefix, rest: text.slice(2) };
}
