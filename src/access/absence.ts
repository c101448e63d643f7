// How a caller is told that there is nothing: as of a row that was never there, whether it was or not (domain.md ruling 21).
import type { Caller } from '../fhir/caller.js';
import { fail, type FhirError } from '../fhir/errors.js';

const BUSINESS_ERROR = 'https://fhir.entitle.example/CodeSystem/business-error';
const NO_RELATIONSHIP = { system: BUSINESS_ERROR, code: 'NO_RELATIONSHIP', display: 'No relationship' };

/** Types whose rows a care coordinator sees by a relationship with their patient. */
const BY_RELATIONSHIP: ReadonlySet<string> = new Set([
  'Patient', 'RelatedPerson', 'Account', 'Claim', 'CarePlan', 'Coverage', 'Task', 'CareTeam', 'Consent', 'Observation', 'DocumentReference', 'Binary', 'PaymentNotice', 'PaymentReconciliation',
]);

/** 404; to a care coordinator 403 NO_RELATIONSHIP, which offers to break the glass. */
export function absence({ role }: Caller, type: string, id: string): FhirError {
  if ((role !== 'care-coordinator' && role !== 'broker') || !BY_RELATIONSHIP.has(type)) return fail('not-found', { text: `There is no ${type}/${id}` });
  const offer = role === 'care-coordinator' ? '. In an emergency send the header X-Break-Glass-Reason with the reason; it is recorded and reviewed' : '';
  return fail('forbidden', { coding: NO_RELATIONSHIP, text: `There is no ${type}/${id}, or this caller has no relationship with its patient${offer}` });
}
