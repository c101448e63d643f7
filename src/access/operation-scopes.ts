// Which scopes an operation needs beside its role: the types it reads and writes. What it needs it needs whole, since a scope that reaches some
// rows only says nothing of an act on several resources at once.
import { EVERYBODYS } from './operations.js';
import type { Reach } from './scopes.js';

/** `Account.r Claim.u`: both; `Observation.r|Observation.s`: either; `Patient.r?`: some rows are enough. */
const ACCOUNT = 'Account.r Account.u';
/** Whatever it tells or changes it asks for under the Grant, type by type: what the scopes do not reach it does not find. */
const EACH = '';
const PAYMENT = 'Account.r Account.u Claim.r Claim.u';
const NEEDS: Readonly<Record<string, string>> = {
  activate: 'SearchParameter.r SearchParameter.u', deactivate: 'SearchParameter.r SearchParameter.u',
  // The status is an Observation to whoever reads it.
  'chargeable-status': 'Observation.r|Observation.s',
  'ingest-status-feed': 'Observation.c',
  'define-feed': 'Observation.c Observation.u',
  'status-feeds': 'Observation.r',
  'match-statement': 'Observation.r Observation.u', 'unmatch-statement': 'Observation.r Observation.u', 'reject-statement': 'Observation.r Observation.u',
  diff: EACH, export: EACH, graph: EACH, lastn: EACH, document: EACH, meta: EACH, 'meta-add': EACH, 'meta-delete': EACH,
  // A search like any other: it tells of each type what the scopes reach.
  everything: 'Patient.r?|Encounter.r?',
  match: 'Patient.s?',
  lookup: 'CodeSystem.r', subsumes: 'CodeSystem.r', 'validate-code': 'CodeSystem.r|ValueSet.r', expand: 'ValueSet.r', translate: 'ConceptMap.r',
  status: 'Subscription.r', events: 'Subscription.r', 'dead-letters': 'Subscription.r',
  balance: 'Account.r', statement: 'Account.r', 'spend-by-activity': 'Account.r',
  'open-budget': 'Account.c Patient.r',
  'assign-allocation': ACCOUNT, 'adjust-allocation': ACCOUNT, 'transfer-allocation': ACCOUNT, join: ACCOUNT, leave: ACCOUNT, review: ACCOUNT,
  suspend: ACCOUNT, reopen: ACCOUNT, close: ACCOUNT,
  nominate: ACCOUNT, 'accept-nomination': ACCOUNT, 'approve-nomination': ACCOUNT, 'end-nomination': ACCOUNT,
  'link-careplan': `${ACCOUNT} CarePlan.r`, 'unlink-careplan': `${ACCOUNT} CarePlan.r`, 'link-activity': `${ACCOUNT} CarePlan.r`,
  pay: PAYMENT, refund: PAYMENT, clawback: PAYMENT, approve: PAYMENT, reject: PAYMENT,
  purchases: 'Claim.r|Claim.s',
  'evaluate-measure': 'Measure.r MeasureReport.r',
  candidates: 'Group.r Patient.r', 'phb-candidates': 'Group.r Patient.r',
  'phb-eligibility': 'Patient.r Observation.r',
};

/** Do the scopes carry the operation? One that is not in the list needs scopes for everything. */
export function scopesCarry(operation: string, reach: Reach): boolean {
  if (EVERYBODYS.has(operation)) return true;
  const needs = NEEDS[operation] ?? '*.c *.r *.u *.d *.s';
  return needs === EACH || needs.split(' ').every((need) => need.split('|').some((one) => isMet(one, reach)));
}

function isMet(need: string, reach: Reach): boolean {
  const [type = '', letter = '', some] = need.split(/[.?]/);
  const { kind } = reach.rows(type, letter.toUpperCase());
  return kind === 'all' || (some !== undefined && kind !== 'none');
}

/** Those of which it is said what they need. */
export const operationsWithScopes = (): readonly string[] => [...EVERYBODYS, ...Object.keys(NEEDS)];
