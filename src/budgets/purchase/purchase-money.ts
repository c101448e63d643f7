// The money of a purchase: what becoming active, changing and cancelling it move in the ledger (domain.md 3.8 rules 4 and 6, ruling 50).
import type { Resource } from '../../fhir/resource.js';
import type { WriteContext } from '../../store/rule.js';
import { askLess, askMore } from './commitment-use.js';
import { takeFrom, type Fulfilment, type Taken } from './fulfilment.js';
import { heldIn, holdingsOf, isOn, lockHoldings, type Holding } from '../ledger/holdings.js';
import { InsufficientFunds } from '../ledger/ledger-refusal.js';
import { post } from '../ledger/ledger.js';
import { sumOf } from '../ledger/shares.js';
import { settleOutstanding } from './outstanding.js';
import type { Share } from './joint-split.js';
import { isActive } from './purchase-lifecycle.js';
import type { Posting } from '../ledger/postings.js';

export interface Moved {
  /** Logical id of the Claim. */
  readonly id: string;
  readonly before: Resource | undefined;
  readonly after: Resource;
  /** What it takes of each line in all, paid or not: of one, or on a joint budget of several. */
  readonly shares: readonly Share[];
  readonly fulfilled: readonly Fulfilment[];
  /** Its lines may go below zero through it. */
  readonly overdraw: boolean;
}

/**
 * An active purchase holds its total on its lines: what it fulfils is released for it first, and what is left of that afterwards. As it becomes
 * dearer it draws on what its commitments still reserve, and as it becomes cheaper it gives back to them.
 */
export async function movePurchase(moved: Moved, context: WriteContext): Promise<void> {
  const { newId, tx, caller, now } = context;
  const { id, before, shares } = moved;
  const held = isActive(before) ? await lockHoldings(tx.db, id) : [];
  const fulfilled = await asTheyAre(moved.fulfilled, context);
  const using = { ...moved, fulfilled };
  const more = sumOf(shares) - held.reduce((sum, one) => sum + heldIn(one), 0n);
  const taken = takeFrom(fulfilled, more > 0n ? more : 0n);
  if (more >= 0n) await askMore(using, more, taken, context);
  const given = more < 0n ? await askLess(using, -more, freedBy(shares, held), context) : [];
  const movements = [
    ...taken.map((one) => ({ ...placeOf(one), kind: 'release', amount: one.consumed }) as const),
    ...changes(moved, held),
    ...taken.map((one) => ({ ...placeOf(one), kind: 'release', amount: one.released }) as const),
    ...given.map((one) => ({ ...one, kind: 'commit' }) as const),
  ];
  const postings = movements.filter(({ amount }) => amount > 0n).map((one) => ({ ...one, id: newId() }));
  if (postings.length > 0) await post(postings, { db: tx.db, caller, now }).catch(atTotal);
  for (const { claim } of fulfilled) await settleOutstanding(claim.id ?? '', context);
}

/** With what earlier purchases of the same transaction have left of them, or given back, by now. */
const asTheyAre = (fulfilled: readonly Fulfilment[], { tx }: WriteContext): Promise<readonly Fulfilment[]> =>
  Promise.all(fulfilled.map(async (one) => ({ ...one, held: await holdingsOf(tx.db, one.claim.id ?? '') })));

function atTotal(error: unknown): never {
  throw error instanceof InsufficientFunds ? error.at('Claim.total') : error;
}

/** What the purchase gives up of each line; nothing of one that it moves away from, since what it took over moves with it. */
function freedBy(shares: readonly Share[], held: readonly Holding[]): readonly Share[] {
  if (shares.some((share) => !held.some(isOn(share)))) return [];
  return held.map((one) => ({ account: one.account, line: one.line, amount: heldIn(one) - (shares.find(isOn(one))?.amount ?? 0n) }));
}

const placeOf = ({ claim, account, line }: Taken): Pick<Posting, 'claim' | 'account' | 'line'> => ({ claim, account, line });

/** From what is held to the shares: nothing is held of another line, and nothing paid is touched. */
function changes({ id, shares, overdraw }: Moved, held: readonly Holding[]): readonly Omit<Posting, 'id'>[] {
  const elsewhere = held.filter((one) => !shares.some(isOn(one)));
  return [
    ...elsewhere.map((one) => ({ account: one.account, line: one.line, kind: 'release', amount: one.committed, claim: id }) as const),
    ...shares.flatMap((share) => {
      const { account, line, amount } = share;
      const { paid, committed } = held.find(isOn(share)) ?? { paid: 0n, committed: 0n };
      return [
        { account, line, kind: 'release', amount: committed - (amount - paid), claim: id },
        { account, line, kind: 'commit', amount: amount - paid - committed, claim: id, overdraw },
      ] as const;
    }),
  ];
}

/** A purchase that was cancelled holds nothing, whatever has become of its budget. */
export async function releasePurchase(id: string, { newId, tx, caller, now }: WriteContext): Promise<void> {
  const held = await lockHoldings(tx.db, id);
  const postings = held.filter(({ committed }) => committed > 0n).map(({ account, line, committed }) => ({ id: newId(), account, line, kind: 'release', amount: committed, claim: id }) as const);
  if (postings.length > 0) await post(postings, { db: tx.db, caller, now, states: ['active', 'on-hold', 'inactive'] });
}
