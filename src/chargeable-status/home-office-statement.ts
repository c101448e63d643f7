// What a Home Office statement must hold, and what it asserts (domain.md 1.3, ruling 5).
import { isDeepStrictEqual } from 'node:util';
import type { Issue } from '../fhir/issue.js';
import type { Resource } from '../fhir/resource.js';
import type { Assertion } from './assertion.js';
import { dateFaults, decidedOn, validity, validUntilOf } from './assertion-date.js';
import { HOME_OFFICE_STATUSES, isHomeOfficeStatus } from './category.js';
import { HO_STATUS, HOME_OFFICE_FEED, NHS_NUMBER, SPINE_ERROR } from './codes.js';
import { asObject, asObjects, asText, codesOf, codingsOf, identifierOf } from '../fhir/elements.js';
import { nhsNumbersOf } from './nhs-numbers.js';
import { fault } from '../fhir/faults.js';
import { isNhsNumber } from '../fhir/nhs-number.js';

/** Faults of a new statement. */
export function homeOfficeFaults(statement: Resource, now: number): Issue[] {
  return [...keyFaults(statement), ...subjectFaults(statement), ...valueFaults(statement), ...dateFaults(statement, now), ...stateFaults(statement)];
}

/** What a stored statement asserts; `receivedAt` in milliseconds. */
export function homeOfficeAssertion(statement: Resource, receivedAt: number): Assertion {
  const [status] = codesOf(statement['valueCodeableConcept'], HO_STATUS);
  if (!isHomeOfficeStatus(status)) throw new Error('a Home Office statement was stored without a status');
  const decision = decidedOn(statement);
  return {
    id: statement.id ?? '',
    source: 'HO',
    decidedAt: decision.at,
    decided: decision.text,
    receivedAt,
    ...HOME_OFFICE_STATUSES[status],
    ...validity(validUntilOf(statement)),
    ...(statement['status'] === 'entered-in-error' && { withdrawn: true }),
  };
}

/** The feed's name for a statement (person, status, date). */
export const statementKey = (statement: Resource): string | undefined => keysOf(statement)[0];

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
  return [codesOf(statement['valueCodeableConcept'], HO_STATUS), effective === undefined ? undefined : decidedOn(statement).at, namedNumber(statement), statement['contained']];
}

function keysOf(statement: Resource): string[] {
  return asObjects(statement['identifier']).flatMap((item) => {
    const { system, value } = identifierOf(item);
    return system === HOME_OFFICE_FEED && value !== undefined ? [value] : [];
  });
}

function keyFaults(statement: Resource): Issue[] {
  if (keysOf(statement).length === 1) return [];
  return [fault('required', `A Home Office statement has one key: an identifier of system ${HOME_OFFICE_FEED}`, 'Observation.identifier')];
}

function stateFaults(statement: Resource): Issue[] {
  return statement['status'] === 'final' ? [] : [fault('business-rule', 'A new statement has status final; one under a known key is withdrawn with entered-in-error', 'Observation.status')];
}

/** Neither the Home Office nor anyone else names a record here: that would tell who is known. */
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

function valueFaults(statement: Resource): Issue[] {
  const faults: Issue[] = [];
  if (statement['component'] !== undefined) faults.push(fault('business-rule', 'The Home Office states no category and no basic status: leave component out', 'Observation.component'));
  const expression = 'Observation.value';
  const codings = codingsOf(statement['valueCodeableConcept']);
  if (codings.length === 0) return [...faults, fault('required', `Say the status: valueCodeableConcept with a code of ${HO_STATUS}`, expression)];
  const [only] = codings;
  if (codings.length === 1 && only?.system === HO_STATUS && isHomeOfficeStatus(only.code)) return faults;
  return [...faults, fault('code-invalid', `The status is one of ${Object.keys(HOME_OFFICE_STATUSES).join(', ')} of ${HO_STATUS}, and no category`, expression)];
}

/** The number of subject.identifier, else of the contained Patient. */
function namedNumber(statement: Resource): string | undefined {
  const { system, value } = identifierOf(asObject(statement['subject'])?.['identifier']);
  if (system === NHS_NUMBER) return value ?? '';
  return nhsNumbersOf(containedPatient(statement))[0]?.value;
}

function containedPatient(statement: Resource): Resource | undefined {
  const reference = asText(asObject(statement['subject'])?.['reference']);
  if (!reference?.startsWith('#')) return undefined;
  return asObjects(statement['contained']).find((item) => item['resourceType'] === 'Patient' && item['id'] === reference.slice(1)) as Resource | undefined;
}
