// Who listens: the list of Subscriptions as this process holds it, never older than it may be.
import type { Queryable } from '../db/database.js';
import type { Caller } from '../fhir/caller.js';
import type { Wanted } from './wanted.js';

export interface Subscriber {
  readonly subscription: string;
  readonly caller: Caller;
  readonly wanted: Wanted;
}

/**
 * A list that is older is read anew before a change is judged by it. So every change meets a Subscription that was stored
 * this long before: a new one is made active only then (activate.ts).
 */
export const OLDEST_MS = 600;

const STAMP = { name: 'subscriber-stamp', text: 'select stamp from fhir.subscriber_list where name = \'subscriber\'', values: [] };
const LIST = { name: 'subscriber-list', text: 'select subscription, caller, wanted from fhir.subscriber where state <> \'off\'', values: [] };

/** The list, sorted by what each listens to. */
export interface Listeners {
  readonly byType: ReadonlyMap<string, readonly Subscriber[]>;
  /** Of chargeable statuses: of everybody, and by the name of one patient. */
  readonly ofAll: readonly Subscriber[];
  readonly ofOne: ReadonlyMap<string, readonly Subscriber[]>;
}

const NOBODY: Listeners = { byType: new Map(), ofAll: [], ofOne: new Map() };

export class Subscribers {
  private listeners = NOBODY;
  private stamp = -1;
  private readAt = -Infinity;
  private reading: Promise<void> | undefined;

  /** `tick`: milliseconds of a clock that never steps. */
  constructor(
    private readonly db: Queryable,
    private readonly tick: () => number,
  ) {}

  /** The list, at once where it is young enough. */
  current(): Listeners | Promise<Listeners> {
    return this.tick() - this.readAt <= OLDEST_MS ? this.listeners : this.refresh().then(() => this.listeners);
  }

  /** One read at a time, shared by all who wait; it counts as old as its beginning. */
  refresh(): Promise<void> {
    this.reading ??= this.read().finally(() => {
      this.reading = undefined;
    });
    return this.reading;
  }

  private async read(): Promise<void> {
    const begun = this.tick();
    const { rows: [row] } = await this.db.query<{ stamp: number }>(STAMP);
    const stamp = row?.stamp ?? 0;
    if (stamp !== this.stamp) {
      const { rows } = await this.db.query<{ subscription: string; caller: string; wanted: string }>(LIST);
      this.listeners = sorted(rows.map(subscriberOf));
      this.stamp = stamp;
    }
    this.readAt = begun;
  }
}

export function subscriberOf(row: { readonly subscription: string; readonly caller: string; readonly wanted: string }): Subscriber {
  return { subscription: row.subscription, caller: Object.freeze(JSON.parse(row.caller) as Caller), wanted: JSON.parse(row.wanted) as Wanted };
}

function sorted(subscribers: readonly Subscriber[]): Listeners {
  const byType = new Map<string, Subscriber[]>();
  const ofOne = new Map<string, Subscriber[]>();
  const ofAll: Subscriber[] = [];
  const add = (map: Map<string, Subscriber[]>, key: string, one: Subscriber): void => void map.set(key, [...(map.get(key) ?? []), one]);
  for (const one of subscribers) {
    if (one.wanted.kind === 'search') add(byType, one.wanted.type, one);
    else if (one.wanted.about !== undefined) add(ofOne, one.wanted.about, one);
    else ofAll.push(one);
  }
  return { byType, ofAll, ofOne };
}
