// Thousands of rows: enough that names are many, walks end before the page is full, and pages are found the other way.
import type { Resource } from '../../src/fhir/resource.js';
import { cursorOf, searchStatement } from '../../src/search/compile.js';
import type { PackedRow } from '../../src/search/packed-page.js';
import { createExtractor } from '../../src/search/extract.js';
import { parseSearch } from '../../src/search/parse.js';
import type { Query } from '../../src/search/query.js';
import { tokenHasher } from '../../src/search/token-hash.js';
import type { FrequencyOf } from '../../src/search/token-frequency.js';
import { ALL, create, definitions, openFixture, type Fixture } from '../store/fixture.js';

const ROWS = 6000;

/** Females come first and are called Adams or Brown; the last few men are Zeus. */
const everyone = Array.from({ length: ROWS }, (_, index) => ({
  id: `p${String(index).padStart(5, '0')}`,
  gender: index < ROWS / 2 ? 'female' : 'male',
  family: index >= ROWS - 5 ? 'Zeus' : index % 2 === 0 ? 'Adams' : 'Brown',
  birthDate: `${1950 + (index % 50)}-01-01`,
}));
type Person = (typeof everyone)[number];

const gender = tokenHasher('gender');
const known: FrequencyOf = () => ({ rows: 1_000_000, shares: new Map([[gender.anySystem('female'), 0.5], [gender.anySystem('male'), 0.5]]) });

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
  const extract = createExtractor(definitions);
  await fixture.store.write(everyone.map(({ id, gender: sex, family, birthDate }) => {
    const resource: Resource = { resourceType: 'Patient', id, gender: sex, birthDate, name: [{ family }] };
    return create('Patient', id, { text: JSON.stringify(resource), rows: extract(resource) });
  }));
  await fixture.database.query({ text: 'analyze', values: [] });
});
afterAll(() => fixture.close());

function parse(search: string): Query {
  const pairs = search.split('&').map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string]);
  return parseSearch({ definitions, type: 'Patient', pairs, handling: 'strict', defaultCount: 20, maxCount: 1000 }).query;
}

const byBirth = (sign: 1 | -1) => (a: Person, b: Person): number => sign * (a.birthDate < b.birthDate || (a.birthDate === b.birthDate && a.id < b.id) ? -1 : 1);

const byId = (a: Person, b: Person): number => (a.id < b.id ? -1 : 1);

it.each<readonly [search: string, passes: (person: Person) => boolean, order: (a: Person, b: Person) => number]>([
  ['family=adams', ({ family }) => family === 'Adams', byId],
  ['family=zeus', ({ family }) => family === 'Zeus', byId],
  ['family:contains=o', ({ family }) => family === 'Brown', byId],
  ['name=a,z', ({ family }) => family !== 'Brown', byId],
  ['gender=male', ({ gender: sex }) => sex === 'male', byId],
  ['gender=male&family=adams', ({ gender: sex, family }) => sex === 'male' && family === 'Adams', byId],
  ['gender=female&family=zeus', () => false, byId],
  ['gender=female&gender=male', () => false, byId],
  ['gender=male&_sort=birthdate', ({ gender: sex }) => sex === 'male', byBirth(1)],
  ['family=brown&_sort=-birthdate', ({ family }) => family === 'Brown', byBirth(-1)],
  ['birthdate=1999&gender=male', ({ birthDate, gender: sex }) => birthDate.startsWith('1999') && sex === 'male', byId],
  ['birthdate=lt1951&_sort=-_id', ({ birthDate }) => birthDate < '1951', (a, b) => (a.id < b.id ? 1 : -1)],
  ['birthdate=ge1999&gender=female&_sort=birthdate', ({ birthDate, gender: sex }) => birthDate >= '1999' && sex === 'female', byBirth(1)],
])('%s finds all, in order, from page to page', async (search, passes, order) => {
  const wanted = everyone.filter(passes).sort(order);
  const query = { ...parse(search), count: 200 };
  const found: string[] = [];
  let after: Query['after'];
  do {
    const statement = searchStatement(definitions, { ...query, ...(after && { after }) }, ALL, known);
    const rows = statement.read((await fixture.database.query<PackedRow>(statement)).rows);
    const shown = rows.slice(0, query.count);
    found.push(...shown.map(({ id }) => id));
    const last = shown.at(-1);
    after = rows.length > query.count && last ? cursorOf(last) : undefined;
  } while (after);
  expect(found).toEqual(wanted.map(({ id }) => id));
});

it('walks no further than it must: two that never meet are told apart by the GIN', async () => {
  const { text, values } = searchStatement(definitions, parse('gender=female&gender=male'), ALL, known);
  const { rows } = await fixture.database.query<{ 'QUERY PLAN': string }>({ text: `explain (analyze, costs off, timing off) ${text}`, values });
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  expect(plan).toMatch(/Rows Removed by Filter: 4000/);
  expect(plan).toMatch(/Patient_tokens|tokens_idx|Bitmap Index Scan/);
});
