// The money of a purchase: what becoming active, changing and cancelling it move in the ledger (domain.md 3.8 rules 4 and 6, ruling 50).
import type { Resource } from '../fhir/resource.js';
import type { WriteContext } from '../store/rule.js';
import { lockHoldings } from './holdings.js';
import { post } from './ledger.js';
import { isActive } from './purchase-lifecycle.js';
import type { Posting } from './postings.js';
import type { BudgetLine } from './totals.js';

export interface Moved {
  /** Logical id of the Claim. */
  readonly id: string;
  readonly before: Resource | undefined;
  readonly after: Resource;
  readonly budget: { readonly account: string };
  readonly line: BudgetLine;
  /** Pence. */
  readonly total: bigint;
}

/** An active purchase holds its total on its line. */
export async function movePurchase({ id, before, total, line, budget: { account } }: Moved, context: WriteContext): Promise<void> {
  const { newId, tx, caller, now } = context;
  const held = isActive(before) ? await lockHoldings(tx.db, id) : [];
  const postings: Posting[] = [];
  let missing = total;
  for (const one of held) {
    const wanted = one.line === line.line && one.account === account ? total - one.paid : 0n;
    if (one.committed > wanted) postings.push({ id: newId(), account: one.account, line: one.line, kind: 'release', amount: one.committed - wanted, claim: id });
    if (one.line === line.line && one.account === account) missing = one.committed < wanted ? wanted - one.committed : 0n;
  }
  if (missing > 0n) postings.push({ id: newId(), account, line: line.line, kind: 'commit', amount: missing, claim: id });
  if (postings.length > 0) await post(postings, { db: tx.db, caller, now });
}

/** A purchase that was cancelled holds nothing, whatever has become of its budget. */
export async function releasePurchase(id: string, { newId, tx, caller, now }: WriteContext): Promise<void> {
  const held = await lockHoldings(tx.db, id);
  const postings = held.filter(({ committed }) => committed > 0n).map(({ account, line, committed }) => ({ id: newId(), account, line, kind: 'release', amount: committed, claim: id }) as const);
  if (postings.length > 0) await post(postings, { db: tx.db, caller, now, states: ['active', 'on-hold', 'inactive'] });
}
