// Whether something of a purchase is still to be paid, or of a commitment to be used: kept in the Claim, where searches find it.
import { asObjects } from '../../fhir/elements.js';
import type { Resource } from '../../fhir/resource.js';
import type { WriteContext } from '../../store/rule.js';
import { OUTSTANDING } from '../codes.js';
import { committedIn, holdingsOf } from '../ledger/holdings.js';
import { isOutstanding, isPurchase, withExtension } from './purchase.js';

/**
 * To be called after money was posted for a Claim that is not itself being written (a commitment that was fulfilled): writes its
 * next version where ext-outstanding has to change. `id` is the Claim's logical id.
 */
export async function settleOutstanding(id: string, { tx, put }: Pick<WriteContext, 'tx' | 'put'>): Promise<void> {
  const stored = await tx.lock('Claim', id);
  if (stored?.text == null) return;
  const claim = JSON.parse(stored.text) as Resource;
  const outstanding = committedIn(await holdingsOf(tx.db, id)) > 0n;
  if (!isPurchase(claim) || isOutstanding(claim) === outstanding) return;
  await put({ ...claim, extension: withExtension(asObjects(claim['extension']), OUTSTANDING, { valueBoolean: outstanding }) });
}
