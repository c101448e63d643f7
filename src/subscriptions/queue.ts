// The queue of each Subscription in the database: which process works on it, and what is due, done or given up.
// Of two processes one holds the lease of a Subscription; when it dies, the lease runs out and another goes on.
import type { Queryable } from '../db/database.js';
import { subscriberOf, type Subscriber } from './subscribers.js';

export type SubscriberState = 'requested' | 'active' | 'error';

export interface Leased extends Subscriber {
  readonly state: SubscriberState;
  /** Failures since the last success. */
  readonly failures: number;
  /** Has the time come that the Subscription itself sets? */
  readonly ended: boolean;
}

/** A notification that is due, or given up. */
export interface Queued {
  readonly stream: string;
  readonly place: number;
  readonly number: number;
  readonly focus: string;
  readonly version: number;
  readonly detail: string | null;
  readonly at: number;
  readonly attempts: number;
  /** When it was first tried, in ms. */
  readonly tried: number | null;
  readonly error: string | null;
}

/** Nothing is begun in the last third of it: a request takes at most ten seconds. */
const LEASE_MS = 30_000;
export const WORK_MS = 15_000;
const AT_ONCE = 32;
const PAGE = 256;

const COLUMNS = 'n.stream, n.place, n.number, n.focus, n.version, n.detail, n.at, n.attempts, n.tried, n.error';
const DUE = {
  name: 'subscriber-due',
  text: `select s.subscription from fhir.subscriber s
    where s.state <> 'off' and s.leased_until <= $1 and (s.ends <= $1 or (s.due <= $1 and (s.state = 'requested'
      or exists (select from fhir.notification n where n.subscription = s.subscription and n.state = 'waiting' and n.due <= $1)))) order by s.due limit ${AT_ONCE}`,
};
const LEASE = {
  name: 'subscriber-lease',
  text: `update fhir.subscriber set lessee = $2, leased_until = $3
    where subscription = (select subscription from fhir.subscriber where subscription = $1 and state <> 'off' and leased_until <= $4 for update skip locked)
    returning subscription, caller, wanted, state, failures, coalesce(ends <= $4, false) as ended`,
};
const RELEASE = {
  name: 'subscriber-release',
  text: 'update fhir.subscriber set leased_until = 0, due = greatest(due, $3) where subscription = $1 and lessee = $2',
};
/** In the order of their moments, but never against the order within a stream. Only the lessee numbers. */
const NUMBER = {
  name: 'notification-number',
  text: `with locked as (select subscription, events from fhir.subscriber where subscription = $1 and lessee = $2 for update),
    fresh as (
      select stream, place, row_number() over (order by moment, stream, place) as nth
      from (select stream, place, max(at) over (partition by stream order by place) as moment from fhir.notification where subscription = $1 and number is null) f),
    numbered as (
      update fhir.notification n set number = l.events + f.nth from fresh f, locked l
      where n.subscription = $1 and n.stream = f.stream and n.place = f.place and n.number is null returning 1)
    update fhir.subscriber s set events = l.events + (select count(*) from numbered) from locked l where s.subscription = l.subscription returning s.events`,
};
/** What waits behind a notification that is given up or not yet due again waits on. */
const NEXT = {
  name: 'notification-next',
  text: `select ${COLUMNS} from fhir.notification n
    where n.subscription = $1 and n.state = 'waiting' and n.due <= $2 and n.number is not null and not exists (
      select from fhir.notification e where e.subscription = n.subscription and e.stream = n.stream and e.number < n.number and e.state <> 'done' and (e.state = 'dead' or e.due > $2))
    order by n.number limit ${PAGE}`,
};
const DONE = {
  name: 'notification-done',
  text: 'update fhir.notification set state = \'done\', done = $4, error = null where subscription = $1 and stream = $2 and place = $3',
};
const FAILED = {
  name: 'notification-failed',
  text: `update fhir.notification set attempts = attempts + 1, tried = coalesce(tried, $4), due = $5, error = $6, state = case when $7 then 'dead' else 'waiting' end
    where subscription = $1 and stream = $2 and place = $3`,
};
const PAUSE = { name: 'subscriber-pause', text: 'update fhir.subscriber set failures = $2, due = $3 where subscription = $1' };
const SWEEP = { name: 'notification-sweep', text: 'delete from fhir.notification where state = \'done\' and done < $1' };

export async function dueSubscriptions(db: Queryable, now: number): Promise<string[]> {
  const { rows } = await db.query<{ subscription: string }>({ ...DUE, values: [now] });
  return rows.map(({ subscription }) => subscription);
}

/** Undefined where another process has it. */
export async function lease(db: Queryable, subscription: string, lessee: string, now: number): Promise<Leased | undefined> {
  const { rows: [row] } = await db.query<{ subscription: string; caller: string; wanted: string; state: SubscriberState; failures: number; ended: boolean }>({ ...LEASE, values: [subscription, lessee, now + LEASE_MS, now] });
  return row && { ...subscriberOf(row), state: row.state, failures: row.failures, ended: row.ended };
}

/** Not looked at again before `due`. */
export async function release(db: Queryable, subscription: string, lessee: string, due = 0): Promise<void> {
  await db.query({ ...RELEASE, values: [subscription, lessee, due] });
}

/** Numbers what has come; the number of the last event, or undefined where the lease is lost. */
export async function numberEvents(db: Queryable, subscription: string, lessee: string): Promise<number | undefined> {
  const { rows: [row] } = await db.query<{ events: number }>({ ...NUMBER, values: [subscription, lessee] });
  return row?.events;
}

/** In the order of their numbers. */
export async function nextDue(db: Queryable, subscription: string, now: number): Promise<readonly Queued[]> {
  return (await db.query<Queued>({ ...NEXT, values: [subscription, now] })).rows;
}

export async function markDone(db: Queryable, subscription: string, { stream, place }: Queued, now: number): Promise<void> {
  await db.query({ ...DONE, values: [subscription, stream, place, now] });
}

export interface Failure {
  readonly error: string;
  readonly now: number;
  /** When to try again, in ms. */
  readonly due: number;
  /** Given up. */
  readonly dead: boolean;
}

export async function markFailed(db: Queryable, subscription: string, { stream, place }: Queued, { error, now, due, dead }: Failure): Promise<void> {
  await db.query({ ...FAILED, values: [subscription, stream, place, now, due, error, dead] });
}

/** Nothing of the Subscription is tried before `due`. */
export async function pause(db: Queryable, subscription: string, failures: number, due: number): Promise<void> {
  await db.query({ ...PAUSE, values: [subscription, failures, due] });
}

/** Forgets what was taken before `before`: it can't be asked for by $events any more. */
export async function sweep(db: Queryable, before: number): Promise<void> {
  await db.query({ ...SWEEP, values: [before] });
}
