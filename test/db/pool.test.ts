// openDatabase: values in and out, transactions and their retries, lost connections.
import type { Database } from '../../src/db/database.js';
import { openDatabase } from '../../src/db/pool.js';
import { cloneDatabase, type TestDatabase } from '../database.js';

let clone: TestDatabase;
let db: Database;

beforeAll(async () => {
  clone = await cloneDatabase();
  db = openDatabase({ connection: clone.connection, size: 4, prepared: true });
});
afterAll(async () => {
  await db.close();
  await clone.drop();
});

async function value(text: string, ...values: unknown[]): Promise<unknown> {
  const { rows } = await db.query<{ it: unknown }>({ text: `select ${text} as it`, values });
  return rows[0]?.it;
}

test('the round trip works', async () => {
  await db.ping();
  expect(await value('$1::int + 1', 41)).toBe(42);
});
