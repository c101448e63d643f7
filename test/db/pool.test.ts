// openDatabase: values in and out, transactions and their retries, lost connections.
import fc from 'fast-check';
import { connectionOf, urlOf } from '../../src/db/connection.js';
import type { Database } from '../../src/db/database.js';
import { codeOf, isOutOfResources, isUnavailable, isUniqueViolation } from '../../src/db/failure.js';
import { openDatabase } from '../../src/db/pool.js';
import { cloneDatabase, type TestDatabase } from '../database.js';

let clone: TestDatabase;
let db: Database;
const warnings: string[] = [];
const retries: string[] = [];
const log = {
  info: (_details: object, text: string) => void retries.push(text),
  warn: (_details: object, text: string) => void warnings.push(text),
  error: () => undefined,
};

beforeAll(async () => {
  clone = await cloneDatabase();
  db = openDatabase({ connection: clone.connection, size: 4, prepared: true, log });
  await run('create table item (id text primary key, amount bigint not null)');
});
beforeEach(async () => {
  retries.length = 0;
  await run('delete from item');
});
afterAll(async () => {
  await db.close();
  await clone.drop();
});

const run = (text: string, ...values: unknown[]) => db.query({ text, values });

async function value(expression: string, ...values: unknown[]): Promise<unknown> {
  return (await db.query<{ it: unknown }>({ text: `select ${expression} as it`, values })).rows[0]?.it;
}

const failWith = (code: string) => `do $$ begin raise exception 'made to fail' using errcode = '${code}'; end $$`;

describe('values', () => {
  test('numbers come back as numbers, and what would lose by it as text', async () => {
    expect(await value('9007199254740991::int8')).toBe(9007199254740991);
    expect(await value('array[1, null, -3]::int8[]')).toEqual([1, null, -3]);
    expect(await value(`'{}'::int8[]`)).toEqual([]);
    expect(await value('7::int4')).toBe(7);
    expect(await value('true')).toBe(true);
    expect(await value(`array['a,b', null, '"']`)).toEqual(['a,b', null, '"']);
    expect(await value('12345678901234567890.10::numeric')).toBe('12345678901234567890.10');
    expect(await value(`'{"b": 1, "a":  2}'::json`)).toBe('{"b": 1, "a":  2}');
    expect(await value(`'2026-11-22 10:00:00.123456+00'::timestamptz`)).toBe('2026-11-22 10:00:00.123456+00');
    expect(await value(`'2026-11-22'::date`)).toBe('2026-11-22');
    expect(await value('null::int8')).toBeNull();
  });

  test('any 64-bit number goes in, alone and in an array', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), { minLength: 1 }), async (numbers) => {
        const { rows } = await db.query<{ one: string; all: string }>({
          text: 'select $1::int8::text as one, array_to_string($2::int8[], $3) as all',
          values: [numbers[0], numbers, ' '],
        });
        expect(rows).toEqual([{ one: String(numbers[0]), all: numbers.join(' ') }]);
      }),
      { numRuns: 30 },
    );
  });

  test('any text goes in and comes back, alone and in an array', async () => {
    const text = fc.string({ unit: 'grapheme' }).filter((it) => !it.includes('\0'));
    const awkward = fc.constantFrom('', '"', '\\', '{', '}', ',', 'NULL', 'null', ' x ', '\n', '\\"', "'", '$1');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(text, awkward, fc.constant(null)), { minLength: 1 }), async (texts) => {
        expect(await value('$1::text[]', texts)).toEqual(texts);
        expect(await value('$1::text', texts[0])).toBe(texts[0]);
      }),
      { numRuns: 60 },
    );
  });

  test('the count is of the rows a statement touched', async () => {
    expect((await run(`insert into item select i::text, i from generate_series(1, 5) i`)).count).toBe(5);
    expect((await run(`update item set amount = 0 where amount > 3`)).count).toBe(2);
    expect((await run('select * from item')).count).toBe(5);
  });
});

describe('named statements', () => {
  const named = { name: 'one-item', text: 'select amount from item where id = $1', values: ['a'] };
  const listed = `select count(*)::int as it from pg_prepared_statements where name = 'one-item'`;

  test('are prepared once on a connection', async () => {
    const single = openDatabase({ connection: clone.connection, size: 1, prepared: true });
    for (let time = 0; time < 3; time += 1) await single.query(named);
    expect((await single.query<{ it: number }>({ text: listed, values: [] })).rows).toEqual([{ it: 1 }]);
    await single.close();
  });

  test('are not prepared when that is switched off', async () => {
    const single = openDatabase({ url: clone.url, size: 1, prepared: false });
    await single.query(named);
    expect((await single.query<{ it: number }>({ text: listed, values: [] })).rows).toEqual([{ it: 0 }]);
    await single.close();
  });

  test('may be run side by side in one transaction from the first time on', async () => {
    await run(`insert into item values ('a', 5)`);
    const single = openDatabase({ connection: clone.connection, size: 1, prepared: true });
    const answers = await single.transaction((tx) => Promise.all([tx.query(named), tx.query(named), tx.query(named)]));
    expect(answers.map((answer) => answer.rows)).toEqual([[{ amount: 5 }], [{ amount: 5 }], [{ amount: 5 }]]);
    await single.close();
  });
});

describe('a transaction', () => {
  const insert = { text: `insert into item values ('a', 1)`, values: [] };

  test('commits what it did, and gives what the work gave', async () => {
    expect(await db.transaction(async (tx) => (await tx.query(insert)).count)).toBe(1);
    expect((await run('select * from item')).count).toBe(1);
  });

  test('undoes everything when the work throws, and throws the same', async () => {
    const refusal = new Error('no');
    const work = db.transaction(async (tx) => {
      await tx.query(insert);
      throw refusal;
    });
    await expect(work).rejects.toBe(refusal);
    expect((await run('select * from item')).count).toBe(0);
    expect(retries).toEqual([]);
  });

  test('does not pretend to have committed when a failed statement was swallowed', async () => {
    const work = db.transaction(async (tx) => {
      await tx.query(insert);
      await tx.query({ text: 'select 1/0', values: [] }).catch(() => undefined);
    });
    await expect(work).rejects.toThrow('rolled back');
    expect((await run('select * from item')).count).toBe(0);
  });

  test.each(['40001', '40P01', '08006', '57P01', '25006'])('is run again as a whole after %s', async (code) => {
    let times = 0;
    await db.transaction(async (tx) => {
      times += 1;
      await tx.query(insert);
      if (times < 3) await tx.query({ text: failWith(code), values: [] });
    });
    expect(times).toBe(3);
    expect(retries).toHaveLength(2);
    expect((await run('select * from item')).count).toBe(1);
  });

  test('is given up after six attempts', async () => {
    let times = 0;
    const work = db.transaction((tx) => {
      times += 1;
      return tx.query({ text: failWith('40001'), values: [] });
    });
    await expect(work).rejects.toMatchObject({ code: '40001' });
    expect(times).toBe(6);
  });

  test('is not run again after an error that would come again', async () => {
    let times = 0;
    const work = db.transaction((tx) => {
      times += 1;
      return tx.query({ text: 'select 1/0', values: [] });
    });
    await expect(work).rejects.toMatchObject({ code: '22012' });
    expect(times).toBe(1);
  });

  test('is run again when its connection is lost midway', async () => {
    let times = 0;
    await db.transaction(async (tx) => {
      times += 1;
      await tx.query(insert);
      if (times === 1) await tx.query({ text: 'select pg_terminate_backend(pg_backend_pid())', values: [] });
    });
    expect(times).toBe(2);
    expect((await run('select * from item')).count).toBe(1);
  });

  test('lets transactions that add to one sum at once all succeed, serialisable as they are', async () => {
    await run(`insert into item values ('sum', 0)`);
    const add = () =>
      db.transaction(async (tx) => {
        await tx.query({ text: 'set transaction isolation level serializable', values: [] });
        const { rows } = await tx.query<{ amount: number }>({ text: `select amount from item where id = 'sum'`, values: [] });
        await tx.query({ text: `update item set amount = $1 where id = 'sum'`, values: [(rows[0]?.amount ?? 0) + 1] });
      });
    await Promise.all([add(), add(), add()]);
    expect((await run('select amount from item')).rows).toEqual([{ amount: 3 }]);
  });
});

describe('failures', () => {
  test('idle connections that break are replaced, and end nothing', async () => {
    await Promise.all([db.ping(), db.ping(), db.ping()]);
    const ended = await onServer('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', clone.connection.database);
    expect(ended).toBeGreaterThan(0);
    while (warnings.length < ended) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(new Set(warnings)).toEqual(new Set(['A database connection was lost']));
    await Promise.all([db.ping(), db.ping(), db.ping()]);
  });

  test('a server that is not there is told apart from one that refuses', async () => {
    const nowhere = openDatabase({ url: 'postgresql://nobody:nothing@127.0.0.1:1/none', size: 1, prepared: true });
    const absent: unknown = await nowhere.ping().catch((error: unknown) => error);
    expect(isUnavailable(absent)).toBe(true);
    await nowhere.close();

    const refused: unknown = await run('select 1/0').catch((error: unknown) => error);
    expect(isUnavailable(refused)).toBe(false);
    expect(codeOf(refused)).toBe('22012');
  });

  test('a key that is there already and a full disk are known by their codes', async () => {
    await run(`insert into item values ('a', 1)`);
    expect(isUniqueViolation(await run(`insert into item values ('a', 1)`).catch((error: unknown) => error))).toBe(true);
    const full: unknown = await run(failWith('53100')).catch((error: unknown) => error);
    expect([isOutOfResources(full), isUnavailable(full), isUniqueViolation(full)]).toEqual([true, false, false]);
  });
});

test('a connection survives the way through a URL and back', () => {
  const connection = { port: 5433, user: 'me@home', password: 'p/?#%:é', database: 'a b' };
  for (const host of ['127.0.0.1', 'db.example.org', '/run/post gres']) {
    expect(connectionOf(urlOf({ ...connection, host }))).toEqual({ ...connection, host });
  }
});

async function onServer(text: string, ...values: unknown[]): Promise<number> {
  const other = openDatabase({ connection: { ...clone.connection, database: 'postgres' }, size: 1, prepared: false });
  const { count } = await other.query({ text, values });
  await other.close();
  return count;
}
