// Who sees which rows: one function per role of the matrix whose rows depend on the caller (domain.md section 4 and its rulings).
import type { Caller } from '../fhir/caller.js';
import type { Clause } from '../search/query.js';
import { criteria, decided, decisions, directories, documents, funding, owned, ownedClaims, payments, readable, reviews, type Seen } from './budget-rows.js';
import { ALL, both, either, NONE, not, type Clauses } from './clauses.js';
import { commissioners, ownOrganization, ownTree } from './organizations.js';
import { belonging, holders, relationship } from './relationship.js';

export type AudienceName = 'patient' | 'nominee' | 'professional' | 'manager' | 'commissioner' | 'provider' | 'third-party' | 'practice';

/** `now` in milliseconds: a nomination has a period. */
export type Audience = (clauses: Clauses, caller: Caller, now: number) => Seen;

const reference = (type: string, id: string | undefined): readonly string[] => (id === undefined ? [] : [`${type}/${id}`]);

/** The patient's own compartment, and what belongs to it without being in it. */
function patient(clauses: Clauses, caller: Caller): Seen {
  const me = reference('Patient', caller.patient);
  const mine = (type: string): Clause => clauses.names(type, 'patient', ...me);
  const accounts = mine('Account');
  const claims = both(mine('Claim'), clauses.has('Claim', 'budget'));
  return {
    Patient: clauses.ids(...(caller.patient === undefined ? [] : [caller.patient])),
    RelatedPerson: mine('RelatedPerson'),
    Account: accounts,
    Claim: claims,
    CarePlan: mine('CarePlan'),
    Coverage: both(mine('Coverage'), funding(clauses)),
    Task: both(mine('Task'), reviews(clauses)),
    Consent: mine('Consent'),
    AuditEvent: mine('AuditEvent'),
    List: directories(clauses),
    ...documents(clauses, claims, me),
    ...payments(clauses, claims, accounts),
  };
}

/** Only the accounts on which the nominee is approved at this moment, and what hangs on those. */
function nominee(clauses: Clauses, caller: Caller, now: number): Seen {
  const me = reference('RelatedPerson', caller.relatedPerson);
  const accounts = me.length === 0 ? NONE : clauses.at('Account', 'approved-manager', me.join(''), now);
  const claims = clauses.to('Claim', 'budget', 'Account', accounts);
  return {
    Patient: holders(clauses, accounts),
    RelatedPerson: clauses.ids(...(caller.relatedPerson === undefined ? [] : [caller.relatedPerson])),
    Account: accounts,
    Claim: claims,
    CarePlan: clauses.from('Account', 'careplan', accounts),
    List: directories(clauses),
    ...documents(clauses, claims, me),
    ...payments(clauses, claims, accounts),
  };
}

/** All that a professional sees of these patients. `accounts` and `claims` are on their types; a manager's go beyond the patients. */
function aroundPatients(clauses: Clauses, caller: Caller, patients: Clause, accounts: Clause, claims: Clause): Seen {
  const theirs = (type: string): Clause => clauses.to(type, 'patient', 'Patient', patients);
  return {
    Patient: patients,
    RelatedPerson: theirs('RelatedPerson'),
    Account: accounts,
    Claim: claims,
    CarePlan: theirs('CarePlan'),
    Coverage: both(theirs('Coverage'), funding(clauses)),
    Task: theirs('Task'),
    CareTeam: theirs('CareTeam'),
    Consent: theirs('Consent'),
    Observation: both(theirs('Observation'), decisions(clauses)),
    Group: criteria(clauses),
    List: directories(clauses),
    // A token that names no person speaks for its organisation.
    ...documents(clauses, claims, reference('PractitionerRole', caller.practitionerRole), caller.practitionerRole === undefined ? ownOrganization(clauses, caller) : NONE),
    ...payments(clauses, claims, accounts),
  };
}

/** Patients with whom there is a relationship. */
function professional(clauses: Clauses, caller: Caller): Seen {
  return aroundRelationship(clauses, caller, relationship(clauses, caller));
}

/** The rows of a professional who has a relationship with `patients`: with all of them, once the glass is broken. */
export function aroundRelationship(clauses: Clauses, caller: Caller, patients: Clause): Seen {
  const claims = both(clauses.to('Claim', 'patient', 'Patient', patients), clauses.has('Claim', 'budget'));
  return aroundPatients(clauses, caller, patients, clauses.to('Account', 'patient', 'Patient', patients), claims);
}

/** A caseload: relationships, and the budgets of the manager's organisation. Of a patient known by those alone, other owners' accounts stay hidden (ruling 57). */
function manager(clauses: Clauses, caller: Caller): Seen {
  const tree = ownTree(clauses, caller);
  const known = relationship(clauses, caller);
  const related = aroundRelationship(clauses, caller, known);
  const patients = either(known, holders(clauses, owned(clauses, tree)));
  const accounts = either(related['Account'] ?? NONE, readable(clauses, tree));
  return {
    ...aroundPatients(clauses, caller, patients, accounts, either(related['Claim'] ?? NONE, ownedClaims(clauses, tree))),
    Task: either(clauses.to('Task', 'patient', 'Patient', patients), proposedEntries(clauses, tree)),
    MeasureReport: clauses.to('MeasureReport', 'reporter', 'Organization', tree),
    Measure: ALL,
  };
}

/** What providers propose of the directories that the organisation keeps. */
const proposedEntries = (clauses: Clauses, tree: Clause): Clause => both(clauses.to('Task', 'focus', 'HealthcareService', ALL), clauses.to('Task', 'owner', 'Organization', tree));

/** What the commissioner owns, and the patients who are its own. */
/** Patients for whom the caller's organisation may open a first budget: its own, and those who are registered nowhere (ruling 25). */
export function takenOn(clauses: Clauses, caller: Caller): Clause {
  const nowhere = both(not(clauses.has('Patient', 'organization')), not(clauses.has('Patient', 'general-practitioner')));
  return either(belonging(clauses, ownTree(clauses, caller)), nowhere);
}

function commissioner(clauses: Clauses, caller: Caller): Seen {
  const tree = ownTree(clauses, caller);
  const accounts = readable(clauses, tree);
  const claims = ownedClaims(clauses, tree);
  const patients = either(belonging(clauses, tree), holders(clauses, owned(clauses, tree)));
  const theirs = (type: string): Clause => clauses.to(type, 'patient', 'Patient', patients);
  return {
    Patient: patients,
    RelatedPerson: theirs('RelatedPerson'),
    Account: accounts,
    Claim: claims,
    CarePlan: clauses.from('Account', 'careplan', owned(clauses, tree)),
    Coverage: both(clauses.to('Coverage', 'payor', 'Organization', tree), funding(clauses)),
    Task: either(both(clauses.to('Task', 'focus', 'Account', owned(clauses, tree)), decided(clauses)), clauses.to('Task', 'owner', 'Organization', both(commissioners(clauses), tree))),
    Observation: both(theirs('Observation'), decisions(clauses)),
    Group: both(clauses.to('Group', 'managing-entity', 'Organization', tree), criteria(clauses)),
    List: directories(clauses),
    Measure: ALL,
    MeasureReport: clauses.to('MeasureReport', 'reporter', 'Organization', tree),
    AuditEvent: theirs('AuditEvent'),
    Provenance: either(clauses.to('Provenance', 'target', 'Account', accounts), clauses.to('Provenance', 'target', 'Claim', claims)),
    ...documents(clauses, claims, []),
    ...payments(clauses, claims, owned(clauses, tree)),
  };
}

/** The directory; what was sold is told by `$purchases` alone. */
function provider(clauses: Clauses): Seen {
  return { List: directories(clauses) };
}

/** Accounts with a line of the organisation's, and the claims on such lines (ruling 35). */
function thirdParty(clauses: Clauses, caller: Caller): Seen {
  const own = ownOrganization(clauses, caller);
  const claims = clauses.held('Claim', 'purchase-line', 'Account', 'held-line', own);
  return {
    Account: clauses.to('Account', 'line-holder', 'Organization', own),
    Claim: claims,
    List: directories(clauses),
    ...documents(clauses, claims, [], own),
    ...payments(clauses, claims, NONE),
  };
}

/** The practice's own patients, and the tasks it was given about them (ruling 31). */
function practice(clauses: Clauses, caller: Caller): Seen {
  const own = ownOrganization(clauses, caller);
  const patients = clauses.to('Patient', 'general-practitioner', 'Organization', own);
  return { Patient: patients, Task: both(clauses.to('Task', 'owner', 'Organization', own), clauses.to('Task', 'patient', 'Patient', patients)) };
}

export const AUDIENCES: Readonly<Record<AudienceName, Audience>> = {
  patient, nominee, professional, manager, commissioner, provider, 'third-party': thirdParty, practice,
};
