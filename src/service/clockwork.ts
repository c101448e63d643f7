// What runs beside the requests: by the clock, from queues, and to subscribers.
import { hostname } from 'node:os';
import { startRecording } from '../audit/recording.js';
import { sealAll } from '../audit/seal.js';
import { createBudgetSweep } from '../budgets/sweep.js';
import { writeLapses } from '../chargeable-status/status/lapse.js';
import { placeWaiting } from '../chargeable-status/feed/person-sweep.js';
import { serviceBase } from '../config.js';
import type { Caller } from '../fhir/caller.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { Resource } from '../fhir/resource.js';
import type { Signer } from '../identity/notification-key.js';
import { amend } from '../interactions/amend.js';
import { repeat, type Repeated } from '../jobs/repeat.js';
import { sweepRequests } from '../store/request-keys.js';
import type { Transaction } from '../store/store.js';
import { startPostman, type Postman } from '../subscriptions/postman.js';
import type { Given } from './given.js';
import type { Made } from './parts.js';
import { startQueues, type Queue } from './queues.js';

/** A lapse is to be seen on the Patient within a minute (domain.md ruling 8). */
const LAPSE_EVERY_MS = 30_000;

/** How soon a first payment sets the date of the first review. */
const REVIEW_EVERY_MS = 15_000;

/** How long the first answer to an X-Request-ID can be had again. */
const REQUESTS_KEPT_MS = 48 * 3_600_000;
const SWEEP_EVERY_MS = 3_600_000;
const SEAL_EVERY_MS = 2000;

/** How soon a server sees that another one has switched a search parameter on or off: until then it refuses searches by it. */
const LEARN_EVERY_MS = 1000;

export interface Clockwork {
  /** There is something in the queue: a run begins at once, or as soon as the one under way has ended. */
  wake(queue: Queue): void;
  /** Resolves when all that was under way has ended, and what is to be recorded is stored. */
  stop(): Promise<void>;
}

/** Of the doors, for what runs beside them. */
export interface Outside {
  readonly signer: Signer;
  /** Does a request whose caller was told to ask for the answer. */
  readonly performLater: (request: FhirRequest, caller: Caller) => Promise<FhirResponse>;
  /** Where the server listens, once it does. */
  readonly port: () => number | undefined;
}

export async function startClockwork(given: Given, made: Made, outside: Outside): Promise<Clockwork> {
  const { parts, floods } = made;
  const recording = await startRecording({ database: given.database, trail: parts.audit, newId: parts.newId, clock: parts.clock, host: hostname(), pid: process.pid });
  const queues = startQueues(given, made, outside.performLater);
  const running = [...startRounds(given, made, () => recording.beat()), ...Object.values(queues), startDelivery(given, made, outside)];
  return {
    wake: (queue) => { queues[queue].wake(); },
    stop: async () => {
      floods.settle();
      await Promise.all(running.map((one) => one.stop()));
      await recording.end();
    },
  };
}

/** What comes again by the clock. `beat`: of the audit trail. */
function startRounds({ config, database, log }: Given, { parts, identity, switching, floods }: Made, beat: () => Promise<void>): readonly Repeated[] {
  const { clock } = parts;
  const every = (everyMs: number, work: () => Promise<unknown>, failed: string): Repeated => repeat(work, { everyMs, onFailure: (error) => { log.error({ err: error }, failed); } });
  const put = (tx: Transaction, resource: Resource): Promise<void> => amend(resource, { tx, now: clock(), extract: parts.extract });
  const { nonePolicy } = config;
  return [
    every(LAPSE_EVERY_MS, () => writeLapses({ ...parts, now: clock(), nonePolicy, put }), 'lapsed statuses could not be written; tried again soon'),
    every(REVIEW_EVERY_MS, createBudgetSweep(() => ({ ...parts, now: clock(), put })), 'reviews that are due could not be written; tried again soon'),
    every(SEAL_EVERY_MS, async () => { floods.look(); await beat(); await sealAll(database); }, 'the audit trail could not be sealed; tried again soon'),
    every(SWEEP_EVERY_MS, async () => { await sweepRequests(database, clock() - REQUESTS_KEPT_MS); await identity.tidy(); }, 'old request ids and client assertions could not be forgotten; tried again later'),
    every(config.matchEveryMs, () => placeWaiting({ ...parts, now: clock(), nonePolicy, put }), 'waiting statements could not be placed; tried again soon'),
    every(LEARN_EVERY_MS, () => switching.added.refresh(), 'search parameters that were switched on or off could not be learnt; tried again soon'),
  ];
}

/** Notifications, to those who subscribed. */
function startDelivery({ config, database, log }: Given, { parts, subscribers, network, tick }: Made, { signer, port }: Outside): Postman {
  return startPostman({
    ...parts, db: database, subscribers, network, signer, tick,
    base: () => serviceBase(config, port()),
    lessee: parts.newId(),
    retryMs: config.subscriptionRetryMs,
    giveUpMs: config.subscriptionGiveUpMs,
    onFailure: (error) => { log.error({ err: error }, 'notifications could not be delivered; tried again soon'); },
  });
}
