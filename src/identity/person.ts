// Who signs in at the development authorization server: nobody proves anything there, so a person is what the form says.
import { ROLES, type Role } from '../fhir/caller.js';
import { isId } from '../fhir/id.js';
import { once } from './form.js';
import { OAuthError } from './oauth-error.js';

export interface Person {
  readonly role: Role;
  /** ODS code. */
  readonly organization?: string;
  readonly relatedPerson?: string;
  readonly practitionerRole?: string;
  /** A patient who signs in as themselves. */
  readonly self?: string;
}

const ODS = /^[A-Za-z0-9]{1,10}$/;

/** Throws invalid_request with words for the form. */
export function readPerson(form: URLSearchParams): Person {
  const role = ROLES.find((one) => one === once(form, 'role'));
  if (role === undefined) throw new OAuthError('invalid_request', `Choose a role: one of ${ROLES.join(', ')}`);
  const organization = once(form, 'organization');
  if (organization !== undefined && !ODS.test(organization)) throw new OAuthError('invalid_request', 'organization must be an ODS code');
  const self = role === 'patient' ? idIn(form, 'patient') : undefined;
  if (role === 'patient' && self === undefined) throw new OAuthError('invalid_request', 'Say which Patient signs in: patient is a logical id');
  const relatedPerson = idIn(form, 'related_person');
  const practitionerRole = idIn(form, 'practitioner_role');
  return {
    role,
    ...(organization !== undefined && { organization }), ...(self !== undefined && { self }),
    ...(relatedPerson !== undefined && { relatedPerson }), ...(practitionerRole !== undefined && { practitionerRole }),
  };
}

/** A logical id, or `Type/id`. */
export function idIn(form: URLSearchParams, name: string): string | undefined {
  const value = once(form, name)?.trim().replace(/^[A-Z][A-Za-z]+\//, '');
  if (value === undefined || value === '') return undefined;
  if (!isId(value)) throw new OAuthError('invalid_request', `${name} must be a logical id`);
  return value;
}

/** `Patient/1`; undefined for somebody whom no resource stands for. */
export function fhirUserOf({ self, relatedPerson, practitionerRole }: Person): string | undefined {
  if (self !== undefined) return `Patient/${self}`;
  if (practitionerRole !== undefined) return `PractitionerRole/${practitionerRole}`;
  return relatedPerson === undefined ? undefined : `RelatedPerson/${relatedPerson}`;
}

/** The same for the same person, at every client. */
export const subjectOf = (person: Person): string => fhirUserOf(person) ?? [person.role, person.organization].filter((word) => word !== undefined).join('/');
