// How a purchase may go from one status to the next: a draft reserves nothing, an active one reserves its total, and what is cancelled or
// entered in error holds nothing and stays so (domain.md 3.8 rules 4 and 6).
import { asObject, asObjects, asText, referenceId } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import type { Resource } from '../../fhir/resource.js';
import type { WriteContext } from '../../store/rule.js';
import { businessError } from '../codes.js';
import { committedIn, isPaid, lockHoldings } from '../ledger/holdings.js';
import { storedTotal } from './purchase-amounts.js';
import { checkEvidenceKept } from './purchase-evidence.js';
import { budgetOf, fulfilledBy, isCommitment, isPurchase, lineOf, statusOf } from './purchase.js';
import type { Budget } from '../ledger/totals.js';
import { forbiddenUpdate } from '../forbidden-update.js';

export const isActive = (claim: Resource | undefined): boolean => statusOf(claim) === 'active';

const ENDED: ReadonlySet<string | undefined> = new Set(['cancelled', 'entered-in-error']);
export const isEnded = (claim: Resource | undefined): boolean => ENDED.has(statusOf(claim));

/** Does an active purchase stay on its line with its amount? Then no money moves, whatever has been paid or taken over of it since. */
export const staysAsIs = (before: Resource | undefined, total: bigint, line: string | undefined): boolean =>
  before !== undefined && isActive(before) && storedTotal(before) === total && lineOf(before) === line;

/** What a purchase of `total` pence needs beyond what it had: nothing where it becomes cheaper. */
export function riseOf(before: Resource | undefined, total: bigint): bigint {
  const had = before && isActive(before) ? (storedTotal(before) ?? 0n) : 0n;
  return total > had ? total - had : 0n;
}

export interface Changed {
  readonly before: Resource | undefined;
  readonly after: Resource;
  readonly account: Resource;
  readonly budget: Budget;
  /** Pence. */
  readonly total: bigint;
  readonly stays: boolean;
}

/** Throws what keeps the purchase from becoming what `after` says. */
export async function checkLifecycle(changed: Changed, context: WriteContext): Promise<void> {
  const { before, after, budget, account } = changed;
  // Of a joint budget it was filled in.
  if (budget.kind === 'phb') checkCoverage(after, account);
  if (before && isEnded(before)) refuseRevival(before, after);
  if (before && isActive(before)) await checkActive(changed, before, context);
  else if (isEnded(after)) {
    if (!before) throw fail('business-rule', { text: 'A purchase begins as draft or active', expression: 'Claim.status' });
  } else if (budget.state !== 'active') {
    throw fail('business-rule', { text: `The budget is ${budget.state}: a purchase is on a budget that is active`, expression: 'Claim.extension', coding: businessError('ACCOUNT_NOT_ACTIVE') });
  }
}

function refuseRevival(before: Resource, after: Resource): void {
  if (statusOf(after) === statusOf(before) || statusOf(after) === 'entered-in-error') return;
  throw forbiddenUpdate(`A purchase that is ${asText(before['status'])} stays so: record another`, 'Claim.status');
}

/** Asked before the other budget is looked at. */
export function refuseOtherBudget(before: Resource | undefined, after: Resource): void {
  if (!before || statusOf(before) === 'draft' || !isPurchase(before) || budgetOf(before) === budgetOf(after)) return;
  throw forbiddenUpdate('The budget of a purchase that was made can\'t be changed: cancel it, and record another', 'Claim.extension');
}

async function checkActive({ after, stays, budget }: Changed, before: Resource, { tx }: WriteContext): Promise<void> {
  if (statusOf(after) === 'draft') throw forbiddenUpdate('An active purchase can\'t become a draft again: cancel it, and record another', 'Claim.status');
  if (isCommitment(before) !== isCommitment(after)) throw forbiddenUpdate('A commitment is fulfilled by a further Claim, which names it in related (relationship prior)', 'Claim.use');
  if (JSON.stringify(fulfilledBy(before)) !== JSON.stringify(fulfilledBy(after))) throw forbiddenUpdate('What an active purchase fulfils can\'t be changed: cancel it, and record another', 'Claim.related');
  const held = await lockHoldings(tx.db, after.id ?? '');
  if (!isActive(after)) {
    if (isPaid(held)) throw fail('still-needed', { text: 'Money was paid for this purchase: bring it back with PaymentNotice/$refund before you cancel it', expression: 'Claim.status' });
    return;
  }
  const paid = held.reduce((sum, one) => sum + one.paid, 0n);
  if (paid > 0n) checkEvidenceKept(before, after);
  if (stays && (paid === 0n || netsOf(before) === netsOf(after))) return;
  if (paid > 0n) throw forbiddenUpdate('Money was paid for this purchase, so its amounts and its line stay as they are: give money back with PaymentNotice/$refund, or record another purchase', 'Claim.total');
  if (committedIn(held) !== storedTotal(before)) throw forbiddenUpdate('A purchase has taken over what this commitment reserves, or part of it, so its amounts and its line stay as they are: cancel it to release the rest, and record another', 'Claim.total');
  if (budget.state !== 'active') throw fail('business-rule', { text: `The budget is ${budget.state}: amounts are changed while it is active`, expression: 'Claim.total', coding: businessError('ACCOUNT_NOT_ACTIVE') });
}

/** What each item costs: how it was spent, which reports tell. */
const netsOf = ({ item }: Resource): string => JSON.stringify(asObjects(item).map(({ sequence, net }) => [sequence, asObject(net)?.['value']]));

/** A budget's purchases are insured by its own coverage. */
function checkCoverage(after: Resource, account: Resource): void {
  const own = asObjects(account['coverage']).map(({ coverage }) => referenceId(coverage, 'Coverage'));
  if (own.length === 0) return;
  for (const [index, { coverage }] of asObjects(after['insurance']).entries()) {
    if (own.includes(referenceId(coverage, 'Coverage'))) continue;
    throw fail('business-rule', { text: `A purchase on this budget is covered by Coverage/${own[0]}: leave insurance out, and it is filled in`, expression: `Claim.insurance[${index}].coverage` });
  }
}
