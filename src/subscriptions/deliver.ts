// Delivers what one Subscription has waiting: patient by patient in order, several patients at a time, at least once.
import { randomInt } from 'node:crypto';
import type { Database } from '../db/database.js';
import { FhirError } from '../fhir/errors.js';
import type { Parts } from '../interactions/context.js';
import type { Signer } from '../identity/notification-key.js';
import type { Network } from './network.js';
import { notificationBundle, type NotifiedEvent } from './notification.js';
import { lease, markDone, markFailed, nextDue, numberEvents, pause, release, WORK_MS, type Leased, type Queued } from './queue.js';
import { send, type Sending } from './send.js';
import { toldOf } from './told.js';
import { changeStatus } from './transition.js';

export interface DeliveryParts extends Pick<Parts, 'store' | 'permit' | 'standing' | 'extract' | 'clock' | 'newId' | 'audit'> {
  readonly db: Database;
  readonly signer: Pick<Signer, 'sign'>;
  readonly network: Network;
  /** The service base for links in notifications. */
  readonly base: () => string;
  /** This process. */
  readonly lessee: string;
  /** The first pause after a failure; it doubles with each further one. */
  readonly retryMs: number;
  /** How long one notification is tried before it is given up. */
  readonly giveUpMs: number;
  /** Once it is aborted nothing further is begun, and what is under way is broken off, to be sent again. */
  readonly stopping: AbortSignal;
  /** Milliseconds of a clock that never steps. */
  readonly tick: () => number;
}

const STREAMS_AT_ONCE = 8;
/** A new one is met by every process's list of listeners after this (subscribers.ts): events from then on are told. */
export const SETTLE_MS = 1000;
const HANDSHAKES = 6;
/** A Subscription with nothing to do but what waits behind a failure is looked at again after this. */
const IDLE_MS = 1000;
const LONGEST_PAUSE = 300;

/** Leases the Subscription, does what is due of it and lets it go. `noticed`: when this process saw it requested. */
export async function serveSubscription(subscription: string, noticed: number, parts: DeliveryParts): Promise<void> {
  const leased = await lease(parts.db, subscription, parts.lessee, parts.clock());
  if (!leased) return;
  let due = 0;
  try {
    if (leased.ended) await changeStatus(subscription, { from: ['requested', 'active', 'error'], to: 'off' }, { ...parts, now: parts.clock() });
    else if (leased.state === 'requested') await activate(leased, noticed, parts);
    else if (!(await deliverAll(leased, parts))) due = parts.clock() + IDLE_MS;
  } finally {
    await release(parts.db, subscription, parts.lessee, due);
  }
}

async function activate(leased: Leased, noticed: number, parts: DeliveryParts): Promise<void> {
  if (parts.tick() - noticed < SETTLE_MS) return;
  const { subscription, failures } = leased;
  const { topic, channel } = { topic: undefined, ...leased.wanted };
  const now = parts.clock();
  const error = topic === undefined ? undefined : await sendSigned(leased, await handshake(leased, parts), { jti: `${subscription}/handshake` }, parts);
  if (error === undefined) await changeStatus(subscription, { from: ['requested', 'error'], to: 'active' }, { ...parts, now });
  else if (failures + 1 >= HANDSHAKES) await changeStatus(subscription, { from: ['requested'], to: 'error', stopped: true, error: `The handshake with ${channel.endpoint} failed. ${error}` }, { ...parts, now });
  else await pause(parts.db, subscription, failures + 1, now + backOff(failures + 1, parts.retryMs));
}

/** Was there anything that could be tried? */
async function deliverAll(leased: Leased, parts: DeliveryParts): Promise<boolean> {
  const until = parts.tick() + WORK_MS;
  const run = new Run(leased, parts, until);
  for (;;) {
    const events = await numberEvents(parts.db, leased.subscription, parts.lessee);
    if (events === undefined) break;
    const due = await nextDue(parts.db, leased.subscription, parts.clock());
    if (due.length === 0) break;
    await run.deliver(due);
    if (run.over()) break;
  }
  return run.tried;
}

/** One turn of work on a Subscription. After a failure nothing more is begun: the endpoint may be down. */
class Run {
  tried = false;
  private failures: number;
  private failed = false;

  constructor(
    private readonly leased: Leased,
    private readonly parts: DeliveryParts,
    private readonly until: number,
  ) {
    this.failures = leased.failures;
  }

  over(): boolean {
    return this.failed || this.parts.stopping.aborted || this.parts.tick() >= this.until;
  }

  async deliver(due: readonly Queued[]): Promise<void> {
    const streams = new Map<string, Queued[]>();
    for (const one of due) streams.set(one.stream, [...(streams.get(one.stream) ?? []), one]);
    const chains = [...streams.values()];
    const work = async (): Promise<void> => {
      for (let chain = chains.shift(); chain && !this.over(); chain = chains.shift()) await this.deliverChain(chain);
    };
    await Promise.all(Array.from({ length: STREAMS_AT_ONCE }, work));
  }

  private async deliverChain(chain: readonly Queued[]): Promise<void> {
    for (const queued of chain) {
      if (this.over()) return;
      this.tried = true;
      const error = await deliverOne(this.leased, queued, this.parts);
      if (error !== undefined) return this.fail(queued, error);
      await this.take(queued);
    }
  }

  private async take(queued: Queued): Promise<void> {
    const { db, clock } = this.parts;
    await markDone(db, this.leased.subscription, queued, clock());
    if (this.failures === 0) return;
    this.failures = 0;
    await pause(db, this.leased.subscription, 0, 0);
  }

  private async fail(queued: Queued, error: string): Promise<void> {
    const { db, clock, retryMs, giveUpMs } = this.parts;
    const { subscription } = this.leased;
    const now = clock();
    const dead = now - (queued.tried ?? now) >= giveUpMs;
    this.failed = true;
    this.failures += 1;
    await markFailed(db, subscription, queued, { error, now, due: now + backOff(queued.attempts + 1, retryMs), dead });
    await pause(db, subscription, this.failures, now + backOff(this.failures, retryMs));
    if (!dead) return;
    const text = `Event ${queued.number} was given up after ${queued.attempts + 1} attempts. ${error}. What follows for the same patient waits: set status to requested to try again`;
    await changeStatus(subscription, { from: ['active', 'error'], to: 'error', error: text }, { ...this.parts, now });
  }
}

/** What went wrong, or undefined. */
async function deliverOne(leased: Leased, queued: Queued, parts: DeliveryParts): Promise<string | undefined> {
  const sending = await sendingOf(leased, queued, parts).catch((error: unknown) => {
    if (error instanceof FhirError) return `The subscriber may not see this any more: ${error.message}`;
    throw error;
  });
  if (typeof sending === 'string') return sending;
  if (!sending) return undefined;
  const { subscription, caller } = leased;
  const { number, focus, version } = queued;
  const error = await sendSigned(leased, sending, { jti: `${subscription}/${number}` }, parts);
  // Refused or unanswered, it may have been read: it is on record either way.
  parts.audit.recordNotification(caller, { subscription, number, what: `${focus}/_history/${version}`, patients: sending.patients, taken: error === undefined });
  return error;
}

type Unsigned = Pick<Sending, 'method' | 'url' | 'body'> & { readonly event?: number };
/** With the ids of those whom it tells of. */
type Telling = Unsigned & { readonly patients: readonly string[] };

/** Undefined where plain R4 has nothing to send: the subscriber may not see the resource any more. */
async function sendingOf(leased: Leased, queued: Queued, parts: DeliveryParts): Promise<Telling | undefined> {
  const { channel } = leased.wanted;
  await parts.standing(leased.caller);
  const told = await toldOf(leased, queued, parts);
  const { number, focus } = queued;
  const { patients } = told;
  if (channel.content !== undefined) return { method: 'POST', url: channel.endpoint, event: number, patients, body: bundleOf(leased, 'event-notification', number, [{ ...queued, text: told.text }], parts) };
  if (!told.visible) return undefined;
  if (!channel.payload) return { method: 'POST', url: channel.endpoint, event: number, patients, body: '' };
  // With a payload the URL is a service base, and the resource is put there: https://hl7.org/fhir/R4/valueset-subscription-channel-type.html
  const url = `${channel.endpoint.replace(/\/$/, '')}/${focus}`;
  return told.text === undefined ? { method: 'DELETE', url, event: number, patients, body: '' } : { method: 'PUT', url, event: number, patients, body: told.text };
}

function bundleOf({ subscription, wanted }: Leased, type: 'handshake' | 'event-notification', events: number, of: readonly NotifiedEvent[], { base, clock, newId }: DeliveryParts): string {
  const topic = wanted.kind === 'status' ? wanted.topic : undefined;
  const status = type === 'handshake' ? 'requested' : 'active';
  return notificationBundle({ id: newId(), base: base(), subscription, topic, status, type, events, now: clock(), content: wanted.channel.content ?? 'empty', of });
}

async function handshake(leased: Leased, parts: DeliveryParts): Promise<Unsigned> {
  const events = (await numberEvents(parts.db, leased.subscription, parts.lessee)) ?? 0;
  return { method: 'POST', url: leased.wanted.channel.endpoint, body: bundleOf(leased, 'handshake', events, [], parts) };
}

async function sendSigned({ subscription, wanted }: Leased, { method, url, body, event }: Unsigned, claims: { readonly jti: string }, { signer, network, clock, stopping }: DeliveryParts): Promise<string | undefined> {
  const headers: Record<string, string | string[]> = {
    ...(body !== '' && { 'content-type': 'application/fhir+json; charset=utf-8' }),
    'x-entitle-signature': await signer.sign(body, { ...claims, iat: Math.floor(clock() / 1000), htm: method, htu: url }),
    'x-entitle-subscription': subscription,
    ...(event !== undefined && { 'x-entitle-event': String(event) }),
  };
  for (const [name, value] of wanted.channel.headers) headers[name] = name in headers ? [headers[name] ?? [], value].flat() : value;
  return send({ method, url, body, headers }, network, stopping);
}

/** Doubles with every failure up to five minutes (with the usual first second), less up to half of it by chance, so that not all come back at once. */
function backOff(failures: number, retryMs: number): number {
  const pauseMs = retryMs * Math.min(2 ** (failures - 1), LONGEST_PAUSE);
  return Math.ceil(pauseMs / 2) + randomInt(Math.ceil(pauseMs / 2) + 1);
}
