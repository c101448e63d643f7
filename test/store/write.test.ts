// Writes: what they store, what they refuse, and that a refusal leaves nothing.
import { paramKey } from '../../src/definitions/param-key.js';
import type { Database } from '../../src/db/database.js';
import { createStore } from '../../src/store/postgres-store.js';
import { VersionConflict, type Change, type Store } from '../../src/store/store.js';
import { ALL, create, definitions, everything, fullRows, NO_ROWS, openFixture, remove, update, type Fixture } from './fixture.js';

let fixture: Fixture;
beforeAll(async () => void (fixture = await openFixture()));
afterAll(() => fixture.close());

const rowsOf = async (table: string, id: string): Promise<readonly unknown[]> =>
  (await fixture.database.query({ text: `select * from fhir."${table}" where id = $1 order by 1, 2, 3`, values: [id] })).rows;

async function allWithId(id: string): Promise<Record<string, unknown>> {
  const tables = ['Patient', 'Observation', 'string_index', 'date_index', 'quantity_index', 'history'];
  const found = await Promise.all(tables.map(async (table) => [table, await rowsOf(table, id)] as const));
  return Object.fromEntries(found.filter(([, rows]) => rows.length > 0));
}

describe('a create', () => {
  it('is read back as it was', async () => {
    await fixture.store.write([create('Patient', 'c1', { updated: 1234567890123 })]);
    expect(await fixture.store.read(ALL, 'Patient', 'c1')).toEqual({
      type: 'Patient', id: 'c1', version: 1, updated: 1234567890123, text: '{"resourceType":"Patient","id":"c1"}',
    });
  });

  it('fills every column and side table, and no history', async () => {
    await fixture.store.write([create('Patient', 'c2', { rows: fullRows('Patient', 7) })]);
    const found = await allWithId('c2');
    expect(found).toMatchObject({
      Patient: [{ method: 'POST', tokens: [7, expect.anything(), expect.anything()], refs: fullRows('Patient', 7).refs, present: '0101', self: 7, subject: 'Patient/7', date_lo: 7, date_hi: 1007 }],
      string_index: [{ value: '', raw: 'NULL' }, { value: 'name 7', raw: 'Name "7"' }],
      date_index: [{ param: paramKey('Patient', 'birthdate'), lo: 7, hi: 8 }],
      quantity_index: [{ key: 1, value: '6.30', unit: 2, code: 3, display: -4 }],
    });
    expect(found.history).toBeUndefined();
  });

  it('stores the same alone and among many', async () => {
    await fixture.store.write([create('Patient', 'c3', { rows: fullRows('Patient', 8) })]);
    const others = ['c4', 'c5'].map((id) => create('Patient', id, { rows: fullRows('Patient', 8), text: create('Patient', 'c3').text }));
    await fixture.store.write(others);
    const withoutId = JSON.stringify(await allWithId('c3')).replaceAll('"c3"', '""');
    for (const { id } of others) expect(JSON.stringify(await allWithId(id)).replaceAll(`"${id}"`, '""')).toBe(withoutId);
  });

  it('keeps the smallest and the greatest 64-bit token', async () => {
    await fixture.store.write([create('Patient', 'c6', { rows: fullRows('Patient', 9) })]);
    const { count } = await fixture.database.query({
      text: `select from fhir."Patient" where id = 'c6' and tokens @> '{-9223372036854775808,9223372036854775807}'`, values: [],
    });
    expect(count).toBe(1);
  });

  it.each([1, 2])('of a taken id is a conflict and leaves nothing, with %i at once', async (count) => {
    await fixture.store.write([create('Patient', `taken${String(count)}`)]);
    const before = await everything(fixture.database);
    const changes = [create('Patient', `taken${String(count)}`, { rows: fullRows('Patient', 1) }), create('Patient', 'free', { rows: fullRows('Patient', 2) })];
    const failure: unknown = await fixture.store.write(changes.slice(0, count)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(VersionConflict);
    expect(failure).toMatchObject({ type: 'Patient', id: `taken${String(count)}` });
    expect(await everything(fixture.database)).toEqual(before);
  });

  it('takes ids with every character FHIR allows, and one id for two types', async () => {
    const ids = ['-', '.', 'A-b.9', 'x'.repeat(64)];
    await fixture.store.write(ids.flatMap((id) => [create('Patient', id), create('Observation', id)]));
    for (const id of ids) expect(await fixture.store.read(ALL, 'Observation', id)).toMatchObject({ type: 'Observation', id });
  });

  const texts = [
    ['quotes and backslashes', String.raw`{"a":"\"\\ \u0000 \u001f \u001e"}`],
    ['characters beyond the basic plane', '{"a":"😀 é ﷽ \u2028\u2029"}'],
    ['what SQL would take for its own', `{"a":"'; drop table x; -- $1 {NULL}"}`],
    ['white space and digits as written', '{ "a" :\t1.00,\r\n "b":1e-7 }'],
  ] as const;
  it.each(texts)('keeps %s', async (name, text) => {
    const ids = [0, 1, 2].map((n) => `text-${String(texts.findIndex(([other]) => other === name))}-${String(n)}`);
    const [alone = '', ...many] = ids;
    await fixture.store.write([create('Patient', alone, { text })]);
    await fixture.store.write(many.map((id) => create('Patient', id, { text })));
    for (const id of ids) expect((await fixture.store.read(ALL, 'Patient', id))?.text).toBe(text);
  });

  it('keeps index values with quotes, braces, commas, NULL and line ends', async () => {
    const values = ['"', '\\', '{a,b}', 'NULL', 'null', ' ', 'a\nb', "'", '😀'];
    const strings = values.map((value) => ({ param: 1, value, raw: value }));
    await fixture.store.write([create('Patient', 'strings', { rows: { ...NO_ROWS, strings, refs: values } })]);
    expect((await rowsOf('string_index', 'strings')).map((row) => (row as { raw: string }).raw).sort()).toEqual([...values].sort());
    expect(await rowsOf('Patient', 'strings')).toMatchObject([{ refs: values }]);
  });

  it('drops a NUL from index values, which PostgreSQL cannot hold', async () => {
    const rows = { ...NO_ROWS, subject: 'Patient/\0a', refs: ['\0'], strings: [{ param: 1, value: 'a\0b', raw: '\0' }] };
    await fixture.store.write([create('Patient', 'nul', { rows })]);
    expect(await allWithId('nul')).toMatchObject({ Patient: [{ subject: 'Patient/a', refs: [''] }], string_index: [{ value: 'ab', raw: '' }] });
  });

  it('stores 5 MB', async () => {
    const text = JSON.stringify({ data: Array.from({ length: 5_000_000 / 8 }, (_, n) => String.fromCharCode(97 + (n * 7919) % 26).repeat(8)).join('') });
    await fixture.store.write([create('Binary', 'big', { text })]);
    await fixture.store.write([create('Binary', 'big1', { text }), create('Binary', 'big2', { text })]);
    for (const id of ['big', 'big1', 'big2']) expect((await fixture.store.read(ALL, 'Binary', id))?.text === text).toBe(true);
  });

  it('of thousands, of several types, is one write', async () => {
    const changes = Array.from({ length: 3000 }, (_, n) => create(n % 3 === 0 ? 'Patient' : 'Observation', `many-${String(n)}`, { rows: fullRows('Patient', n) }));
    await fixture.store.write(changes);
    for (const { type, id, text } of [changes[0], changes[1499], changes[2999]] as Change[]) {
      expect(await fixture.store.read(ALL, type, id)).toMatchObject({ text });
    }
    const { rows } = await fixture.database.query<{ n: number }>({ text: `select count(*) as n from fhir.string_index where id like 'many-%'`, values: [] });
    expect(rows[0]?.n).toBe(6000);
  });

  it('of a type whose name is no name is refused before any SQL', async () => {
    await expect(fixture.store.write([create('Patient" (id) values (1); --', 'x')])).rejects.toThrow('not the name of a resource type');
  });
});

describe('an update', () => {
  it('puts the new version in place and the old one into the history', async () => {
    await fixture.store.write([create('Patient', 'u1', { rows: fullRows('Patient', 1) })]);
    await fixture.store.write([update('Patient', 'u1', 1, { rows: { ...fullRows('Patient', 2), quantities: [] } })]);
    const found = await allWithId('u1');
    expect(found).toMatchObject({
      Patient: [{ version: 2, updated: 2000, method: 'PUT', res: '{"version":2}', subject: 'Patient/2', self: 2 }],
      history: [{ type: 'Patient', version: 1, updated: 1000, method: 'POST', res: create('Patient', 'u1').text }],
      string_index: [{ value: '' }, { value: 'name 2' }],
      date_index: [{ lo: 2 }],
    });
    expect(found.quantity_index).toBeUndefined();
  });

  it('leaves the side rows of another type with the same id', async () => {
    await fixture.store.write([create('Patient', 'same', { rows: fullRows('Patient', 1) }), create('Person', 'same', { rows: fullRows('Person', 1) })]);
    await fixture.store.write([update('Patient', 'same', 1)]);
    expect(await rowsOf('string_index', 'same')).toMatchObject([{ param: paramKey('Person', 'name') }, { param: paramKey('Person', 'name') }]);
  });

  it('does the same to many as to one', async () => {
    await fixture.store.write(['m1', 'm2', 'm3'].map((id) => create('Patient', id, { rows: fullRows('Patient', 1) })));
    await fixture.store.write([update('Patient', 'm1', 1, { rows: fullRows('Patient', 2) })]);
    await fixture.store.write([update('Patient', 'm2', 1, { rows: fullRows('Patient', 2) }), update('Patient', 'm3', 1, { rows: fullRows('Patient', 2) })]);
    const [one, two, three] = await Promise.all(['m1', 'm2', 'm3'].map(async (id) => JSON.stringify(await allWithId(id)).replaceAll(id, '')));
    expect(two).toBe(one);
    expect(three).toBe(one);
  });

  it.each([0, 2, 9])('from version %i of a resource at version 1 is a conflict and leaves nothing', async (from) => {
    await fixture.store.write([create('Patient', `stale${String(from)}`, { rows: fullRows('Patient', 1) })]);
    const before = await everything(fixture.database);
    await expect(fixture.store.write([update('Patient', `stale${String(from)}`, from, { rows: fullRows('Patient', 2) })])).rejects.toBeInstanceOf(VersionConflict);
    expect(await everything(fixture.database)).toEqual(before);
  });

  it('of a resource that is not there is a conflict', async () => {
    await expect(fixture.store.write([update('Patient', 'nowhere', 1)])).rejects.toMatchObject({ type: 'Patient', id: 'nowhere' });
  });

  it('of many, one of them stale, names that one and leaves nothing', async () => {
    await fixture.store.write([create('Patient', 's1'), create('Patient', 's2'), create('Observation', 's3')]);
    const before = await everything(fixture.database);
    const changes = [update('Patient', 's1', 1, { rows: fullRows('Patient', 1) }), update('Patient', 's2', 7), update('Observation', 's3', 1), create('Account', 's4')];
    await expect(fixture.store.write(changes)).rejects.toMatchObject({ name: 'Error', type: 'Patient', id: 's2' });
    expect(await everything(fixture.database)).toEqual(before);
  });

  it.each(['alone', 'among others'])('from one version by twenty at once, %s, is made by exactly one', async (how) => {
    const id = `race ${how}`.replaceAll(' ', '-');
    await fixture.store.write([create('Patient', id, { rows: fullRows('Patient', 0) })]);
    const results = await Promise.allSettled(Array.from({ length: 20 }, async (_, n) => {
      const change = update('Patient', id, 1, { text: `{"n":${String(n)}}`, rows: fullRows('Patient', n) });
      await fixture.store.write(how === 'alone' ? [change] : [change, create('Patient', `${id}-${String(n)}`)]);
      return n;
    }));
    const [winner, ...others] = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(others).toEqual([]);
    for (const result of results) if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(VersionConflict);
    const found = await allWithId(id);
    expect(found).toMatchObject({ Patient: [{ version: 2, res: `{"n":${String(winner)}}` }], history: [{ version: 1 }], date_index: [{ lo: winner }] });
    expect(found.history).toHaveLength(1);
    expect(found.string_index).toHaveLength(2);
  });

  it('of the same resources in opposite orders by many at once meets no deadlock', async () => {
    const ids = Array.from({ length: 200 }, (_, n) => `order-${String(n)}`);
    const { store, runs } = counted();
    const inBothOrders = (changeOf: (id: string, n: number) => Change) => Promise.allSettled(Array.from({ length: 12 }, (_, n) => {
      const changes = ids.map((id) => changeOf(id, n));
      return store.write(n % 2 === 0 ? changes : changes.reverse());
    }));
    const created = await inBothOrders((id) => create('Patient', id, { rows: fullRows('Patient', 1) }));
    expect(runs()).toBe(0);
    const updated = await inBothOrders((id, n) => update('Patient', id, 1, { text: String(n), rows: fullRows('Patient', n) }));
    expect(runs()).toBe(12);
    for (const results of [created, updated]) expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const texts = await Promise.all(ids.map(async (id) => (await fixture.store.read(ALL, 'Patient', id))?.text));
    expect(new Set(texts).size).toBe(1);
  });
});

/** A store, and how many transactions it has run: one that met a deadlock is run again. */
function counted(): { readonly store: Store; runs(): number } {
  let runs = 0;
  const database: Database = { ...fixture.database, transaction: (work) => fixture.database.transaction((db) => ((runs += 1), work(db))) };
  return { store: createStore({ database, definitions }), runs: () => runs };
}

describe('a deletion', () => {
  it('empties the row and its side tables and keeps the superseded version', async () => {
    await fixture.store.write([create('Patient', 'd1', { rows: fullRows('Patient', 5) })]);
    await fixture.store.write([remove('Patient', 'd1', 1)]);
    const found = await allWithId('d1');
    expect(found).toMatchObject({
      Patient: [{ version: 2, updated: 2000, method: 'DELETE', res: null, tokens: [], refs: [], present: '', self: 5, subject: null, date_lo: null, date_hi: null }],
      history: [{ version: 1, res: create('Patient', 'd1').text }],
    });
    expect(Object.keys(found)).toEqual(['Patient', 'history']);
    expect(await fixture.store.read(ALL, 'Patient', 'd1')).toMatchObject({ version: 2, text: null });
  });

  it('of many is the same', async () => {
    await fixture.store.write([create('Patient', 'd2', { rows: fullRows('Patient', 5) }), create('Patient', 'd3')]);
    await fixture.store.write([remove('Patient', 'd2', 1), remove('Patient', 'd3', 1), create('Patient', 'd4')]);
    expect(Object.keys(await allWithId('d2'))).toEqual(['Patient', 'history']);
    expect(await fixture.store.read(ALL, 'Patient', 'd3')).toMatchObject({ text: null });
  });

  it('can be followed by a new version', async () => {
    await fixture.store.write([create('Patient', 'd5', { rows: fullRows('Patient', 5) })]);
    await fixture.store.write([remove('Patient', 'd5', 1)]);
    await fixture.store.write([update('Patient', 'd5', 2, { rows: fullRows('Patient', 6) })]);
    expect(await allWithId('d5')).toMatchObject({
      Patient: [{ version: 3, subject: 'Patient/6' }],
      history: [{ version: 1, method: 'POST' }, { version: 2, method: 'DELETE', res: null }],
      string_index: [{ value: '' }, { value: 'name 6' }],
    });
  });
});

it('a write of nothing does nothing', async () => {
  await expect(fixture.store.write([])).resolves.toBeUndefined();
});
