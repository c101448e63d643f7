// The dictionary of `:text`: whatever happens to a write, a resource that is visible has its texts there.
import type { Database } from '../../src/db/database.js';
import { paramKey } from '../../src/definitions/param-key.js';
import type { CodeText } from '../../src/search/index-rows.js';
import { KnownTexts } from '../../src/store/code-texts.js';
import { createStore } from '../../src/store/postgres-store.js';
import { VersionConflict, type Change } from '../../src/store/store.js';
import { create, definitions, NO_ROWS, openFixture, update, type Fixture } from './fixture.js';

const PARAM = paramKey('Patient', '_tag');
const textOf = (value: string, param = PARAM): CodeText => ({ param, value, token: BigInt(value.length) });
const saying = (...values: string[]) => ({ rows: { ...NO_ROWS, texts: values.map((value) => textOf(value)) } });
const patient = (id: string, ...values: string[]): Change => create('Patient', id, saying(...values));

let fixture: Fixture;
beforeAll(async () => void (fixture = await openFixture()));
afterAll(() => fixture.close());

async function kept(like: string): Promise<readonly string[]> {
  const { rows } = await fixture.database.query<{ value: string }>({ text: 'select value from fhir.code_text where param = $1 and value like $2 order by value', values: [PARAM, `${like}%`] });
  return rows.map(({ value }) => value);
}

/** A store with nothing known, as after a start, and how many of its statements have added to the dictionary. */
function started(database: Database = fixture.database): { readonly store: ReturnType<typeof createStore>; added(): number } {
  let added = 0;
  const counting = (query: Database['query']): Database['query'] => (statement) => {
    if (statement.text.includes('code_text')) added += 1;
    return query(statement);
  };
  const store = createStore({
    database: { ...database, query: counting(database.query), transaction: (work) => database.transaction((tx) => work({ query: counting(tx.query) })) },
    definitions,
  });
  return { store, added: () => added };
}

describe('a write', () => {
  it('adds each text once, and says no more of it when it is there', async () => {
    const { store, added } = started();
    await store.write([patient('a1', 'once one', 'once two', 'once one')]);
    await store.write([patient('a2', 'once two', 'once one')]);
    await store.write([patient('a3', 'once one'), patient('a4', 'once two')]);
    await store.transaction((tx) => tx.write([patient('a5', 'once one')]));
    expect(added()).toBe(1);
    await store.write([patient('a6', 'once three', 'once one'), patient('a7', 'once three')]);
    expect(added()).toBe(2);
    expect(await kept('once')).toEqual(['once one', 'once three', 'once two']);
  });

  it('of a change adds those of its new version', async () => {
    const { store } = started();
    await store.write([patient('b1', 'change before'), patient('b2', 'change before')]);
    await store.write([update('Patient', 'b1', 1, saying('change alone'))]);
    await store.write([update('Patient', 'b1', 2, saying('change many')), update('Patient', 'b2', 1, saying('change many', 'change more'))]);
    expect(await kept('change')).toEqual(['change alone', 'change before', 'change many', 'change more']);
  });

  it('beside rows of every side table puts each value in its place', async () => {
    const { store } = started();
    const rows = { ...saying('beside "quotes\\', 'beside {}').rows, strings: [{ param: 1, value: 'v', raw: 'r' }], dates: [{ param: 1, lo: 2, hi: 3 }], quantities: [{ param: 1, key: 1n, value: '1', unit: 1n, code: 1n, display: 1n }] };
    await store.write([create('Patient', 'b3', { rows })]);
    await store.write([create('Patient', 'b4', { rows: { ...rows, texts: [textOf('beside many')] } }), create('Patient', 'b5', { rows })]);
    expect(await kept('beside')).toEqual(['beside "quotes\\', 'beside many', 'beside {}']);
  });
});

describe('a text is not taken for known', () => {
  it('where the transaction that added it was rolled back', async () => {
    const { store } = started();
    await expect(store.transaction(async (tx) => {
      await tx.write([patient('r1', 'rolled back')]);
      throw new Error('enough');
    })).rejects.toThrow('enough');
    expect(await kept('rolled')).toEqual([]);
    await store.write([patient('r2', 'rolled back')]);
    expect(await kept('rolled')).toEqual(['rolled back']);
  });

  it('where the create met a taken id', async () => {
    const { store } = started();
    await store.write([patient('t1')]);
    await expect(store.write([patient('t1', 'taken id')])).rejects.toBeInstanceOf(VersionConflict);
    await store.write([patient('t2', 'taken id')]);
    expect(await kept('taken')).toEqual(['taken id']);
  });

  it('before the transaction that adds it is committed', async () => {
    const { store } = started();
    let other: Promise<void> | undefined;
    await store.transaction(async (tx) => {
      await tx.write([patient('e1', 'early')]);
      other = store.write([patient('e2', 'early')]);
      await new Promise((resolve) => setTimeout(resolve, 50));
      throw new Error('enough');
    }).catch(() => undefined);
    await other;
    expect(await kept('early')).toEqual(['early']);
  });

  it('where only a run that was given up has added it', async () => {
    let runs = 0;
    const { database } = fixture;
    const { store } = started({
      ...database,
      async transaction(work) {
        await database.transaction(async (tx) => {
          await work(tx);
          throw new Error('lost');
        }).catch(() => undefined);
        return database.transaction(work);
      },
    });
    await store.transaction((tx) => tx.write([(runs += 1) === 1 ? patient('g1', 'given up') : patient('g1')]));
    await store.write([patient('g2', 'given up')]);
    expect(await kept('given')).toEqual(['given up']);
  });
});

it('a start with nothing known, and a second process, add what is there without complaint', async () => {
  const one = started();
  await one.store.write([patient('s1', 'second')]);
  const other = started();
  await other.store.write([patient('s2', 'second', 'second more')]);
  await one.store.write([patient('s3', 'second more')]);
  expect([one.added(), other.added()]).toEqual([2, 1]);
  expect(await kept('second')).toEqual(['second', 'second more']);
});

it('many at once, in two processes and in opposite orders, add the same texts', async () => {
  const stores = [started().store, started().store];
  const values = Array.from({ length: 40 }, (_, n) => `at once ${String(n)}`);
  await Promise.all(Array.from({ length: 24 }, async (_, n) => {
    const said = n % 2 === 0 ? values : [...values].reverse();
    const changes = said.map((value, index) => patient(`q${String(n)}-${String(index)}`, value));
    const store = stores[n % 3 === 0 ? 0 : 1];
    await (n % 4 < 2 ? store?.write(changes) : store?.transaction((tx) => tx.write(changes)));
  }));
  expect(await kept('at once')).toEqual([...values].sort());
});

describe('what is known', () => {
  it('is asked in one order, each text once, and each parameter by itself', () => {
    const known = new KnownTexts();
    const change = create('Patient', 'k', { rows: { ...NO_ROWS, texts: [textOf('b'), textOf('a'), textOf('b'), textOf('a', -5), textOf('B')] } });
    expect(known.missing([change, change]).map(({ param, value }) => [param, value])).toEqual([[-5, 'a'], [PARAM, 'B'], [PARAM, 'a'], [PARAM, 'b']].sort(([a], [b]) => Number(a) - Number(b)));
    known.add([textOf('a', -5), textOf('b')]);
    expect(known.missing([change]).map(({ value }) => value)).toEqual(['B', 'a']);
    known.clear();
    expect(known.missing([change])).toHaveLength(4);
  });

  it('does not grow for ever', () => {
    const known = new KnownTexts();
    const knows = (value: string): boolean => known.missing([patient('k', value)]).length === 0;
    for (let n = 0; n < 100_000; n += 1) known.add([textOf(`free ${String(n)}`)]);
    expect([knows('free 0'), knows('free 99999')]).toEqual([true, true]);
    known.add([textOf('one more')]);
    expect([knows('free 0'), knows('free 99999'), knows('one more')]).toEqual([false, false, true]);
  });

  it('leaves long texts out', () => {
    const known = new KnownTexts();
    known.add([textOf('x'.repeat(129)), textOf('x'.repeat(128))]);
    expect(known.missing([patient('k', 'x'.repeat(129), 'x'.repeat(128))])).toHaveLength(1);
  });
});
