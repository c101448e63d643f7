// A purchase that fulfils a commitment takes over what was reserved for it, and never adds to it (domain.md 3.8 rule 4, ruling 50).
import { asText } from '../../fhir/elements.js';
import { fail, type FhirError } from '../../fhir/errors.js';
import type { Resource } from '../../fhir/resource.js';
import type { WriteContext } from '../../store/rule.js';
import type { StoredVersion, Transaction } from '../../store/store.js';
import { committedIn, lockHoldings, type Holding } from '../ledger/holdings.js';
import { plannedIn } from './planned.js';
import { isActive } from './purchase-lifecycle.js';
import { budgetOf, fulfilledBy, isCommitment, isPurchase, statusOf } from './purchase.js';
import { referred } from '../referred.js';
import { shareOut } from '../ledger/shares.js';

/** A commitment as it is, its Claim and its budget locked. */
export interface Fulfilment {
  readonly claim: Resource;
  /** What the purchase leaves of it is released. */
  readonly final: boolean;
  readonly held: readonly Holding[];
}

/** The commitments that give to an active purchase: as it becomes active all that it names, and 422 for a link to anything else; later what is left of them. */
export const fulfilments = (before: Resource | undefined, after: Resource, context: WriteContext): Promise<readonly Fulfilment[]> =>
  before && isActive(before) ? stillOpen(before, context) : named(after, context);

async function named(after: Resource, context: WriteContext): Promise<readonly Fulfilment[]> {
  const links = fulfilledBy(after);
  const { tx } = context;
  // Their rows before the budget's, as their own writes take them.
  await lockInOrder(links.flatMap(({ claim }) => claim ?? []), tx);
  const found: Fulfilment[] = [];
  for (const { claim: id, final, path } of links) {
    if (found.some(({ claim }) => claim.id === id)) throw wrong('A commitment is named once', path);
    const claim = await referred(`Claim/${id}`, ['Claim'], `${path}.claim`, context);
    if (!isPurchase(claim) || !isCommitment(claim)) throw wrong('What is fulfilled is a commitment: a Claim on a budget with use preauthorization', path);
    if (budgetOf(claim) !== budgetOf(after)) throw wrong('The commitment is on another budget', path);
    if (statusOf(claim) !== 'active') throw wrong(`The commitment is ${asText(claim['status'])}: it reserves nothing`, path);
    found.push({ claim, final, held: await leftOf(claim.id ?? '', tx) });
  }
  return found;
}

/** Those that the purchase has taken over in part. One that has ended since reserves nothing; who may see it was judged when it was named. */
async function stillOpen(before: Resource, { tx }: WriteContext): Promise<readonly Fulfilment[]> {
  const found: Fulfilment[] = [];
  const ids = fulfilledBy(before).flatMap(({ claim }) => claim ?? []);
  const stored = await lockInOrder(ids, tx);
  for (const id of ids) {
    const text = stored.get(id)?.text;
    const claim = text == null ? undefined : (JSON.parse(text) as Resource);
    if (claim && isActive(claim)) found.push({ claim, final: false, held: await leftOf(id, tx) });
  }
  return found;
}

const keyOf = (claim: string, { account, line }: Pick<Holding, 'account' | 'line'>): string => `${claim} ${account} ${line}`;

/** In the one order in which all writes take their locks. */
async function lockInOrder(claims: readonly string[], tx: Transaction): Promise<ReadonlyMap<string, StoredVersion | undefined>> {
  const stored = new Map<string, StoredVersion | undefined>();
  for (const id of [...new Set(claims)].sort()) stored.set(id, await tx.lock('Claim', id));
  return stored;
}

/** What earlier purchases of the transaction leave of a commitment, whose budget is locked. */
async function leftOf(claim: string, tx: Transaction): Promise<readonly Holding[]> {
  const held = await lockHoldings(tx.db, claim);
  const { taken } = plannedIn(tx);
  return held.map((one) => ({ ...one, committed: one.committed - (taken.get(keyOf(claim, one)) ?? 0n) }));
}

/** Notes what a purchase is going to take for `amount` pence, for later ones of the same transaction. */
export function planTaken(fulfilled: readonly Fulfilment[], amount: bigint, tx: object): void {
  const { taken } = plannedIn(tx);
  for (const one of takeFrom(fulfilled, amount)) {
    const key = keyOf(one.claim, one);
    taken.set(key, (taken.get(key) ?? 0n) + one.consumed + one.released);
  }
}

const wrong = (text: string, path: string): FhirError => fail('business-rule', { text, expression: `${path}.claim` });

/** What one row of a commitment gives: to the purchase, and back to its line. */
export interface Taken {
  readonly claim: string;
  readonly account: string;
  readonly line: string;
  readonly consumed: bigint;
  readonly released: bigint;
}

/** How a purchase uses its commitments for `amount` pence: in their order, and what one reserves of several lines in proportion. */
export function takeFrom(fulfilled: readonly Fulfilment[], amount: bigint): readonly Taken[] {
  let rest = amount;
  return fulfilled.flatMap(({ claim, final, held }) => {
    const reserved = committedIn(held);
    if (reserved === 0n) return [];
    const used = reserved < rest ? reserved : rest;
    rest -= used;
    const shares = shareOut(used, held.map(({ committed }) => committed));
    return held.map(({ account, line, committed }, index) => {
      const consumed = shares[index] ?? 0n;
      return { claim: claim.id ?? '', account, line, consumed, released: final ? committed - consumed : 0n };
    });
  });
}
