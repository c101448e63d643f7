// Transactions: all or nothing, serialised by locks, and harmless to run again.
import type { Database } from '../../src/db/database.js';
import { createStore } from '../../src/store/postgres-store.js';
import { VersionConflict } from '../../src/store/store.js';
import { ALL, create, definitions, everything, fullRows, openFixture, remove, update, type Fixture } from './fixture.js';

let fixture: Fixture;
beforeAll(async () => void (fixture = await openFixture()));
afterAll(() => fixture.close());

it('shows its own writes inside, and to others only at the end', async () => {
  await fixture.store.transaction(async (tx) => {
    await tx.write([create('Patient', 't1')]);
    expect(await tx.read(ALL, 'Patient', 't1')).toMatchObject({ version: 1 });
    expect(await fixture.store.read(ALL, 'Patient', 't1')).toBeUndefined();
    await tx.write([update('Patient', 't1', 1)]);
    expect((await tx.history(ALL, 'Patient', 't1', { count: 5 })).total).toBe(2);
    expect(await tx.vread(ALL, 'Patient', 't1', 1)).toMatchObject({ version: 1 });
  });
  expect(await fixture.store.read(ALL, 'Patient', 't1')).toMatchObject({ version: 2 });
});

it('gives back what the work gives', async () => {
  expect(await fixture.store.transaction(() => Promise.resolve(42))).toBe(42);
});

it('leaves nothing in any table when the work throws', async () => {
  await fixture.store.write([create('Patient', 'r1', { rows: fullRows('Patient', 1) }), create('Patient', 'r2')]);
  const before = await everything(fixture.database);
  const work = fixture.store.transaction(async (tx) => {
    await tx.lockKey('rolled back');
    await tx.write([update('Patient', 'r1', 1, { rows: fullRows('Patient', 2) }), remove('Patient', 'r2', 1)]);
    await tx.write([create('Observation', 'r3', { rows: fullRows('Observation', 3) }), create('Observation', 'r4', { rows: fullRows('Observation', 4) })]);
    throw new Error('enough');
  });
  await expect(work).rejects.toThrow('enough');
  expect(await everything(fixture.database)).toEqual(before);
});

it('leaves nothing when one of several statements in one write meets a conflict', async () => {
  await fixture.store.write([create('Patient', 'x1')]);
  const before = await everything(fixture.database);
  const conflicts = [
    [create('Account', 'x2', { rows: fullRows('Account', 1) }), create('Patient', 'x1'), create('Task', 'x3')],
    [create('Account', 'x2', { rows: fullRows('Account', 1) }), update('Patient', 'x1', 3), create('Task', 'x3')],
  ];
  for (const changes of conflicts) {
    await expect(fixture.store.transaction((tx) => tx.write(changes))).rejects.toBeInstanceOf(VersionConflict);
    await expect(fixture.store.write(changes)).rejects.toMatchObject({ type: 'Patient', id: 'x1' });
  }
  expect(await everything(fixture.database)).toEqual(before);
});

it('lock gives the current version, deleted or not, and nothing where there is none', async () => {
  await fixture.store.write([create('Patient', 'l1'), create('Patient', 'l2')]);
  await fixture.store.write([remove('Patient', 'l2', 1)]);
  await fixture.store.transaction(async (tx) => {
    expect(await tx.lock('Patient', 'l1')).toEqual({ type: 'Patient', id: 'l1', version: 1, updated: 1000, text: create('Patient', 'l1').text });
    expect(await tx.lock('Patient', 'l2')).toMatchObject({ version: 2, text: null });
    expect(await tx.lock('Patient', 'l3')).toBeUndefined();
  });
});

it('read, lock and write by twenty at once loses no update', async () => {
  await fixture.store.write([create('Patient', 'counter', { text: '0' })]);
  await Promise.all(Array.from({ length: 20 }, () => fixture.store.transaction(async (tx) => {
    const found = await tx.lock('Patient', 'counter');
    if (!found) throw new Error('not found');
    await tx.write([update('Patient', 'counter', found.version, { text: String(Number(found.text) + 1) })]);
  })));
  expect(await fixture.store.read(ALL, 'Patient', 'counter')).toMatchObject({ version: 21, text: '20' });
});

it('lockKey lets one in at a time, whether or not the key was there', async () => {
  const most = { one: 0, other: 0 };
  const inside = { one: 0, other: 0 };
  const enter = (key: 'one' | 'other') => fixture.store.transaction(async (tx) => {
    await tx.lockKey(key);
    inside[key] += 1;
    most[key] = Math.max(most[key], inside[key]);
    await tx.db.query({ text: 'select pg_sleep(0.005)', values: [] });
    inside[key] -= 1;
  });
  await Promise.all(Array.from({ length: 16 }, (_, n) => enter(n % 2 === 0 ? 'one' : 'other')));
  expect(most).toEqual({ one: 1, other: 1 });
});

it('lockKey of different keys holds nobody up', async () => {
  await fixture.store.transaction(async (tx) => {
    await tx.lockKey('held');
    await fixture.store.transaction((other) => other.lockKey('free'));
  });
});

describe('run again because the answer to COMMIT was lost', () => {
  /** Commits the first run, then has the work run again as for a lost connection. */
  const forgetful = (database: Database): Database => ({
    ...database,
    async transaction(work) {
      await database.transaction(work);
      return database.transaction(work);
    },
  });

  it('meets its own rows and is content', async () => {
    const store = createStore({ database: forgetful(fixture.database), definitions });
    await fixture.store.write([create('Patient', 'a0'), create('Patient', 'a9')]);
    await store.transaction((tx) => tx.write([
      create('Patient', 'a1', { rows: fullRows('Patient', 1) }), create('Patient', 'a2'), create('Task', 'a3'), update('Patient', 'a0', 1), remove('Patient', 'a9', 1),
    ]));
    expect(await fixture.store.read(ALL, 'Patient', 'a1')).toMatchObject({ version: 1 });
    expect(await fixture.store.history(ALL, 'Patient', 'a0', { count: 9 })).toMatchObject({ total: 2 });
    expect(await fixture.store.history(ALL, 'Patient', 'a9', { count: 9 })).toMatchObject({ total: 2 });
  });

  it('still refuses the row of another', async () => {
    const store = createStore({ database: forgetful(fixture.database), definitions });
    const writes = ['first', 'second'];
    const work = store.transaction((tx) => tx.write([create('Patient', 'b1', { text: writes.shift() ?? '' })]));
    await expect(work).rejects.toBeInstanceOf(VersionConflict);
    expect(await fixture.store.read(ALL, 'Patient', 'b1')).toMatchObject({ text: 'first' });
  });
});

describe('without prepared statements', () => {
  let plain: Fixture;
  beforeAll(async () => void (plain = await openFixture(false)));
  afterAll(() => plain.close());

  it('every road works', async () => {
    await plain.store.write([create('Patient', 'n1', { rows: fullRows('Patient', 1) })]);
    await plain.store.write([update('Patient', 'n1', 1, { rows: fullRows('Patient', 2) }), create('Task', 'n2')]);
    expect(await plain.store.read(ALL, 'Patient', 'n1')).toMatchObject({ version: 2 });
    expect(await plain.store.vread(ALL, 'Patient', 'n1', 1)).toMatchObject({ version: 1 });
    expect(await plain.store.history(ALL, 'Patient', 'n1', { count: 5 })).toMatchObject({ total: 2 });
    await plain.store.transaction((tx) => tx.lockKey('k'));
  });
});

describe('a single write whose answer was lost', () => {
  const lost = (database: Database, done: boolean): Database => {
    let first = true;
    return {
      ...database,
      async query(statement) {
        if (!first) return database.query(statement);
        first = false;
        if (done) await database.query(statement);
        throw Object.assign(new Error('terminating connection'), { code: '57P01' });
      },
    };
  };

  it.each([true, false])('is there once (already done: %s)', async (done) => {
    const id = `lost-${String(done)}`;
    await createStore({ database: lost(fixture.database, done), definitions }).write([create('Patient', id, { rows: fullRows('Patient', 1) })]);
    await createStore({ database: lost(fixture.database, done), definitions }).write([update('Patient', id, 1)]);
    expect(await fixture.store.history(ALL, 'Patient', id, { count: 9 })).toMatchObject({ total: 2, versions: [{ version: 2 }, { version: 1 }] });
  });
});
