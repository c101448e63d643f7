// Has a row a value of a parameter, or none? https://hl7.org/fhir/R4/search.html#missing
import type { Slot } from './slots.js';

/** As a predicate that no index answers. */
export function presenceText(row: string, { position, presence }: Pick<Slot, 'position' | 'presence'>, present: boolean): string {
  if (presence === undefined) return `substr(${row}.present, ${position}, 1) = ${present ? "'1'" : "'0'"}`;
  return `(${row}.tokens @> '{${presence}}'::bigint[]) is ${present ? 'true' : 'not true'}`;
}
