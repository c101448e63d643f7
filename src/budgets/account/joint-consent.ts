// The consents to a joint budget: they are the patient's and, together, those of all whose money is in it (domain.md 2.1 E10, ruling 56).
import { asObjects, asText } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import { fault, refuse } from '../../fhir/faults.js';
import type { Issue } from '../../fhir/issue.js';
import type { WriteContext } from '../../store/rule.js';
import { consentFault } from './consent.js';
import { referred } from '../referred.js';

const AT = 'Parameters.parameter';

/** What the consents must come to: `Patient/1` and `Organization/1`. */
export interface Consented {
  /** Logical id. */
  readonly patient: string;
  /** Those who have to be among the performers. */
  readonly parties: readonly string[];
}

/** Throws 422 for consents (`Consent/1`) that are not in force, another patient's, or not everyone's. */
export async function checkConsents(consents: readonly string[], { patient, parties }: Consented, now: number, seen: Pick<WriteContext, 'tx' | 'grant' | 'caller'>): Promise<void> {
  const given = new Set<string>();
  const faults: Issue[] = [];
  for (const reference of consents) {
    const consent = await referred(reference, ['Consent'], AT, seen);
    const text = consentFault(consent, patient, now);
    if (text !== undefined) faults.push(fault('business-rule', `${reference} ${text}`, AT));
    for (const performer of asObjects(consent['performer'])) given.add(asText(performer['reference']) ?? '');
  }
  refuse(faults);
  const missing = parties.filter((party) => !given.has(party));
  if (missing.length === 0) return;
  throw fail('business-rule', { text: `A joint budget needs the consent of the patient and of each owner: name in consent a Consent whose performer is ${missing.join(', and one whose performer is ')}`, expression: AT });
}
