// What each role is shown of a resource, and which search parameters would tell what is not shown.
import type { Caller, Role } from '../fhir/caller.js';
import { NHS_NUMBER_SYSTEM } from '../fhir/nhs-number.js';
import type { View } from '../search/grant.js';
import type { Clause } from '../search/query.js';
import type { Clauses } from './clauses.js';
import { cutToLines, SHOWN_CODES } from './account-view.js';
import type { OwnOrganizations } from './own-organizations.js';
import { inTurn, masked, withoutPlaces, withoutStatus } from './patient-view.js';

export interface Sight {
  readonly view: View;
  readonly hides: (code: string, values: readonly string[] | undefined) => boolean;
}

/** The scope by which a care coordinator checks entitlement, named for the national activity code of the detail behind the banner. */
const ENTITLEMENT = 'B0259';
/** What the status is found by; the whole content holds it too. */
const STATUS_CODES: ReadonlySet<string> = new Set(['_content', 'chargeable-basic', 'chargeable-category', 'chargeable-updated']);
/** Of a masked patient only what is shown can be asked for. */
const MASKED_CODES: ReadonlySet<string> = new Set([
  '_id', '_lastUpdated', '_profile', '_security', '_source', '_tag', 'identifier', 'name', 'family', 'given', 'phonetic', 'gender', 'birthdate', 'general-practitioner', 'organization',
]);

/** A service that somebody offers is known to all; the directory that lists it is for the roles around a budget (domain.md 2.1 E8, ruling 22). */
const NO_DIRECTORY: Sight = { view: (text) => text, hides: (code) => code === 'directory' };
const WHOLE: Sight = { view: withoutPlaces, hides: () => false };
const NO_STATUS: Sight = { view: inTurn(withoutStatus, withoutPlaces), hides: (code) => STATUS_CODES.has(code) };
const MASKED: Sight = { view: inTurn(masked, withoutPlaces), hides: (code, values) => !MASKED_CODES.has(code) || (code === 'identifier' && !areNhsNumbers(values)) };

/** A masked patient shows no other identifier. */
function areNhsNumbers(values: readonly string[] = []): boolean {
  return values.every((value) => value.startsWith(`${NHS_NUMBER_SYSTEM}|`));
}

/** About where somebody is: they find no restricted patient. */
const PLACE_CODES: ReadonlySet<string> = new Set([
  '_text', '_content', 'address', 'address-city', 'address-country', 'address-postalcode', 'address-state', 'address-use', 'telecom', 'phone', 'email', 'general-practitioner', 'organization',
]);

/** Patients whose place is hidden from whoever sees them through a view. */
export function hiddenPlaces(clauses: Clauses, code: string): Clause | undefined {
  return PLACE_CODES.has(code) ? clauses.coded('Patient', '_security', 'R') : undefined;
}

const PATIENTS: Readonly<Partial<Record<Role, Sight>>> = {
  patient: NO_STATUS, 'care-coordinator': NO_STATUS, broker: NO_STATUS, 'budget-manager': NO_STATUS, practice: NO_STATUS,
  nominee: MASKED, commissioner: MASKED, ovm: WHOLE,
};

/** May this caller see who is chargeable? Roles of the status side always; a care coordinator with the scope for it. */
export function seesStatus({ role, scopes }: Caller): boolean {
  return role === 'admin' || role === 'ovm' || role === 'supplier' || (role === 'care-coordinator' && scopes.includes(ENTITLEMENT));
}

/** Undefined where the caller is shown all of a type's resources. */
export function sightOf(caller: Caller, type: string, organizations: Pick<OwnOrganizations, 'referencesOf'>): Sight | undefined {
  if (type === 'Account' && caller.role === 'third-party') return { view: (text) => cutToLines(organizations.referencesOf(caller))(text), hides: (code) => !SHOWN_CODES.has(code) };
  if (type === 'HealthcareService' && caller.role === 'ovm') return NO_DIRECTORY;
  if (type !== 'Patient') return undefined;
  return caller.role === 'care-coordinator' && seesStatus(caller) ? WHOLE : PATIENTS[caller.role];
}
