// A transaction that is none: for rules that decide by what they see, so that a new resource is stored by one statement and nothing has to be
// held until its end. Whatever would lock or change something is refused: the write then takes a transaction of its own.
import type { Queryable } from '../db/database.js';
import type { Store, Transaction } from './store.js';

/** Thrown by a rule, or for it, that has to lock or change something to go on. Nothing was changed. */
export class NeedsTransaction extends Error {
  constructor() {
    super('This write needs a transaction');
  }
}

const needsTransaction = (): Promise<never> => Promise.reject(new NeedsTransaction());
/** A statement that only reads; by its text, which is constant, so that each is looked at once. */
const looks = new Map<string, boolean>();
const MOST_KNOWN = 1000;

function isLook(text: string): boolean {
  const known = looks.get(text);
  if (known !== undefined) return known;
  const look = /^\s*(select|with)\b/i.test(text) && !/\b(insert\s+into|update|delete\s+from|for\s+share|pg_advisory\w*)\b/i.test(text);
  if (looks.size >= MOST_KNOWN) looks.clear();
  looks.set(text, look);
  return look;
}

const LOCKS: Omit<Transaction, keyof Store | 'db'> & Pick<Transaction, 'write'> = {
  write: needsTransaction,
  lock: needsTransaction,
  lockAll: needsTransaction,
  purgeHistory: needsTransaction,
  lockKey: needsTransaction,
  announce: needsTransaction,
};

/** One of its own for each write: what rules note of a transaction is not another's. */
export function lookOnly(store: Store, db: Queryable): Transaction & { readonly looksOnly: true } {
  const { transaction: _transaction, ...reader } = store;
  return { ...reader, ...LOCKS, looksOnly: true, db: { query: (statement) => (isLook(statement.text) ? db.query(statement) : needsTransaction()) } };
}
