// What the operations on a budget as a whole have in common: its Account is locked and seen, and its next version is written with the
// Provenance that says who did it and why.
import { budgetKind, ownerOf, patientOf } from '../../budgets/account/account.js';
import { businessError } from '../../budgets/codes.js';
import { provenanceOf, type BudgetAct } from '../../budgets/ledger/provenance.js';
import type { ReviewedBudget } from '../../budgets/task/review-task.js';
import { lockBudgets, type Budget } from '../../budgets/ledger/totals.js';
import type { WriteContext } from '../../store/rule.js';
import { fail } from '../../fhir/errors.js';
import type { FhirRequest } from '../../fhir/request.js';
import { writeAll, type Written } from '../../interactions/write.js';
import { added, changed, currentOf, type Current, type Inside } from '../act.js';

/** The budget that the URL names, with its Account; throws 422 where the Account is none, and where it is in none of `states`. */
export async function budgetAt(request: FhirRequest, states: readonly string[], inside: Inside, ifMatch: 'required' | 'optional' = 'required'): Promise<{ account: Current; budget: Budget }> {
  const account = await currentOf('Account', request, inside, ifMatch);
  const budget = budgetKind(account.resource) && (await lockBudgets(inside.tx.db, [account.id])).get(account.id);
  if (!budget) throw fail('business-rule', { text: 'This Account is no budget: use one of type phb or joint-budget (account-type)', expression: 'Account.type' });
  requireState(budget, states);
  return { account, budget };
}

export function requireState({ state }: Budget, states: readonly string[]): void {
  if (states.includes(state)) return;
  throw fail('business-rule', { text: `The budget is ${state}: this is for one that is ${states.join(' or ')}`, coding: businessError('ACCOUNT_NOT_ACTIVE'), expression: 'Account.status' });
}

export interface Reason {
  readonly activity: string;
  readonly reason?: string | undefined;
  /** Where the reason is a code: its system. */
  readonly reasonSystem?: string;
}

/** The next version of the Account and its Provenance, whose id the movements of money take. */
export async function writeBudget(account: Current, set: Readonly<Record<string, unknown>>, why: Reason, inside: Inside): Promise<{ written: Written | undefined; provenance: string }> {
  const provenance = inside.parts.newId();
  const told: BudgetAct = { ...why, id: provenance, account: account.id, version: account.version + 1, caller: inside.grant.caller, now: inside.now };
  const [written] = await writeAll([changed(account, set), added(provenanceOf(told), provenance)], inside);
  return { written, provenance };
}

/** How rules' functions look for what an operation names: under the Grant. */
export const seenBy = ({ tx, grant }: Inside): Pick<WriteContext, 'tx' | 'grant' | 'caller'> => ({ tx, grant, caller: grant.caller });

/** What a review Task says of the budget. */
export const reviewedBudget = ({ id, resource }: Current): ReviewedBudget => ({ account: id, patient: patientOf(resource) ?? '', owner: ownerOf(resource) });
