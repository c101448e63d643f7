// The money of a purchase: what becoming active, changing and cancelling it move in the ledger (domain.md 3.8 rules 4 and 6, ruling 50).
import type { Resource } from '../fhir/resource.js';
import type { WriteContext } from '../store/rule.js';
import { takeFrom, type Fulfilment, type Taken } from './fulfilment.js';
import { lockHoldings, type Holding } from './holdings.js';
import { post } from './ledger.js';
import { settleOutstanding } from './outstanding.js';
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
  readonly fulfilled: readonly Fulfilment[];
  /** The line may go below zero through it. */
  readonly overdraw: boolean;
}

/** An active purchase holds its total on its line: what it fulfils is released for it first, and what is left of that afterwards. */
export async function movePurchase(moved: Moved, context: WriteContext): Promise<void> {
  const { newId, tx, caller, now } = context;
  const { id, before, total, fulfilled } = moved;
  const held = isActive(before) ? await lockHoldings(tx.db, id) : [];
  const taken = takeFrom(fulfilled, total);
  const movements = [
    ...taken.map((one) => ({ ...placeOf(one), kind: 'release', amount: one.consumed }) as const),
    ...changes(moved, held),
    ...taken.map((one) => ({ ...placeOf(one), kind: 'release', amount: one.released }) as const),
  ];
  const postings = movements.filter(({ amount }) => amount > 0n).map((one) => ({ ...one, id: newId() }));
  if (postings.length > 0) await post(postings, { db: tx.db, caller, now });
  for (const { claim } of fulfilled) await settleOutstanding(claim.id ?? '', context);
}

const placeOf = ({ claim, account, line }: Taken): Pick<Posting, 'claim' | 'account' | 'line'> => ({ claim, account, line });

/** From what is held to the total on the line: nothing is held of another line, and nothing paid is touched. */
function changes({ id, total, line: { line }, budget: { account }, overdraw }: Moved, held: readonly Holding[]): readonly Omit<Posting, 'id'>[] {
  const here = held.find((one) => one.line === line && one.account === account);
  const wanted = total - (here?.paid ?? 0n);
  const committed = here?.committed ?? 0n;
  const elsewhere = held.filter((one) => one !== here);
  return [
    ...elsewhere.map((one) => ({ account: one.account, line: one.line, kind: 'release', amount: one.committed, claim: id }) as const),
    { account, line, kind: 'release', amount: committed - wanted, claim: id },
    { account, line, kind: 'commit', amount: wanted - committed, claim: id, overdraw },
  ];
}

/** A purchase that was cancelled holds nothing, whatever has become of its budget. */
export async function releasePurchase(id: string, { newId, tx, caller, now }: WriteContext): Promise<void> {
  const held = await lockHoldings(tx.db, id);
  const postings = held.filter(({ committed }) => committed > 0n).map(({ account, line, committed }) => ({ id: newId(), account, line, kind: 'release', amount: committed, claim: id }) as const);
  if (postings.length > 0) await post(postings, { db: tx.db, caller, now, states: ['active', 'on-hold', 'inactive'] });
}
