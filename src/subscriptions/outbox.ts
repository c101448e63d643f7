// Writes down who is to be told of a change, in the transaction of that change: told after it is committed, and never else.
import type { Definitions } from '../definitions/model.js';
import type { Caller } from '../fhir/caller.js';
import { FhirError } from '../fhir/errors.js';
import type { FhirRequest } from '../fhir/request.js';
import type { Grant } from '../search/grant.js';
import { parseSearch } from '../search/parse.js';
import type { Clause } from '../search/query.js';
import type { News } from '../store/news.js';
import type { Outbox } from '../store/outbox.js';
import type { Change, Transaction } from '../store/store.js';
import { askingFor, type Permit } from './rights.js';
import type { Listeners, Subscriber, Subscribers } from './subscribers.js';
import type { SearchWanted } from './wanted.js';

export interface OutboxParts {
  readonly subscribers: Subscribers;
  readonly definitions: Definitions;
  readonly permit: Permit;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

interface Told {
  readonly subscription: string;
  readonly stream: string;
  readonly focus: string;
  readonly version: number;
  readonly detail: string | null;
}

/**
 * The place in a stream is counted up in a row that stays locked until the transaction ends: what is told of one patient is
 * numbered in the order in which it was committed, without a gap, whatever resources it came from.
 */
const TELL = {
  name: 'notification-tell',
  text: `with told as (
      select t.*, row_number() over (partition by subscription, stream order by n) as nth, count(*) over (partition by subscription, stream) as many
      from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[]) with ordinality as t(subscription, stream, focus, version, detail, n)),
    counted as (
      insert into fhir.notification_stream as s (subscription, stream, last)
      select subscription, stream, many from told where nth = 1 order by subscription, stream
      on conflict (subscription, stream) do update set last = s.last + excluded.last returning subscription, stream, last)
    insert into fhir.notification (subscription, stream, place, focus, version, detail, at)
    select t.subscription, t.stream, c.last - t.many + t.nth, t.focus, t.version, t.detail, $6
    from told t join counted c on c.subscription = t.subscription and c.stream = t.stream`,
};

export function createOutbox(parts: OutboxParts): Outbox {
  const { subscribers } = parts;
  const hears = (types: readonly string[]) => (listeners: Listeners): boolean => listeners.byType.size > 0 && types.some((type) => listeners.byType.has(type));
  return {
    listens(types) {
      const current = subscribers.current();
      return current instanceof Promise ? current.then(hears(types)) : hears(types)(current);
    },
    async changed(tx, changes) {
      const { byType } = await subscribers.current();
      const told: Told[] = [];
      for (const [type, listeners] of byType) {
        const ofType = changes.filter((change) => change.type === type && change.text !== null);
        if (ofType.length === 0) continue;
        for (const one of listeners) told.push(...(await matching(one, ofType, tx, parts)));
      }
      await tell(tx, told, parts.clock());
    },
    async announced(tx, news) {
      const listeners = await subscribers.current();
      if (listeners.ofAll.length === 0 && listeners.ofOne.size === 0) return;
      const told: Told[] = [];
      for (const one of news) told.push(...(await heard(listeners, one)));
      await tell(tx, told, parts.clock());
    },
  };
}

async function heard(listeners: Listeners, news: News): Promise<Told[]> {
  const { stream, focus, version, detail } = news;
  return (await listenersOf(listeners, news)).map(({ subscription }) => ({ subscription, stream, focus, version, detail }));
}

async function tell(tx: Transaction, told: readonly Told[], now: number): Promise<void> {
  if (told.length === 0) return;
  const column = <K extends keyof Told>(key: K): Told[K][] => told.map((one) => one[key]);
  await tx.db.query({ ...TELL, values: [column('subscription'), column('stream'), column('focus'), column('version'), column('detail'), now] });
}

async function listenersOf({ ofAll, ofOne }: Listeners, news: News): Promise<readonly Subscriber[]> {
  if (ofOne.size === 0) return ofAll;
  const subjects = new Set(await news.subjects());
  return [...ofAll, ...[...subjects].flatMap((subject) => ofOne.get(subject) ?? [])];
}

/** The criteria are an ordinary search under the subscriber's own Grant, restricted to what has changed. */
async function matching({ subscription, caller, wanted }: Subscriber, changes: readonly Change[], tx: Transaction, { definitions, permit, clock }: OutboxParts): Promise<Told[]> {
  if (wanted.kind !== 'search') return [];
  const grant = grantOf(permit, caller, askingFor(wanted));
  if (!grant) return [];
  const ids = changes.map(({ id }) => id);
  const where: Clause = { kind: 'and', of: [{ kind: 'ids', ids }, queryOf(definitions, wanted, clock()).where] };
  const query = { type: wanted.type, where, sort: [], count: ids.length, includes: [], total: 'none' as const, self: [] };
  const { matches } = await tx.search(grant, query);
  const found = new Set(matches.map(({ id }) => id));
  return changes.filter(({ id }) => found.has(id)).map((change) => ({ subscription, stream: streamOf(change), focus: `${change.type}/${change.id}`, version: change.version, detail: null }));
}

export const queryOf = (definitions: Definitions, { type, pairs }: SearchWanted, now: number) =>
  parseSearch({ definitions, type, pairs, handling: 'strict', defaultCount: 1, maxCount: 1, now }).query;

/** Undefined where the subscriber has lost the right: nothing is told, and nobody else's write fails for it. */
function grantOf(permit: Permit, caller: Caller, request: FhirRequest): Grant | undefined {
  try {
    return permit(caller, request);
  } catch (error) {
    if (error instanceof FhirError) return undefined;
    throw error;
  }
}

/** The patient it is of, where it is of one; else the resource itself. */
function streamOf({ type, id, rows }: Change): string {
  return type !== 'Patient' && rows?.subject != null && rows.subject.startsWith('Patient/') ? rows.subject : `${type}/${id}`;
}
