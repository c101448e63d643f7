// What a Subscription has told, has still to tell and has given up, as its subscriber and administrators ask for it.
import type { Queryable } from '../db/database.js';
import type { Queued } from './queue.js';
import type { Wanted } from './wanted.js';

/** How a Subscription stands in the outbox. */
export interface Standing {
  readonly wanted: Wanted;
  /** The number of the last event. */
  readonly events: number;
}

export type NumberedEvent = Pick<Queued, 'number' | 'focus' | 'version' | 'detail' | 'at'>;

/** An event that was given up. */
export interface DeadLetter extends NumberedEvent {
  readonly attempts: number;
  /** When it was first tried, in ms. */
  readonly tried: number | null;
  readonly error: string | null;
  /** How many of the same patient (or of the same resource, where it is of none) wait for it. */
  readonly behind: number;
}

const STANDING = { name: 'subscriber-standing', text: 'select wanted, events from fhir.subscriber where subscription = $1' };
const EVENTS = {
  name: 'notification-events',
  text: 'select number, focus, version, detail, at from fhir.notification where subscription = $1 and number between $2 and $3 order by number limit $4',
};
const DEAD = {
  name: 'notification-dead',
  text: `select n.number, n.focus, n.version, n.detail, n.at, n.attempts, n.tried, n.error,
      (select count(*) from fhir.notification w where w.subscription = n.subscription and w.stream = n.stream and w.state = 'waiting') as behind
    from fhir.notification n where n.subscription = $1 and n.state <> 'done' and n.state = 'dead' order by n.number limit $2`,
};

/** Undefined where it was never served. */
export async function standingOf(db: Queryable, subscription: string): Promise<Standing | undefined> {
  const { rows: [row] } = await db.query<{ wanted: string; events: number }>({ ...STANDING, values: [subscription] });
  return row && { wanted: JSON.parse(row.wanted) as Wanted, events: row.events };
}

/** Those with numbers from `since` to `until`, the first `most` of them. What was taken is forgotten after KEPT_MS (postman.ts). */
export async function eventsBetween(db: Queryable, subscription: string, { since, until, most }: { readonly since: number; readonly until: number; readonly most: number }): Promise<readonly NumberedEvent[]> {
  return (await db.query<NumberedEvent>({ ...EVENTS, values: [subscription, since, until, most] })).rows;
}

/** In the order of their numbers, the first `most` of them. */
export async function deadLetters(db: Queryable, subscription: string, most: number): Promise<readonly DeadLetter[]> {
  return (await db.query<DeadLetter>({ ...DEAD, values: [subscription, most] })).rows;
}
