// Is a Consent to something on a budget in force, and the patient's? https://hl7.org/fhir/R4/consent.html
import { periodRange } from '../../fhir/date-time.js';
import { asObject, asText, referenceId } from '../../fhir/elements.js';
import type { Resource } from '../../fhir/resource.js';

/** What is wrong with it, to follow its name; undefined where nothing is. `patient` is a logical id, `now` in milliseconds. */
export function consentFault(consent: Resource, patient: string | undefined, now: number): string | undefined {
  if (referenceId(consent['patient'], 'Patient') !== patient) return 'is another patient\'s';
  if (consent['status'] !== 'active') return `is ${asText(consent['status'])}: a consent must be active`;
  const provision = asObject(consent['provision']);
  if (provision?.['type'] === 'deny') return 'refuses (provision.type deny)';
  const period = asObject(provision?.['period']);
  const range = period && periodRange(asText(period['start']), asText(period['end']), 'Europe/London');
  return range && (now < range.lo || now >= range.hi) ? 'is not in force at this moment (provision.period)' : undefined;
}
