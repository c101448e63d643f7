// The store over PostgreSQL: every noun has its file, this one joins them.
import type { Database, Queryable } from '../db/database.js';
import type { Definitions } from '../definitions/model.js';
import { history } from './history.js';
import { read, vread } from './read.js';
import { searchPage } from './search-page.js';
import type { Reader, Store } from './store.js';
import { TokenFrequencies } from './token-frequency.js';
import { storeTransaction, writeGroups } from './transaction.js';
import { groupsOf, standsAlone, Writer } from './write.js';

export interface StoreParts {
  readonly database: Database;
  readonly definitions: Definitions;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export function createStore({ database, definitions, now = Date.now }: StoreParts): Store {
  const writer = new Writer(definitions);
  const frequencies = new TokenFrequencies(database, now);
  const readerOn = (db: Queryable): Reader => ({
    read: (grant, type, id) => read(db, grant, type, id),
    vread: (grant, type, id, version) => vread(db, grant, type, id, version),
    history: (grant, type, id, page) => history(db, grant, type, id, page),
    search: (grant, query) => searchPage(db, definitions, frequencies, grant, query),
  });
  return {
    ...readerOn(database),
    async write(changes) {
      const groups = groupsOf(changes);
      if (standsAlone(groups)) await writeGroups(database, writer, groups);
      else if (groups.length > 0) await database.transaction((db) => writeGroups(db, writer, groups));
    },
    async transaction(work) {
      let runs = 0;
      return database.transaction((db) => {
        runs += 1;
        return work(storeTransaction({ db, reader: readerOn(db), writer, again: runs > 1, now: now() }));
      });
    },
  };
}
