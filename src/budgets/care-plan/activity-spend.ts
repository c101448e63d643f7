// What was bought for each activity of a care plan: item.net of active purchases less what came back of them (domain.md rulings 51 and 64).
import type { Queryable } from '../../db/database.js';
import { toPence } from '../../fhir/decimal.js';
import { asObject } from '../../fhir/elements.js';
import type { Resource } from '../../fhir/resource.js';
import { allocationsOf } from '../account/account.js';
import { itemsOf } from '../purchase/purchase.js';
import { shareOut } from '../ledger/shares.js';

/** Pence. */
export interface Spend {
  /** Net amounts less refunds. */
  readonly spent: bigint;
  /** Of these, what has been paid and has not come back. */
  readonly paid: bigint;
}

/** What moved of a purchase, in pence. */
export interface Moved {
  /** Gross. */
  readonly paid: bigint;
  readonly refunded: bigint;
}

const MOVED = {
  name: 'claims-moved',
  text: 'select claim, sum(paid)::text as paid, sum(refunded)::text as refunded from fhir.claim_commitment where claim = any ($1) group by claim',
};

/** By the Claim's logical id. Who may see the Claims has been judged by finding them under a Grant. */
export async function movedOf(db: Queryable, claims: readonly string[]): Promise<ReadonlyMap<string, Moved>> {
  const { rows } = await db.query<{ claim: string; paid: string; refunded: string }>({ ...MOVED, values: [claims] });
  return new Map(rows.map(({ claim, paid, refunded }) => [claim, { paid: BigInt(paid), refunded: BigInt(refunded) }]));
}

/**
 * By activity id. A payment or refund is of the whole purchase, so each item has its share of it by its net amount; an item for several
 * activities is shared out evenly. To the penny: the shares add up.
 */
export function spendByActivity(plan: string, claims: readonly Resource[], moved: ReadonlyMap<string, Moved>): ReadonlyMap<string, Spend> {
  const sums = new Map<string, Spend>();
  for (const claim of claims) {
    const items = itemsOf(claim);
    const nets = items.map(({ element }) => penceOf(element['net']));
    const { paid, refunded } = moved.get(claim.id ?? '') ?? { paid: 0n, refunded: 0n };
    const [back, out] = [sharesOf(refunded, nets), sharesOf(paid - refunded, nets)];
    for (const [index, { activities }] of items.entries()) {
      const spent = evenly((nets[index] ?? 0n) - (back[index] ?? 0n), activities.length);
      const gone = evenly(out[index] ?? 0n, activities.length);
      for (const [place, link] of activities.entries()) {
        if (link.plan === plan && link.activityId !== undefined) addTo(sums, link.activityId, { spent: spent[place] ?? 0n, paid: gone[place] ?? 0n });
      }
    }
  }
  return sums;
}

function addTo(sums: Map<string, Spend>, activity: string, { spent, paid }: Spend): void {
  const known = sums.get(activity) ?? { spent: 0n, paid: 0n };
  sums.set(activity, { spent: known.spent + spent, paid: known.paid + paid });
}

const sharesOf = (amount: bigint, nets: readonly bigint[]): readonly bigint[] => (nets.some((net) => net > 0n) ? shareOut(amount, nets) : []);
const evenly = (amount: bigint, parts: number): readonly bigint[] => (parts === 0 ? [] : shareOut(amount, Array.from({ length: parts }, () => 1n)));

/** What is stored was found to be whole pence, and a double prints as many digits exactly. */
function penceOf(money: unknown): bigint {
  const value = asObject(money)?.['value'];
  return (typeof value === 'number' ? toPence(String(value)) : undefined) ?? 0n;
}

/** What lines of these budgets are meant for one activity alone, in pence by its id; a line for several is planned for none of them by itself. */
export function plannedByActivity(accounts: readonly Resource[]): ReadonlyMap<string, bigint> {
  const planned = new Map<string, bigint>();
  for (const { activityIds, amount } of accounts.flatMap(allocationsOf)) {
    const [activity, second] = activityIds;
    if (activity !== undefined && second === undefined) planned.set(activity, (planned.get(activity) ?? 0n) + penceOf(amount));
  }
  return planned;
}
