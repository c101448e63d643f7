// What each role may do with purchases, beyond the rows it may write: a patient records and takes back drafts, a broker drafts, a nominee
// stays within what it was given (domain.md section 4; 2.1 E1 AC2).
import { poundsText, toPence } from '../../fhir/decimal.js';
import { dateRange } from '../../fhir/date-time.js';
import { fail } from '../../fhir/errors.js';
import type { Resource } from '../../fhir/resource.js';
import type { WriteContext } from '../../store/rule.js';
import { managersOf, type BudgetManager } from '../account/account.js';
import { statusOf } from './purchase.js';

/** Throws 403 where the caller's role does not go so far. Operations have judged their callers. */
export function checkRole(before: Resource | undefined, after: Resource, { caller, act }: WriteContext): void {
  if (act !== undefined) return;
  const [from, to] = [statusOf(before), statusOf(after)];
  if (caller.role === 'patient' && before && !(from === 'draft' && to === 'cancelled')) {
    throw fail('forbidden', { text: 'A patient may cancel a draft; other changes of a purchase are the care team\'s: ask them', expression: 'Claim' });
  }
  if (caller.role !== 'broker' || ((from ?? 'draft') === 'draft' && (to === 'draft' || to === 'cancelled'))) return;
  throw fail('forbidden', { text: 'A broker drafts purchases: send status draft, and let the care coordinator make it active', expression: 'Claim.status' });
}

/** Throws 422 where a nominee buys for more at once than it was given; `total` in pence. */
export function checkNominee(account: Resource, total: bigint, { caller, now, act }: WriteContext): void {
  if (caller.role !== 'nominee' || act !== undefined) return;
  const limits = managersOf(account).filter((one) => isMine(one, caller.relatedPerson, now)).flatMap(({ maxPerPurchase }) => penceOf(maxPerPurchase?.['value']) ?? []);
  const least = limits.reduce<bigint | undefined>((less, one) => (less === undefined || one < less ? one : less), undefined);
  if (least === undefined || total <= least) return;
  throw fail('business-rule', { text: `You may buy for at most £${poundsText(least)} at once on this budget`, expression: 'Claim.total' });
}

function isMine({ party, state, start, end }: BudgetManager, relatedPerson: string | undefined, now: number): boolean {
  if (relatedPerson === undefined || party !== `RelatedPerson/${relatedPerson}` || state !== 'approved') return false;
  const from = start === undefined ? undefined : dateRange(start, 'Europe/London');
  const until = end === undefined ? undefined : dateRange(end, 'Europe/London');
  return (from === undefined || from.lo <= now) && (until === undefined || now < until.hi);
}

/** What is stored was found to be whole pence, and a double prints as many digits exactly. */
const penceOf = (value: unknown): bigint | undefined => (typeof value === 'number' ? toPence(String(value)) : undefined);
