// The store over PostgreSQL: every noun has its file, this one joins them.
import type { Database, Queryable } from '../db/database.js';
import { isRetried } from '../db/failure.js';
import type { Definitions } from '../definitions/model.js';
import { addedKeys } from '../search/added.js';
import { createExtractor } from '../search/extract.js';
import type { CodeText } from '../search/index-rows.js';
import type { Grant } from '../search/grant.js';
import type { Clause } from '../search/query.js';
import type { FrequencyOf } from '../search/token-frequency.js';
import type { AddedParameters } from './added-parameters.js';
import { KnownTexts } from './code-texts.js';
import { createCrowds, type AloneWrite } from './create-crowd.js';
import { explain } from './explain.js';
import { historyOfTypes } from './history-of-types.js';
import { history } from './history.js';
import { metaInUse } from './meta-in-use.js';
import { read, vread } from './read.js';
import { deletedIds, linesAsOf, scanIds } from './scan.js';
import { reachContained, searchContained } from './search-contained.js';
import { leadsFar, withFarEnds } from './far-ends.js';
import { searchPage } from './search-page.js';
import type { Outbox } from './outbox.js';
import { StaleParameters, type Reader, type Store } from './store.js';
import { TextIndex } from './text-index.js';
import { TokenFrequencies } from './token-frequency.js';
import { storeTransaction, writeAgain, writeGroups } from './transaction.js';
import { viewed } from './viewed.js';
import { groupsOf, standsAlone, Writer } from './write.js';

export interface StoreParts {
  readonly database: Database;
  readonly definitions: Definitions;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** What follows the search parameters of the database, into `definitions`; unset where those do not change. */
  readonly added?: Pick<AddedParameters, 'refresh' | 'stillReady'>;
  /** Unset, nobody is told of changes. */
  readonly outbox?: Outbox;
}

/** Of one write, when search parameters change again and again. */
const MOST_TRIES = 5;

export function createStore({ database, definitions, now = Date.now, added: parameters, outbox }: StoreParts): Store {
  const known = new KnownTexts();
  const writer = new Writer(definitions, known);
  const extract = createExtractor(definitions);
  const frequencies = new TokenFrequencies(database, now);
  const texts = new TextIndex(database, now);
  const frequencyOf: FrequencyOf = (type) => frequencies.of(type);
  let reached = false;
  /** For chains, which are many: once nothing is left to be read in, nothing ever is again. */
  const reachOnce = async (db: Queryable): Promise<void> => {
    if (!reached) await reachContained(db, database, extract, now);
    reached ||= db === database;
  };
  const readerOn = (db: Queryable): Reader => {
    const ground = { db, definitions };
    const shown = viewed({
      read: (grant, type, id) => read(ground, grant, type, id),
      vread: (grant, type, id, version) => vread(ground, grant, type, id, version),
      history: (grant, type, id, page) => history(ground, grant, type, id, page),
      historyOfTypes: (grant, query) => historyOfTypes(ground, grant, query),
      async search(grant, query) {
        const reaching = texts.reach(db, query);
        if (reaching) await reaching;
        const page = await searchPage(ground, frequencyOf, grant, await farther(grant, query));
        const keys = addedKeys(definitions, query);
        if (keys.size > 0) await parameters?.stillReady(db, keys);
        return page;
      },
      metaInUse: (grant, types) => metaInUse(ground, grant, types),
      async scan(grant, scan) {
        const reaching = texts.reach(db, scan);
        if (reaching) await reaching;
        return scanIds(ground, frequencyOf, grant, await farther(grant, scan));
      },
      linesAsOf: (grant, type, ids, at) => linesAsOf(ground, grant, type, ids, at),
      deleted: (grant, scan) => deletedIds(ground, grant, scan),
      explain: async (grant, query) => explain(ground, frequencyOf, grant, await farther(grant, query)),
    });
    /** What chains lead to without a row of the index is looked for first. */
    const farther = async <T extends { readonly type: string; readonly where: Clause }>(grant: Grant, query: T): Promise<T> => {
      if (!leadsFar(query.where)) return query;
      await reachOnce(db);
      return { ...query, where: await withFarEnds({ db, definitions, grant, search: (other) => shown.search(grant, other) }, query.type, query.where) };
    };
    return {
      ...shown,
      async searchContained(grant, query) {
        await reachContained(db, database, extract, now);
        return searchContained(ground, shown, grant, query);
      },
    };
  };
  /** What was refused as a whole for other search parameters is made anew with those. */
  const anew = async <T>(write: () => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await write();
      } catch (error) {
        if (!(error instanceof StaleParameters) || !parameters || tries === MOST_TRIES) throw error;
        await parameters.refresh();
      }
    }
  };
  const transaction: Store['transaction'] = (work) => anew(async () => {
    let runs = 0;
    let added: CodeText[] = [];
    const result = await database.transaction((db) => {
      runs += 1;
      if (runs > 1) known.clear();
      added = [];
      return work(storeTransaction({ db, reader: readerOn(db), writer, added, again: runs > 1, now: now(), outbox }));
    });
    known.add(added);
    return result;
  });
  const store = createCrowds((write) => anew(() => writeAlone(database, writer, known, write)));
  return {
    ...readerOn(database),
    transaction,
    async write(changes, besides = []) {
      const groups = groupsOf(changes);
      const told = outbox?.listens(groups.map(({ type }) => type)) ?? false;
      const listened = typeof told === 'boolean' ? told : await told;
      const [group] = groups;
      if (group && standsAlone(groups, besides) && !listened) await store({ group, besides });
      else if (groups.length > 0) await transaction((tx) => tx.write(changes, besides));
    },
  };
}

/** One statement without BEGIN and COMMIT; a transaction only where it has to be tried anew. */
async function writeAlone(database: Database, writer: Writer, known: KnownTexts, { group, besides }: AloneWrite): Promise<void> {
  const groups = [group];
  let added: CodeText[] = [];
  try {
    await writeGroups(database, writer, groups, added, besides);
  } catch (error) {
    if (!isRetried(error)) throw error;
    known.clear();
    await database.transaction((db) => {
      added = [];
      return writeAgain(db, writer, groups, added, besides);
    });
  }
  known.add(added);
}
