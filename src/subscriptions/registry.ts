// The rows of those who subscribe: entered, silenced and forgotten in the transaction of the write of their Subscription.
import type { Queryable } from '../db/database.js';
import type { Caller } from '../fhir/caller.js';
import type { Wanted } from './wanted.js';

export interface Registration {
  readonly subscription: string;
  /** The writer: the subscriber, unless another is registered already. */
  readonly caller: Caller;
  readonly wanted: Wanted;
  /** Milliseconds since the epoch. */
  readonly ends: number | null;
}

const REGISTER = {
  name: 'subscriber-register',
  text: `insert into fhir.subscriber as s (subscription, caller, owner, wanted, ends, state) values ($1, $2, $3, $4, $5, 'requested')
    on conflict (subscription) do update set caller = case when s.owner = excluded.owner then excluded.caller else s.caller end,
      wanted = excluded.wanted, ends = excluded.ends, state = 'requested', failures = 0, due = 0`,
};
const CHANGE = {
  name: 'subscriber-change',
  text: 'update fhir.subscriber set caller = case when owner = $3 then $2 else caller end, wanted = $4, ends = $5 where subscription = $1 and state <> \'off\'',
};
const REVIVE = {
  name: 'notification-revive',
  text: 'update fhir.notification set state = \'waiting\', due = 0, attempts = 0, tried = null where subscription = $1 and state <> \'done\'',
};
const SILENCE = { name: 'subscriber-silence', text: 'update fhir.subscriber set state = \'off\', events = 0 where subscription = $1' };
const FORGET = { name: 'subscriber-forget', text: 'delete from fhir.subscriber where subscription = $1' };
const DROP_STREAMS = { name: 'notification-drop-streams', text: 'delete from fhir.notification_stream where subscription = $1' };
const DROP = { name: 'notification-drop', text: 'delete from fhir.notification where subscription = $1' };
const STAMP = { name: 'subscriber-list-stamp', text: 'update fhir.subscriber_list set stamp = stamp + 1 where name = \'subscriber\'', values: [] };

/** Requested: it is made active soon, and what was given up is tried again. */
export async function register(db: Queryable, registration: Registration): Promise<void> {
  await db.query({ ...REGISTER, values: valuesOf(registration) });
  await db.query({ ...REVIVE, values: [registration.subscription] });
  await db.query(STAMP);
}

/** Goes on as it is, in another way. */
export async function change(db: Queryable, registration: Registration): Promise<void> {
  await db.query({ ...CHANGE, values: valuesOf(registration) });
  await db.query(STAMP);
}

const valuesOf = ({ subscription, caller, wanted, ends }: Registration): unknown[] =>
  [subscription, JSON.stringify(caller), `${caller.client} ${caller.subject}`, JSON.stringify(wanted), ends];

/** Nothing more is told, and what was to be told is dropped. */
export async function silence(db: Queryable, subscription: string): Promise<void> {
  const { count } = await db.query({ ...SILENCE, values: [subscription] });
  if (count > 0) await drop(db, subscription);
}

export async function forget(db: Queryable, subscription: string): Promise<void> {
  const { count } = await db.query({ ...FORGET, values: [subscription] });
  if (count > 0) await drop(db, subscription);
}

async function drop(db: Queryable, subscription: string): Promise<void> {
  await db.query({ ...DROP, values: [subscription] });
  await db.query({ ...DROP_STREAMS, values: [subscription] });
  await db.query(STAMP);
}
