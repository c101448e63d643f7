// `:text` on codes: which words find which resources, on every road.
import type { JsonObject, Resource } from '../../src/fhir/resource.js';
import { clauseSql } from '../../src/search/clause-sql.js';
import { searchStatement, totalStatement } from '../../src/search/compile.js';
import { createExtractor } from '../../src/search/extract.js';
import type { PackedRow } from '../../src/search/packed-page.js';
import { parseSearch } from '../../src/search/parse.js';
import type { FrequencyOf } from '../../src/search/token-frequency.js';
import { tokenHasher } from '../../src/search/token-hash.js';
import { ALL, create, definitions, openFixture, update, type Fixture } from '../store/fixture.js';

const extract = createExtractor(definitions);
const observation = (id: string, code: JsonObject, more: JsonObject = {}): Resource => ({ resourceType: 'Observation', id, status: 'final', code, ...more });
const display = (...words: string[]): JsonObject => ({ coding: words.map((word, index) => ({ system: 'urn:a', code: `c${String(index)}`, display: word })) });
const stored = (resource: Resource) => create(resource.resourceType, String(resource.id), { rows: extract(resource), text: '{}' });

/** 450 texts that begin alike, so that they are looked for in several parts. */
const MANY = Array.from({ length: 450 }, (_, n) => observation(`m${String(n).padStart(3, '0')}`, { text: `Unique words ${String(n)}` }));

const WORLD: readonly Resource[] = [
  observation('o1', display('Body weight')),
  observation('o2', { ...display('Poids  corporel', 'Körpergewicht'), text: 'Measured at Home' }),
  observation('o3', { text: 'weight, at home' }, { category: [display('Vital Signs')], component: [{ code: display('Weight of left arm') }] }),
  observation('o4', { coding: [{ code: 'weight' }] }),
  observation('o5', { text: `${'long '.repeat(60)}end` }),
  { resourceType: 'Patient', id: 'p1', identifier: [{ system: 'urn:i', value: '1', type: { text: 'Weight watchers', ...display('Member number') } }] },
  ...MANY,
];

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
  await fixture.store.write(WORLD.map(stored));
});
afterAll(() => fixture.close());

const queryOf = (type: string, search: string) => parseSearch({
  definitions, type, pairs: search.split('&').map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string]), handling: 'strict', defaultCount: 1000, maxCount: 1000,
}).query;

async function everyRoad(type: string, search: string): Promise<readonly string[]> {
  const first = await found(type, search);
  expect(await found(type, `${search}&_sort=-_lastUpdated`)).toEqual(first);
  expect(await throughGrant(type, search)).toEqual(first);
  const { rows } = await fixture.database.query<{ total: number }>(totalStatement(definitions, queryOf(type, search), ALL));
  expect(Number(rows[0]?.total)).toBe(first.length);
  return first;
}

async function found(type: string, search: string, frequencyOf?: FrequencyOf): Promise<readonly string[]> {
  const statement = searchStatement(definitions, queryOf(type, search), ALL, frequencyOf);
  return statement.read((await fixture.database.query<PackedRow>(statement)).rows).map(({ id }) => id).sort();
}

/** The clause as a sieve. */
async function throughGrant(type: string, search: string): Promise<readonly string[]> {
  const values: unknown[] = [];
  const text = `select t.id from fhir."${type}" t where ${clauseSql(definitions, type, queryOf(type, search).where, 't', values)} order by t.id`;
  return (await fixture.database.query<{ id: string }>({ text, values })).rows.map(({ id }) => id);
}

it.each([
  ['Observation', 'code:text=body', 'o1'],
  ['Observation', 'code:text=BODY W', 'o1'],
  ['Observation', 'code:text=weight', 'o3'],
  ['Observation', 'code:text=korper', 'o2'],
  ['Observation', 'code:text=KÖRPERGEWICHT', 'o2'],
  ['Observation', 'code:text=poids corp', 'o2'],
  ['Observation', 'code:text=measured at home', 'o2'],
  ['Observation', 'code:text=home', ''],
  ['Observation', 'code:text=weight\\, at', 'o3'],
  ['Observation', 'code:text=body,poids,nothing', 'o1 o2'],
  ['Observation', 'code:text=body&status=final', 'o1'],
  ['Observation', 'code:text=body&code:text=weight', ''],
  ['Observation', 'code:text=measured&code:text=poids', 'o2'],
  ['Observation', 'combo-code:text=weight', 'o3'],
  ['Observation', 'component-code:text=weight of', 'o3'],
  ['Observation', 'category:text=vital', 'o3'],
  ['Observation', 'code:text=vital', ''],
  ['Observation', `code:text=${'long '.repeat(60)}end`, 'o5'],
  ['Patient', 'identifier:text=weight', 'p1'],
  ['Patient', 'identifier:text=member', ''],
  ['Patient', '_has:Observation:subject:code:text=body', ''],
])('%s?%s finds %s', async (type, search, ids) => {
  expect(await everyRoad(type, search)).toEqual(ids.split(' ').filter((id) => id !== ''));
});

it('finds what many texts begin with', async () => {
  expect(await everyRoad('Observation', 'code:text=unique')).toEqual(MANY.map(({ id }) => id));
  expect(await everyRoad('Observation', 'code:text=unique words 44')).toEqual(['m044', ...Array.from({ length: 10 }, (_, n) => `m44${String(n)}`)]);
});

it('takes many rows for granted where a text is known to be common, and finds the same', async () => {
  const frequencyOf: FrequencyOf = () => ({ rows: 1_000_000, shares: new Map([[tokenHasher('code').text('body weight'), 0.9]]) });
  const granted = (text: string): boolean => text.includes('generate_series');
  expect(granted(searchStatement(definitions, queryOf('Observation', 'code:text=body'), ALL, frequencyOf).text)).toBe(true);
  expect(granted(searchStatement(definitions, queryOf('Observation', 'code:text=body'), ALL).text)).toBe(false);
  expect(await found('Observation', 'code:text=body', frequencyOf)).toEqual(['o1']);
  expect(await found('Observation', 'code:text=body,poids', frequencyOf)).toEqual(['o1', 'o2']);
  expect(await found('Observation', 'code:text=unique', frequencyOf)).toEqual(MANY.map(({ id }) => id));
});

it('finds what an update says, not what it said before', async () => {
  await fixture.store.write([stored(observation('u1', { text: 'Former words' }))]);
  await fixture.store.write([update('Observation', 'u1', 1, { rows: extract(observation('u1', { text: 'Later words' })), text: '{}' })]);
  expect(await everyRoad('Observation', 'code:text=former')).toEqual([]);
  expect(await everyRoad('Observation', 'code:text=later')).toEqual(['u1']);
});

it('leaves no string row for the words of codes', async () => {
  expect((await fixture.database.query({ text: 'select from fhir.string_index', values: [] })).count).toBe(0);
});
