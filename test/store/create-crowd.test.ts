// New resources that come in a crowd share their statements, and nothing else: each is stored as it would be alone, and refused alone.
import { createStore } from '../../src/store/postgres-store.js';
import { VersionConflict, type Store } from '../../src/store/store.js';
import { ALL, create, definitions, fullRows, openFixture, type Fixture } from './fixture.js';

let fixture: Fixture;
beforeAll(async () => void (fixture = await openFixture()));
afterAll(() => fixture.close());

/** A store, and the names of the statements that it sends outside of transactions. */
function counted(): { readonly store: Store; readonly asked: string[] } {
  const asked: string[] = [];
  const { database } = fixture;
  const query: typeof database.query = (statement) => {
    asked.push(statement.name ?? '');
    return database.query(statement);
  };
  return { store: createStore({ database: { ...database, query }, definitions }), asked };
}

const ids = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

it('stores three hundred by few statements, each as it was sent', async () => {
  const { store, asked } = counted();
  const sent = ids('crowd', 300);
  await Promise.all(sent.map((id, index) => store.write([create('Patient', id, { rows: fullRows('Patient', index) })])));
  expect(asked.length).toBeLessThan(30);
  const { rows } = await fixture.database.query<{ id: string; self: number; res: string }>({ text: `select id, self, res from fhir."Patient" where id like 'crowd-%'`, values: [] });
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const [index, id] of sent.entries()) expect(byId.get(id)).toMatchObject({ self: Number(fullRows('Patient', index).self), res: create('Patient', id).text });
  const { rows: names } = await fixture.database.query<{ id: string; raw: string }>({ text: `select id, raw from fhir.string_index where id like 'crowd-%' and value like 'name %'`, values: [] });
  expect(new Map(names.map(({ id, raw }) => [id, raw]))).toEqual(new Map(sent.map((id, index) => [id, `Name "${index}"`])));
});

it('sends the few straight, each by its own statement', async () => {
  const { store, asked } = counted();
  await Promise.all(ids('few', 4).map((id) => store.write([create('Patient', id)])));
  expect(asked).toHaveLength(4);
});

it('refuses one of a taken id alone', async () => {
  const { store } = counted();
  await store.write([create('Patient', 'mixed-20')]);
  const answers = await Promise.allSettled(ids('mixed', 60).map((id) => store.write([create('Patient', id)])));
  expect(answers.map(({ status }) => status)).toEqual(ids('mixed', 60).map((id) => (id === 'mixed-20' ? 'rejected' : 'fulfilled')));
  expect(answers[20]).toMatchObject({ reason: expect.any(VersionConflict) });
  for (const id of ids('mixed', 60)) expect(await store.read(ALL, 'Patient', id)).toMatchObject({ id, version: 1 });
});

it('keeps types apart', async () => {
  const { store } = counted();
  await Promise.all(ids('typed', 80).map((id, index) => store.write([create(index % 2 ? 'Patient' : 'Observation', id)])));
  for (const [index, id] of ids('typed', 80).entries()) expect(await store.read(ALL, index % 2 ? 'Patient' : 'Observation', id)).toMatchObject({ id });
});

it('lets whoever has stored read what was stored, at once', async () => {
  const { store } = counted();
  await Promise.all(ids('own', 100).map(async (id) => {
    await store.write([create('Patient', id)]);
    expect(await store.read(ALL, 'Patient', id)).toMatchObject({ id });
  }));
});
