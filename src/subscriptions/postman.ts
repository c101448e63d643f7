// The work of delivery in this process: looks for Subscriptions with something due, and serves each.
import { OLDEST_MS, type Subscribers } from './subscribers.js';
import { serveSubscription, type DeliveryParts } from './deliver.js';
import { dueSubscriptions, sweep } from './queue.js';

export interface Postman {
  /** Nothing further is begun; resolves when what is under way has ended. */
  stop(): Promise<void>;
}

export interface PostmanParts extends Omit<DeliveryParts, 'stopping'> {
  readonly subscribers: Subscribers;
  readonly onFailure: (error: unknown) => void;
}

/** Often enough that the list of listeners stays young without any write waiting for it. */
const LOOK_MS = Math.floor(OLDEST_MS / 2.4);
const SWEEP_MS = 3_600_000;
/** How long $events can give an event again. */
export const KEPT_MS = 7 * 24 * 3_600_000;

export function startPostman(given: PostmanParts): Postman {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let sweptAt = given.tick();
  const parts: DeliveryParts = { ...given, stopping: stopping.signal };
  const underWay = new Map<string, Promise<void>>();
  const noticed = new Map<string, number>();
  const look = async (): Promise<void> => {
    await given.subscribers.refresh();
    const due = await dueSubscriptions(parts.db, parts.clock());
    for (const subscription of due) {
      if (underWay.has(subscription)) continue;
      const since = noticed.get(subscription) ?? parts.tick();
      noticed.set(subscription, since);
      underWay.set(subscription, serveSubscription(subscription, since, parts).catch(given.onFailure).finally(() => underWay.delete(subscription)));
    }
    // One that is not due was made active, or is gone: asked for anew, it is noticed anew.
    for (const subscription of noticed.keys()) if (!due.includes(subscription)) noticed.delete(subscription);
    if (parts.tick() - sweptAt > SWEEP_MS) {
      sweptAt = parts.tick();
      await sweep(parts.db, parts.clock() - KEPT_MS);
    }
  };
  const run = async (): Promise<void> => {
    await look().catch(given.onFailure);
    if (!stopping.signal.aborted) timer = setTimeout(next, LOOK_MS).unref();
  };
  const next = (): void => void (looking = run());
  let looking = run();
  return {
    stop: async () => {
      stopping.abort();
      clearTimeout(timer);
      await looking;
      await Promise.all(underWay.values());
    },
  };
}
