// What work by the clock is given: rooms look for what is due, and see to each in a transaction of its own.
import type { Queryable } from '../db/database.js';
import type { Resource } from '../fhir/resource.js';
import type { Store, Transaction } from './store.js';

export interface SweepParts {
  readonly db: Queryable;
  readonly store: Pick<Store, 'transaction'>;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly newId: () => string;
  /** Stores a resource as the next version of itself, or as its first. */
  put(tx: Transaction, resource: Resource): Promise<void>;
}
