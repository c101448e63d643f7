// What the store does inside one database transaction.
import type { Queryable } from '../db/database.js';
import { inOneGo } from '../db/in-one-go.js';
import type { CodeText } from '../search/index-rows.js';
import type { Outbox } from './outbox.js';
import type { Beside, Change, Reader, Transaction } from './store.js';
import { purgeHistory } from './purge-history.js';
import { lock, lockAll } from './read.js';
import { restateTexts } from './text-index.js';
import { groupsOf, type Group, type Writer } from './write.js';
import { besideText } from './write-statements.js';

export interface TransactionParts {
  readonly db: Queryable;
  readonly reader: Reader;
  readonly writer: Writer;
  /** Takes what is added to the dictionary. */
  readonly added: CodeText[];
  /** Not the first run: an earlier one may have been committed, its answer lost. */
  readonly again: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly outbox?: Outbox | undefined;
}

export function storeTransaction({ db, reader, writer, added, again, now, outbox }: TransactionParts): Transaction {
  const tx: Transaction = {
    ...reader,
    db,
    lock: (type, id) => lock(db, type, id),
    lockAll: (type, ids) => lockAll(db, type, ids),
    purgeHistory: (type, id, version) => purgeHistory(db, type, id, version),
    async lockKey(key) {
      // Taking the row is what serialises; `touched` lets old keys be swept.
      const text = 'insert into fhir.resource_key (key, touched) values ($1, $2) on conflict (key) do update set touched = excluded.touched';
      await db.query({ name: 'lock key', text, values: [key, now] });
    },
    async write(changes, besides) {
      const groups = groupsOf(changes);
      const made = again ? await writeAgain(db, writer, groups, added, besides) : changes;
      if (!again) await writeGroups(db, writer, groups, added, besides);
      const restated = made.filter(({ restates }) => restates);
      if (restated.length > 0) await restateTexts(db, restated);
      // No version was made of those: there is nothing to tell.
      const told = restated.length > 0 ? made.filter(({ restates }) => !restates) : made;
      if (outbox && told.length > 0 && (await outbox.listens(groups.map(({ type }) => type)))) await outbox.changed(tx, told);
    },
    announce: async (news) => {
      if (outbox && news.length > 0) await outbox.announced(tx, news);
    },
  };
  return tx;
}

/** All groups in one go: the connection sends the next statement without waiting for the last one's answer. */
export async function writeGroups(db: Queryable, writer: Writer, groups: readonly Group[], added: CodeText[], besides: readonly Beside[] = []): Promise<void> {
  const [only, another] = groups;
  if (only && !another && !(besides.length > 0 && only.kind === 'shift')) return writer.write(db, only, added, besides);
  const writes: Promise<unknown>[] = groups.map((group) => writer.write(db, group, added));
  for (const beside of besides) writes.push(db.query({ name: `beside ${beside.name}`, text: besideText(beside), values: beside.values }));
  await inOneGo(writes);
}

/** For a second run, when the first may have been committed although its answer was lost: leaves out what is there already, and says what was not. */
export async function writeAgain(db: Queryable, writer: Writer, groups: readonly Group[], added: CodeText[], besides: readonly Beside[] = []): Promise<readonly Change[]> {
  const remaining: Change[] = [];
  for (const group of groups) remaining.push(...(await writer.remaining(db, group)));
  // What is beside the changes was committed with them, or is not there either.
  if (remaining.length > 0) await writeGroups(db, writer, groupsOf(remaining), added, besides);
  return remaining;
}
