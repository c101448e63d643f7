// Named statements are described once per connection: later runs must read the same columns, and fail as plainly.
import fc from 'fast-check';
import type { Database } from '../../src/db/database.js';
import { openDatabase } from '../../src/db/pool.js';
import { cloneDatabase } from '../database.js';
import { heapHeld } from '../heap.js';

let database: Database;
let drop: () => Promise<void>;
beforeAll(async () => {
  const clone = await cloneDatabase();
  drop = () => clone.drop();
  database = openDatabase({ url: clone.url, size: 1, prepared: true });
  await database.query({ text: 'create table kept (id int primary key, word text, at bigint, made bytea)', values: [] });
});
afterAll(async () => {
  await database.close();
  await drop();
});

const PUT = { name: 'put', text: 'insert into kept (id, word, at) values ($1, $2, $3)' };
const GET = { name: 'get', text: 'select id, word, at, made from kept where id = any($1) order by id' };

test('a statement gives the same rows at each of its runs: numbers, texts and nulls', async () => {
  for (const id of [1, 2, 3]) expect(await database.query({ ...PUT, values: [id, id === 2 ? null : `w${id}`, 2 ** 40 + id] })).toEqual({ rows: [], count: 1 });
  const rows = [{ id: 1, word: 'w1', at: 2 ** 40 + 1, made: null }, { id: 2, word: null, at: 2 ** 40 + 2, made: null }];
  for (let run = 0; run < 3; run += 1) expect(await database.query({ ...GET, values: [[1, 2]] })).toEqual({ rows, count: 2 });
  expect(await database.query({ ...GET, values: [[9]] })).toEqual({ rows: [], count: 0 });
});

test('a run that fails is refused by PostgreSQL and the next one is as before', async () => {
  await database.query({ ...PUT, values: [10, 'once', 1] });
  for (let run = 0; run < 2; run += 1) await expect(database.query({ ...PUT, values: [10, 'twice', 1] })).rejects.toMatchObject({ code: '23505' });
  expect((await database.query({ ...GET, values: [[10]] })).rows).toMatchObject([{ word: 'once' }]);
  expect((await database.query({ ...PUT, values: [11, 'after', 1] })).count).toBe(1);
});

test('a statement that failed at first is described when it works', async () => {
  const halve = { name: 'halve', text: 'select 10 / $1::int as half' };
  await expect(database.query({ ...halve, values: [0] })).rejects.toMatchObject({ code: '22012' });
  for (let run = 0; run < 2; run += 1) expect((await database.query({ ...halve, values: [5] })).rows).toEqual([{ half: 2 }]);
});

test('a value that cannot be written fails alone', async () => {
  const around: Record<string, unknown> = {};
  around['itself'] = around;
  await expect(database.query({ ...PUT, values: [20, around, 1] })).rejects.toThrow(/circular/i);
  expect((await database.query({ ...GET, values: [[20]] })).rows).toEqual([]);
});

test('one name stands for one text', async () => {
  await database.query({ ...GET, values: [[1]] });
  await expect(database.query({ name: 'get', text: 'select 1 as one', values: [] })).rejects.toThrow(/must be unique/);
});

test('in one transaction statements that are sent together answer each for itself', async () => {
  const answers = await database.transaction((tx) => Promise.all([tx.query({ ...GET, values: [[1]] }), tx.query({ ...PUT, values: [30, 'x', 1] }), tx.query({ ...GET, values: [[2, 30]] })]));
  expect(answers.map(({ count }) => count)).toEqual([1, 1, 2]);
});

test('what is sent is what is read: texts of any length and script, nulls, numbers, bytes and lists', async () => {
  const echo = { name: 'echo', text: 'select $1::text as word, $2::bytea as bytes, $3::bigint as big, $4::text[] as list, $5::float8 as real, $6::boolean as flag' };
  const value = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }).map((text) => Buffer.from(text.replaceAll('\0', '')).toString()), fc.constant(null), fc.constant('é€😀'.repeat(50_000)));
  await fc.assert(fc.asyncProperty(value, fc.option(fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))), fc.maxSafeInteger(), fc.array(fc.constantFrom<string>('a', '', '"', '\\', 'ü', '{,}')), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), async (...values) => {
    const { rows } = await database.query<any>({ ...echo, values });
    const [word, bytes, big, list, real, flag] = values;
    expect(rows).toEqual([{ word, bytes, big, list, real: real === 0 ? 0 : real, flag }]);
  }), { numRuns: 200, examples: [['é€😀'.repeat(50_000), Buffer.alloc(3_000_000, 7), 1, [], 0.5, true], ['after', null, -1, ['b'], -1e300, false]] });
});

test('what is remembered of a statement are its columns, not the rows that it first gave', async () => {
  const before = heapHeld();
  for (let n = 0; n < 30; n += 1) expect((await database.query({ name: `long ${n}`, text: 'select repeat(\'x\', 1000000 + $1::int) as word', values: [n] })).count).toBe(1);
  // The rows are 30 MB.
  expect(heapHeld() - before).toBeLessThan(5_000_000);
});
