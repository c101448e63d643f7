// Which patients a professional has to do with (domain.md rulings 25 and 26); all clauses are on Patient.
import type { Caller } from '../fhir/caller.js';
import type { Clause } from '../search/query.js';
import { both, either, NONE, not, type Clauses } from './clauses.js';
import { commissioners } from './organizations.js';

/** Patients with an active CareTeam in which the caller takes part, or an active CarePlan that names such a team. */
export function relationship(clauses: Clauses, { practitionerRole }: Caller): Clause {
  if (practitionerRole === undefined) return NONE;
  const team = both(clauses.names('CareTeam', 'participant', `PractitionerRole/${practitionerRole}`), clauses.coded('CareTeam', 'status', 'active'));
  const plan = both(clauses.coded('CarePlan', 'status', 'active'), clauses.to('CarePlan', 'care-team', 'CareTeam', team));
  return either(clauses.from('CareTeam', 'subject', team), clauses.from('CarePlan', 'subject', plan));
}

/** Patients of these organisations: by managingOrganization, and where that is no commissioner, by their practice; `organizations` is on Organization. */
export function belonging(clauses: Clauses, organizations: Clause): Clause {
  const managed = clauses.to('Patient', 'organization', 'Organization', organizations);
  const registered = clauses.to('Patient', 'general-practitioner', 'Organization', organizations);
  return either(managed, both(registered, not(clauses.to('Patient', 'organization', 'Organization', commissioners(clauses)))));
}

/** Patients who have an account of these. */
export const holders = (clauses: Clauses, accounts: Clause): Clause => clauses.from('Account', 'subject', accounts);
