// Special parameters have rules of their own; `near` is the only one of R4, and it is not answered here.
// https://hl7.org/fhir/R4/search.html#special
import { fail, type FhirError } from '../../fhir/errors.js';
import type { Slot } from '../slots.js';
import type { ParameterRules } from './rules.js';

function refusal(slot: Slot): FhirError {
  return fail('unknown-parameter', { text: `This server does not search by ${slot.code}`, expression: slot.code });
}

export const special: ParameterRules = {
  modifiers: [],
  indexer: () => () => undefined,
  read: (slot) => {
    throw refusal(slot);
  },
  predicate: (slot) => {
    throw refusal(slot);
  },
};
