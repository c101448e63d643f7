// A database that refuses what would hold two connections at once: as many transactions as there are connections, each of which asks for another, would
// wait for each other for ever. Such questions go to `beside`, or to the transaction's own connection.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Database } from '../src/db/database.js';

/** A job that is woken from within a transaction looks for its work by itself; nobody waits for it. */
const UNAWAITED = new Set(['job-claim']);

export function oneConnectionEach(database: Database): Database {
  const within = new AsyncLocalStorage<{ open: boolean }>();
  const refuse = (what: string): Promise<never> => Promise.reject(new Error(`${what} was asked of the pool while a transaction was open`));
  const isOpen = (): boolean => within.getStore()?.open ?? false;
  return {
    ...database,
    query: (statement) => (isOpen() && !UNAWAITED.has(statement.name ?? '') ? refuse(statement.name ?? statement.text) : database.query(statement)),
    transaction: (work) => {
      if (isOpen()) return refuse('another transaction');
      const store = { open: true };
      return within.run(store, () => database.transaction(work)).finally(() => { store.open = false; });
    },
  };
}
