// The server's own changes of a Subscription's status: requested -> active, and to error or off. https://hl7.org/fhir/R4/valueset-subscription-status.html
import type { Resource } from '../fhir/resource.js';
import { amend, type Amending } from '../interactions/amend.js';
import type { Store } from '../store/store.js';
import type { SubscriberState } from './queue.js';
import { forget, silence } from './registry.js';

export interface TransitionParts extends Pick<Amending, 'extract'> {
  readonly store: Pick<Store, 'transaction'>;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface Transition {
  /** The statuses it may come from: the client may have changed it meanwhile. */
  readonly from: readonly SubscriberState[];
  readonly to: 'active' | 'error' | 'off';
  readonly error?: string;
  /** Set where delivery is to stop until the client asks anew. */
  readonly stopped?: boolean;
}

const STATE = { name: 'subscriber-state', text: 'update fhir.subscriber set state = $2, due = $3, failures = 0 where subscription = $1' };
const NEVER = Number.MAX_SAFE_INTEGER;

export async function changeStatus(subscription: string, { from, to, error, stopped }: Transition, { store, extract, now }: TransitionParts): Promise<void> {
  await store.transaction(async (tx) => {
    const stored = await tx.lock('Subscription', subscription);
    if (!stored || stored.text === null) return forget(tx.db, subscription);
    const { error: before, ...resource } = JSON.parse(stored.text) as Resource;
    if (!from.includes(resource['status'] as SubscriberState)) return;
    if (resource['status'] !== to || before !== error) await amend({ ...resource, resourceType: 'Subscription', status: to, ...(error !== undefined && { error }) }, { tx, now, extract });
    if (to === 'off') return silence(tx.db, subscription);
    await tx.db.query({ ...STATE, values: [subscription, stopped ? 'requested' : to, stopped ? NEVER : 0] });
  });
}
