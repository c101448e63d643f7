// The store over PostgreSQL: every noun has its file, this one joins them.
import type { Database, Queryable } from '../db/database.js';
import { isRetried } from '../db/failure.js';
import type { Definitions } from '../definitions/model.js';
import type { FrequencyOf } from '../search/token-frequency.js';
import { history } from './history.js';
import { read, vread } from './read.js';
import { searchPage } from './search-page.js';
import type { Reader, Store } from './store.js';
import { TokenFrequencies } from './token-frequency.js';
import { storeTransaction, writeAgain, writeGroups } from './transaction.js';
import { groupsOf, standsAlone, Writer, type Group } from './write.js';

export interface StoreParts {
  readonly database: Database;
  readonly definitions: Definitions;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export function createStore({ database, definitions, now = Date.now }: StoreParts): Store {
  const writer = new Writer(definitions);
  const frequencies = new TokenFrequencies(database, now);
  const frequencyOf: FrequencyOf = (type) => frequencies.of(type);
  const readerOn = (db: Queryable): Reader => {
    const ground = { db, definitions };
    return {
      read: (grant, type, id) => read(ground, grant, type, id),
      vread: (grant, type, id, version) => vread(ground, grant, type, id, version),
      history: (grant, type, id, page) => history(ground, grant, type, id, page),
      search: (grant, query) => searchPage(ground, frequencyOf, grant, query),
    };
  };
  const transaction: Store['transaction'] = (work) => {
    let runs = 0;
    return database.transaction((db) => {
      runs += 1;
      return work(storeTransaction({ db, reader: readerOn(db), writer, again: runs > 1, now: now() }));
    });
  };
  return {
    ...readerOn(database),
    transaction,
    async write(changes) {
      const groups = groupsOf(changes);
      if (standsAlone(groups)) await writeAlone(database, writer, groups);
      else if (groups.length > 0) await transaction((tx) => tx.write(changes));
    },
  };
}

/** One statement without BEGIN and COMMIT; a transaction only where it has to be tried anew. */
async function writeAlone(database: Database, writer: Writer, groups: readonly Group[]): Promise<void> {
  try {
    await writeGroups(database, writer, groups);
  } catch (error) {
    if (!isRetried(error)) throw error;
    await database.transaction((db) => writeAgain(db, writer, groups));
  }
}
