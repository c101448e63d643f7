// The rows around a budget, made of the accounts and claims that a caller sees (domain.md section 4 and rulings 22, 56, 57).
import type { Clause } from '../search/query.js';
import { both, either, NONE, not, type Clauses } from './clauses.js';

const BASE = 'https://fhir.entitle.example';
const JOINT = `${BASE}/CodeSystem/account-type|joint-budget`;

/** Rows of each type that a caller sees; a type that is not here has none. */
export type Seen = Readonly<Record<string, Clause>>;

/** Payments go with what they were made for: a claim, or the account of an advance (ruling 36). */
export function payments(clauses: Clauses, claims: Clause, accounts: Clause): Seen {
  const of = (type: string, code: string): Clause => either(clauses.to(type, code, 'Claim', claims), clauses.to(type, code, 'Account', accounts));
  return { PaymentNotice: of('PaymentNotice', 'request'), PaymentReconciliation: of('PaymentReconciliation', 'detail-request') };
}

/** Documents go with the claim that cites them; before one does, they are their author's. `authors`: `PractitionerRole/1`; `organization` is on Organization. */
export function documents(clauses: Clauses, claims: Clause, authors: readonly string[], organization: Clause = NONE): Seen {
  const cited = clauses.from('Claim', 'evidence', claims);
  const by = (type: string, code: string): Clause => either(clauses.names(type, code, ...authors), clauses.to(type, code, 'Organization', organization));
  const written = either(cited, by('DocumentReference', 'author'));
  return { DocumentReference: written, Binary: either(cited, clauses.from('DocumentReference', 'content', written), by('Binary', 'security-context')) };
}

/** Accounts that these organisations own. */
export const owned = (clauses: Clauses, organizations: Clause): Clause => clauses.to('Account', 'owner', 'Organization', organizations);

/** Those and the joint accounts that they are part of. */
export function readable(clauses: Clauses, organizations: Clause): Clause {
  const own = owned(clauses, organizations);
  return either(own, clauses.from('Account', 'partof', own));
}

/**
 * Claims on accounts that these organisations own. One on a joint account is theirs only if they pay all of it: each account drawn on has its
 * coverage in the claim, and the coverage its payor.
 */
export function ownedClaims(clauses: Clauses, organizations: Clause): Clause {
  const joint = clauses.coded('Account', 'type', JOINT);
  const paid = clauses.to('Coverage', 'payor', 'Organization', organizations);
  const single = clauses.to('Claim', 'budget', 'Account', both(owned(clauses, organizations), not(joint)));
  const shared = both(
    clauses.to('Claim', 'budget', 'Account', both(readable(clauses, organizations), joint)),
    clauses.to('Claim', 'coverage', 'Coverage', paid),
    not(clauses.to('Claim', 'coverage', 'Coverage', not(paid))),
  );
  return either(single, shared);
}

export const funding = (clauses: Clauses): Clause => clauses.coded('Coverage', 'type', `${BASE}/CodeSystem/coverage-type|phb-funding`);
export const decisions = (clauses: Clauses): Clause => clauses.coded('Observation', 'code', `${BASE}/CodeSystem/eligibility-basis|`);
/** Tasks on which a commissioner decides. */
export const decided = (clauses: Clauses): Clause =>
  clauses.coded('Task', 'code', ...['budget-review', 'budget-request', 'exceptional-request', 'reconsideration', 'overspend'].map((code) => `${BASE}/CodeSystem/task-code|${code}`));
export const reviews = (clauses: Clauses): Clause => clauses.coded('Task', 'code', `${BASE}/CodeSystem/task-code|budget-review`);
export const directories = (clauses: Clauses): Clause => clauses.coded('List', 'code', `${BASE}/CodeSystem/list-code|phb-directory`);
export const criteria = (clauses: Clauses): Clause => both(clauses.coded('Group', 'characteristic', `${BASE}/CodeSystem/criterion|`), clauses.coded('Group', 'actual', 'false'));
