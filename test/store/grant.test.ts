// The Grant on every road: what it hides is not there.
import { ALL, create, definitions, grantOf, NO_ROWS, NONE, openFixture, remove, update, type Fixture } from './fixture.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
  const rows = (patient: string) => ({ ...NO_ROWS, subject: `Patient/${patient}` });
  const { store } = fixture;
  await store.write(['seen', 'hidden'].map((id) => create('Observation', id, { rows: rows(id) })));
  await store.write(['seen', 'hidden'].map((id) => update('Observation', id, 1, { rows: rows(id) })));
  await store.write([create('Observation', 'gone', { rows: rows('seen') })]);
  await store.write([remove('Observation', 'gone', 1)]);
  // Moved to another patient: its earlier version must not stay open.
  await store.write([create('Observation', 'moved', { rows: rows('seen') })]);
  await store.write([update('Observation', 'moved', 1, { rows: rows('hidden') })]);
});
afterAll(() => fixture.close());

const parameter = definitions.searchParameters('Observation').get('subject');
if (!parameter) throw new Error('Observation has no subject');
const ofSeen = { kind: 'parameter', parameter, values: [{ text: 'Patient/seen' }] } as const;

const grants = [
  ['a subject', grantOf(ofSeen)],
  ['ids', grantOf({ kind: 'ids', ids: ['seen'] })],
  ['everything but', grantOf({ kind: 'and', of: [{ kind: 'not', of: { kind: 'ids', ids: ['hidden', 'moved', 'gone'] } }, { kind: 'all' }] })],
] as const;

describe.each(grants)('a Grant of %s', (_, grant) => {
  it('shows what it grants by read, vread and history', async () => {
    expect(await fixture.store.read(grant, 'Observation', 'seen')).toMatchObject({ version: 2 });
    expect(await fixture.store.vread(grant, 'Observation', 'seen', 1)).toMatchObject({ version: 1 });
    expect(await fixture.store.vread(grant, 'Observation', 'seen', 2)).toMatchObject({ version: 2 });
    const history = await fixture.store.history(grant, 'Observation', 'seen', { count: 9 });
    expect([history.versions.map(({ version }) => version), history.total]).toEqual([[2, 1], 2]);
  });

  it.each(['hidden', 'moved', 'gone', 'never'])('shows nothing of %s, in a transaction or outside', async (id) => {
    for (const version of [1, 2]) expect(await fixture.store.vread(grant, 'Observation', id, version)).toBeUndefined();
    expect(await fixture.store.read(grant, 'Observation', id)).toBeUndefined();
    expect(await fixture.store.history(grant, 'Observation', id, { count: 9 })).toEqual({ versions: [], total: 0 });
    await fixture.store.transaction(async (tx) => {
      expect(await tx.read(grant, 'Observation', id)).toBeUndefined();
      expect(await tx.vread(grant, 'Observation', id, 1)).toBeUndefined();
      expect(await tx.history(grant, 'Observation', id, { count: 9 })).toEqual({ versions: [], total: 0 });
    });
  });
});

it('a Grant of nothing shows nothing, and asks the database nothing', async () => {
  await fixture.database.close();
  expect(await fixture.store.read(NONE, 'Observation', 'seen')).toBeUndefined();
  expect(await fixture.store.vread(NONE, 'Observation', 'seen', 1)).toBeUndefined();
  expect(await fixture.store.history(NONE, 'Observation', 'seen', { count: 9 })).toEqual({ versions: [], total: 0 });
  await expect(fixture.store.read(ALL, 'Observation', 'seen')).rejects.toThrow();
  fixture = await openFixture();
});
