// What a statement of the Home Office or of a further feed must hold, and what it asserts (domain.md 1.3, rulings 4, 5).
import { isDeepStrictEqual } from 'node:util';
import type { Issue } from '../../fhir/issue.js';
import type { Resource } from '../../fhir/resource.js';
import type { Assertion } from '../status/assertion.js';
import { dateFaults, decidedOn, validity, validUntilOf } from '../status/assertion-date.js';
import { decisionOf } from '../status/decision.js';
import { FEED_KEYS, HOME_OFFICE_FEED, NHS_NUMBER, SPINE_ERROR } from '../codes.js';
import { asObject, asObjects, asText, codingsOf, identifierOf } from '../../fhir/elements.js';
import { nhsNumbersOf } from '../number/nhs-numbers.js';
import { fault } from '../../fhir/faults.js';
import { isNhsNumber } from '../../fhir/nhs-number.js';
import type { Claim, StatementSource } from './statement-source.js';

/** Faults of a new statement of this source. */
export function statementFaults(statement: Resource, source: StatementSource, now: number): Issue[] {
  return [...keyFaults(statement, source), ...subjectFaults(statement), ...valueFaults(statement, source), ...dateFaults(statement, now), ...stateFaults(statement)];
}

/** What a statement without faults claims, by its source's mapping as it is now. */
export function claimOf(statement: Resource, source: StatementSource): Claim {
  const [coding] = codingsOf(statement['valueCodeableConcept']);
  const says = source.says(coding?.code ?? '');
  if (!says) throw new Error(`a statement of ${source.code} was stored without a status`);
  return { ...source.label, ...says };
}

/** What a stored statement asserts; `receivedAt` in milliseconds. */
export function assertionOf(statement: Resource, claim: Claim, receivedAt: number): Assertion {
  const decision = decidedOn(statement);
  return {
    id: statement.id ?? '',
    decidedAt: decision.at,
    decided: decision.text,
    receivedAt,
    ...claim,
    ...validity(validUntilOf(statement)),
    ...(statement['status'] === 'entered-in-error' && { withdrawn: true }),
  };
}

/** The source's name for a statement (person, status, date). */
export const statementKey = (statement: Resource, keySystem: string): string | undefined => keysOf(statement, keySystem)[0];

/** The code of the further feed whose key it carries; HO for the Home Office's. */
export function sourceNamed(statement: Resource): string | undefined {
  for (const item of asObjects(statement['identifier'])) {
    const { system } = identifierOf(item);
    if (system === HOME_OFFICE_FEED) return 'HO';
    if (system?.startsWith(FEED_KEYS)) return system.slice(FEED_KEYS.length);
  }
  return undefined;
}

/** The NHS number it is about, if it gives one that could be a person's. */
export function statementNumber(statement: Resource): string | undefined {
  const number = namedNumber(statement);
  return number !== undefined && isNhsNumber(number) ? number : undefined;
}

/** Do two statements under one key say the same: same status, same moment, same person? */
export function saysTheSame(one: Resource, other: Resource): boolean {
  return isDeepStrictEqual(gist(one), gist(other));
}

/** The members in which a withdrawal differs from what was stated, apart from its status. */
const FREE_MEMBERS = new Set(['id', 'meta', 'text', 'status']);

export function changedMembers(before: Resource, after: Resource, free: ReadonlySet<string> = FREE_MEMBERS): string[] {
  const members = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...members].filter((member) => !free.has(member) && !isDeepStrictEqual(before[member], after[member]));
}

function gist(statement: Resource): unknown {
  const effective = asText(statement['effectiveDateTime']);
  return [codingsOf(statement['valueCodeableConcept']), effective === undefined ? undefined : decisionOf(effective)?.at ?? effective, namedNumber(statement), statement['contained']];
}

function keysOf(statement: Resource, keySystem: string): string[] {
  return asObjects(statement['identifier']).flatMap((item) => {
    const { system, value } = identifierOf(item);
    return system === keySystem && value !== undefined ? [value] : [];
  });
}

function keyFaults(statement: Resource, { name, keySystem }: StatementSource): Issue[] {
  if (keysOf(statement, keySystem).length === 1) return [];
  return [fault('required', `A statement of ${name} has one key: an identifier of system ${keySystem}`, 'Observation.identifier')];
}

function stateFaults(statement: Resource): Issue[] {
  return statement['status'] === 'final' ? [] : [fault('business-rule', 'A new statement has status final; one under a known key is withdrawn with entered-in-error', 'Observation.status')];
}

/** No feed names a record here: that would tell who is known. */
function subjectFaults(statement: Resource): Issue[] {
  const expression = 'Observation.subject';
  const subject = asObject(statement['subject']);
  const reference = asText(subject?.['reference']);
  if (reference !== undefined && !containedPatient(statement))
    return [fault('business-rule', 'Name the person by NHS number (subject.identifier) or by a contained Patient, not by a record of this server', expression)];
  const number = namedNumber(statement);
  if (number === undefined && reference === undefined) return [fault('required', 'Say whom this is about: subject.identifier with the NHS number, or a contained Patient', expression)];
  if (number === undefined || isNhsNumber(number)) return [];
  const coding = { system: SPINE_ERROR, code: 'INVALID_NHS_NUMBER', display: 'Invalid NHS number' };
  return [fault('invalid', 'The NHS number is not valid: ten digits without spaces, of which the last is its check digit', `${expression}.identifier.value`, coding)];
}

function valueFaults(statement: Resource, { name, statuses, statusSystem, says }: StatementSource): Issue[] {
  const faults: Issue[] = [];
  if (statement['component'] !== undefined) faults.push(fault('business-rule', `${name} states no category and no basic status: leave component out`, 'Observation.component'));
  const expression = 'Observation.value';
  const codings = codingsOf(statement['valueCodeableConcept']);
  if (codings.length === 0) return [...faults, fault('required', `Say the status: valueCodeableConcept with a code of ${statusSystem}`, expression)];
  const [only] = codings;
  if (codings.length === 1 && only?.system === statusSystem && says(only.code ?? '')) return faults;
  const found = only?.system === statusSystem ? `: ${name} has no status "${(only.code ?? '').slice(0, 64)}"` : '';
  return [...faults, fault('code-invalid', `The status is one of ${statuses.join(', ')} of ${statusSystem}, and no category${found}`, expression)];
}

/** The number of subject.identifier, else of the contained Patient. */
function namedNumber(statement: Resource): string | undefined {
  const { system, value } = identifierOf(asObject(statement['subject'])?.['identifier']);
  if (system === NHS_NUMBER) return value ?? '';
  return nhsNumbersOf(containedPatient(statement))[0]?.value;
}

/** The person as a contained Patient. */
export function containedPatient(statement: Resource): Resource | undefined {
  const reference = asText(asObject(statement['subject'])?.['reference']);
  if (!reference?.startsWith('#')) return undefined;
  return asObjects(statement['contained']).find((item) => item['resourceType'] === 'Patient' && item['id'] === reference.slice(1)) as Resource | undefined;
}
