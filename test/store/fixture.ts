// A store over a cloned database, and changes to put into it.
import { openDatabase } from '../../src/db/pool.js';
import type { Database } from '../../src/db/database.js';
import { loadDefinitions } from '../../src/definitions/load.js';
import { paramKey } from '../../src/definitions/param-key.js';
import { serverGrant, type Grant } from '../../src/search/grant.js';
import type { IndexRows } from '../../src/search/index-rows.js';
import type { Clause } from '../../src/search/query.js';
import { createStore } from '../../src/store/postgres-store.js';
import type { Change, Store } from '../../src/store/store.js';
import { cloneDatabase } from '../database.js';

export const definitions = loadDefinitions();

export interface Fixture {
  readonly database: Database;
  readonly store: Store;
  close(): Promise<void>;
}

export async function openFixture(prepared = true): Promise<Fixture> {
  const clone = await cloneDatabase();
  const database = openDatabase({ connection: clone.connection, size: 25, prepared });
  const close = async (): Promise<void> => {
    await database.close();
    await clone.drop();
  };
  return { database, store: createStore({ database, definitions }), close };
}

/** Every row of every table of the schema, to see that nothing was left behind. */
export async function everything(database: Database): Promise<Readonly<Record<string, unknown>>> {
  const { rows: tables } = await database.query<{ name: string }>({ text: `select tablename as name from pg_tables where schemaname = 'fhir'`, values: [] });
  const found: Record<string, unknown> = {};
  for (const { name } of tables) {
    const { rows } = await database.query({ text: `select * from fhir."${name}" t order by t::text`, values: [] });
    if (rows.length > 0) found[name] = rows;
  }
  return found;
}

export function grantOf(clause: Clause): Grant {
  return { ...serverGrant('test'), rows: () => clause };
}

export const ALL = grantOf({ kind: 'all' });
export const NONE = grantOf({ kind: 'none' });

export const NO_ROWS: IndexRows = {
  ...{ generation: 0, tokens: [], refs: [], present: '', self: 1n, subject: null, dateLo: null, dateHi: null },
  ...{ texts: [], strings: [], dates: [], quantities: [] },
};

/** Something in every index table. */
export function fullRows(type: string, mark: number): IndexRows {
  return {
    generation: 0,
    tokens: [BigInt(mark), -9223372036854775808n, 9223372036854775807n],
    refs: [`Patient/${String(mark)} subject patient `, 'a "quoted\\ one, {with} braces '],
    present: '0101',
    self: BigInt(mark),
    subject: `Patient/${String(mark)}`,
    dateLo: mark,
    dateHi: mark + 1000,
    texts: [{ param: paramKey(type, '_tag'), value: `tag ${String(mark)}`, token: BigInt(mark) }],
    strings: [
      { param: paramKey(type, 'name'), value: `name ${String(mark)}`, raw: `Name "${String(mark)}"` },
      { param: paramKey(type, 'name'), value: '', raw: 'NULL' },
    ],
    dates: [{ param: paramKey(type, 'birthdate'), lo: mark, hi: mark + 1 }],
    quantities: [{ param: paramKey(type, '_id'), key: 1n, value: '6.30', unit: 2n, code: 3n, display: -4n }],
  };
}

export function create(type: string, id: string, more: Partial<Change> = {}): Change {
  return { type, id, version: 1, updated: 1000, method: 'POST', text: `{"resourceType":"${type}","id":"${id}"}`, rows: NO_ROWS, ...more };
}

export function update(type: string, id: string, before: number, more: Partial<Change> = {}): Change {
  return { ...create(type, id), version: before + 1, updated: 1000 * (before + 1), method: 'PUT', text: `{"version":${String(before + 1)}}`, before, ...more };
}

export function remove(type: string, id: string, before: number): Change {
  return { type, id, version: before + 1, updated: 1000 * (before + 1), method: 'DELETE', text: null, before };
}
