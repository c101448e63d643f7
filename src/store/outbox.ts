// How changes reach those who subscribe: main hands the store an outbox, which the transaction of every change meets, whatever road it came by.
import type { News } from './news.js';
import type { Change, Transaction } from './store.js';

export interface Outbox {
  /** May anyone wish to be told of a change of one of these types? Mostly known without asking the database. */
  listens(types: readonly string[]): boolean | Promise<boolean>;
  /** In the transaction of the changes, after they have been written. */
  changed(tx: Transaction, changes: readonly Change[]): Promise<void>;
  /** In the transaction of what it tells of. */
  announced(tx: Transaction, news: readonly News[]): Promise<void>;
}
