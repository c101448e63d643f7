// A crowd of look-ups by one key is asked as one statement; each asker gets its own rows, its own refusal, and what was written before it asked.
import type { Database, Statement } from '../../src/db/database.js';
import { together } from '../../src/db/together.js';
import { openDatabase } from '../../src/db/pool.js';
import { cloneDatabase, type TestDatabase } from '../database.js';

let clone: TestDatabase;
let db: Database;

beforeAll(async () => {
  clone = await cloneDatabase();
  db = openDatabase({ connection: clone.connection, size: 4, prepared: true });
  await db.query({ text: 'create table item (id text primary key, amount bigint not null)', values: [] });
  await db.query({ text: `insert into item select 'i' || n, n from generate_series(1, 300) n`, values: [] });
});
afterAll(async () => {
  await db.close();
  await clone.drop();
});

const amountOf = (id: string): Statement => ({
  name: 'amount',
  text: 'select amount from item where id = $1',
  together: 'select id as asked, amount from item where id = any((select $1::text[])::text[])',
  values: [id],
});

/** The database, and how many statements it was asked. */
function counted() {
  const asked: Statement[] = [];
  const query = together((statement) => {
    asked.push(statement);
    const { name = '', text, values } = statement;
    return db.query({ name, text, values });
  });
  return { asked, query };
}

test('three hundred at once take few statements, and each is answered', async () => {
  const { asked, query } = counted();
  const answers = await Promise.all(Array.from({ length: 300 }, (_, index) => query<{ amount: number }>(amountOf(`i${index + 1}`))));
  expect(answers.map(({ rows, count }) => [count, rows[0]?.amount])).toEqual(Array.from({ length: 300 }, (_, index) => [1, index + 1]));
  expect(asked.length).toBeLessThan(20);
  expect(asked.length).toBeGreaterThan(8);
});

test('the few go straight, each by its own statement', async () => {
  const { asked, query } = counted();
  for (let round = 0; round < 5; round += 1) await Promise.all([1, 2, 3, 4].map((id) => query(amountOf(`i${id}`))));
  expect(asked.map(({ values }) => values[0])).toEqual(Array.from({ length: 5 }, () => ['i1', 'i2', 'i3', 'i4']).flat());
});

test('after the crowd the few go straight again', async () => {
  const { asked, query } = counted();
  await Promise.all(Array.from({ length: 100 }, (_, index) => query(amountOf(`i${index + 1}`))));
  await query(amountOf('i1'));
  const before = asked.length;
  await Promise.all(['i5', 'i6', 'i7'].map((id) => query(amountOf(id))));
  expect(asked.slice(before).map(({ values }) => values[0])).toEqual(['i5', 'i6', 'i7']);
});

test('the same key asked twice is answered twice, and one that is not there by no rows', async () => {
  const { query } = counted();
  const answers = await Promise.all(Array.from({ length: 60 }, (_, index) => query<{ amount: number }>(amountOf(index % 2 ? 'i7' : 'none'))));
  expect(answers.map(({ rows }) => rows.map(({ amount }) => amount))).toEqual(Array.from({ length: 60 }, (_, index) => (index % 2 ? [7] : [])));
});

test('one that can not be answered fails alone', async () => {
  const { query } = counted();
  const answers = await Promise.allSettled(Array.from({ length: 40 }, (_, index) => query<{ amount: number }>(amountOf(index === 20 ? 'i\0' : `i${index + 1}`))));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 40 }, (_, index) => (index === 20 ? 'rejected' : 'fulfilled')));
});

test('who has written reads what was written, in a crowd too', async () => {
  const { query } = counted();
  const crowd = async (): Promise<void> => { for (let round = 0; round < 20; round += 1) await query(amountOf(`i${round + 50}`)); };
  const writer = async (id: string): Promise<void> => {
    for (let amount = 1000; amount < 1020; amount += 1) {
      await db.query({ text: 'update item set amount = $2 where id = $1', values: [id, amount] });
      expect((await query<{ amount: number }>(amountOf(id))).rows[0]?.amount).toBe(amount);
    }
  };
  await Promise.all([...Array.from({ length: 30 }, crowd), ...['i1', 'i2', 'i3', 'i4', 'i5'].map(writer)]);
});
