// Who decides on a direct payment: from 16 on the patient, or a deputy or attorney where the patient lacks capacity; for a child someone with
// parental responsibility, who holds the money too (domain.md 3.9 and 6.10; SI 2013/1617, regulations 2 to 5).
import { dateRange, instantText } from '../../fhir/date-time.js';
import { asObjects, asText, codesOf, referenceId } from '../../fhir/elements.js';
import { fault } from '../../fhir/faults.js';
import type { Issue } from '../../fhir/issue.js';
import { londonDate } from '../../fhir/london.js';
import type { Resource } from '../../fhir/resource.js';
import { serverGrant } from '../../search/grant.js';
import type { WriteContext } from '../../store/rule.js';
import { BASE } from '../codes.js';
import { ageOn } from './eligibility.js';
import { monthsAfter } from '../task/review-task.js';

export const OWN_CONSENT_AGE = 16;
const NOMINEE_ROLE = `${BASE}/CodeSystem/nominee-role`;

/** Codes of nominee-role that speak for a person of this age. */
const FOR_A_CHILD: readonly string[] = ['parent', 'deputy'];
const FOR_OTHERS: readonly string[] = ['deputy', 'attorney'];

export const rolesOfPerson = (person: Resource): string[] => asObjects(person['relationship']).flatMap((one) => codesOf(one, NOMINEE_ROLE));

/** Is the patient a child under 16 for certain? Of a birthday known to the month or year, the first day counts. */
export function isUnderage(patient: Resource | undefined, now: number): boolean {
  const born = dateRange(asText(patient?.['birthDate']) ?? '');
  return born !== undefined && ageOn(londonDate(now), new Date(born.lo).toISOString().slice(0, 10)) < OWN_CONSENT_AGE;
}

/** The record as held: it is judged whoever asks. */
export async function heldPerson(type: 'Patient' | 'RelatedPerson', id: string | undefined, { tx }: Pick<WriteContext, 'tx'>): Promise<Resource | undefined> {
  const found = id === undefined ? undefined : await tx.read(serverGrant(), type, id);
  return found?.text == null ? undefined : (JSON.parse(found.text) as Resource);
}

/** Why this consent is nobody's who may give it, to follow its name; undefined where it is. One without performer is the patient's own. */
export async function consenterFault(consent: Resource, patient: Resource, context: Pick<WriteContext, 'tx' | 'now'>): Promise<string | undefined> {
  const child = isUnderage(patient, context.now);
  const performers = asObjects(consent['performer']);
  if (!child && (performers.length === 0 || performers.some((one) => referenceId(one, 'Patient') === patient.id))) return undefined;
  const speakers = child ? FOR_A_CHILD : FOR_OTHERS;
  for (const performer of performers) {
    const person = await heldPerson('RelatedPerson', referenceId(performer, 'RelatedPerson'), context);
    if (person && referenceId(person['patient'], 'Patient') === patient.id && rolesOfPerson(person).some((role) => speakers.includes(role))) return undefined;
  }
  const who = `a RelatedPerson of the patient whose relationship is ${speakers.join(' or ')} (nominee-role)`;
  return child ? `is not by someone who speaks for a child under ${OWN_CONSENT_AGE}: name as performer ${who}` : `is not the patient's own: from ${OWN_CONSENT_AGE} on the patient consents; name the patient as performer, or ${who}`;
}

/** Is the party the patient's representative as a parent alone, and so only until the patient is 16? `role` is a code of manager-role. */
export const isParentalRepresentative = (role: string | undefined, party: Resource): boolean => {
  const roles = party.resourceType === 'RelatedPerson' && role === 'representative' ? rolesOfPerson(party) : [];
  return roles.includes('parent') && !roles.some((one) => FOR_OTHERS.includes(one));
};

/** Why somebody does not represent this patient any more. */
export function representativeFaults(role: string | undefined, party: Resource, patient: Resource | undefined, now: number, expression: string): Issue[] {
  if (!isParentalRepresentative(role, party) || patient?.['birthDate'] === undefined || isUnderage(patient, now)) return [];
  return [fault('business-rule', `A parent represents a child until ${OWN_CONSENT_AGE}: the patient decides now, and may nominate the parent with role nominee`, expression)];
}

/** The last day on which a parent represents the patient; undefined where the birthday is not known to the day. */
export function lastDayAsChild(patient: Resource | undefined): string | undefined {
  const born = asText(patient?.['birthDate']) ?? '';
  return born.length === 10 ? instantText(Date.parse(monthsAfter(born, 12 * OWN_CONSENT_AGE)) - DAY_MS).slice(0, 10) : undefined;
}

const DAY_MS = 86_400_000;
