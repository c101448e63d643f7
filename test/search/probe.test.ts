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
  await fixture.store.write(everyone.map(({ id }, index) => {
    const resource: Resource = { resourceType: 'Observation', id: `o${id.slice(1)}`, status: index % 3 === 0 ? 'final' : 'amended', code: { text: 'x' }, subject: { reference: `Patient/${id}` }, performer: [{ reference: `Patient/${id}` }] };
    return create('Observation', resource.id ?? '', { text: JSON.stringify(resource), rows: extract(resource) });
  }));
  await fixture.database.query({ text: 'analyze', values: [] });
});
afterAll(() => fixture.close());

function parse(search: string, type = 'Patient'): Query {
  const pairs = search.split('&').map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string]);
  return parseSearch({ definitions, type, pairs, handling: 'strict', defaultCount: 20, maxCount: 1000 }).query;
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
  ['_sort=gender', () => true, byId],
  ['_sort=-gender', () => true, (a, b) => (a.id < b.id ? 1 : -1)],
  ['family=brown&_sort=gender,-birthdate', ({ family }) => family === 'Brown', (a, b) => (a.gender < b.gender ? -1 : a.gender > b.gender ? 1 : byBirth(-1)(a, b))],
  ['birthdate=ge1999&_sort=-gender,birthdate', ({ birthDate }) => birthDate >= '1999', (a, b) => (a.gender < b.gender ? 1 : a.gender > b.gender ? -1 : byBirth(1)(a, b))],
  ['birthdate=lt1951&_sort=-_id', ({ birthDate }) => birthDate < '1951', (a, b) => (a.id < b.id ? 1 : -1)],
  ['birthdate=ge1999&gender=female&_sort=birthdate', ({ birthDate, gender: sex }) => birthDate >= '1999' && sex === 'female', byBirth(1)],
])('%s finds all, in order, from page to page', async (search, passes, order) => {
  expect(await pagesOf({ ...parse(search), count: 200 })).toEqual(everyone.filter(passes).sort(order).map(({ id }) => id));
});

const status = tokenHasher('status');
const knownStatus: FrequencyOf = (type) => (type === 'Patient' ? known(type) : { rows: 1_000_000, shares: new Map([[status.anySystem('final'), 0.33], [status.anySystem('amended'), 0.67]]) });

it.each<readonly [search: string, passes: (person: Person, index: number) => boolean]>([
  // Met at a glance; beyond it; past all that is walked; so few that nothing is walked; none.
  ['subject:Patient.family=adams', ({ family }) => family === 'Adams'],
  ['subject:Patient.birthdate=1999', ({ birthDate }) => birthDate.startsWith('1999')],
  ['performer:Patient.birthdate=1999', ({ birthDate }) => birthDate.startsWith('1999')],
  ['subject:Patient.family=zeus', ({ family }) => family === 'Zeus'],
  ['performer:Patient.family=zeus', ({ family }) => family === 'Zeus'],
  ['subject:Patient.gender=male', ({ gender: sex }) => sex === 'male'],
  ['performer:Patient.gender=male', ({ gender: sex }) => sex === 'male'],
  ['subject:Patient.family=nobody', () => false],
  ['subject:Patient.family=brown&performer:Patient.birthdate=1999', ({ family, birthDate }) => family === 'Brown' && birthDate.startsWith('1999')],
])('Observation?%s finds all, from page to page', async (search, passes) => {
  const wanted = everyone.filter(passes).map(({ id }) => `o${id.slice(1)}`);
  for (const count of [20, 700]) expect(await pagesOf({ ...parse(search, 'Observation'), count })).toEqual(wanted);
});

it.each<readonly [search: string, passes: (person: Person, index: number) => boolean]>([
  ['_has:Observation:subject:status=final', (_, index) => index % 3 === 0],
  ['_has:Observation:performer:status=final', (_, index) => index % 3 === 0],
  ['_has:Observation:subject:status=final&family=zeus', ({ family }, index) => index % 3 === 0 && family === 'Zeus'],
  ['_has:Observation:subject:_id=o00003,o05999', ({ id }) => id === 'p00003' || id === 'p05999'],
  ['_has:Observation:subject:status=final&_sort=-_id', (_, index) => index % 3 === 0],
])('Patient?%s finds all, from page to page', async (search, passes) => {
  const wanted = everyone.filter(passes).map(({ id }) => id);
  for (const count of [20, 700]) expect(await pagesOf({ ...parse(search), count })).toEqual(search.includes('-_id') ? [...wanted].reverse() : wanted);
});

it.each<readonly [search: string, passes: (person: Person, index: number) => boolean]>([
  ['subject:Patient.family=adams', ({ family }) => family === 'Adams'],
  // Met only when all that the chain leads to is gathered.
  ['subject:Patient.family=zeus', ({ family }) => family === 'Zeus'],
  ['subject:Patient.gender=male', ({ gender: sex }) => sex === 'male'],
  ['subject:Patient.birthdate=1999&status=final', ({ birthDate }, index) => birthDate.startsWith('1999') && index % 3 === 0],
  ['subject:Patient.family=nobody', () => false],
])('Observation?%s goes along what the chain leads to, both ways, and where no order was asked for', async (search, passes) => {
  const wanted = everyone.filter(passes).map(({ id }) => `o${id.slice(1)}`);
  for (const count of [1, 20, 700]) {
    if (count === 1 && wanted.length > 100) continue;
    expect(await pagesOf({ ...parse(`${search}&_sort=subject`, 'Observation'), count })).toEqual(wanted);
    expect(await pagesOf({ ...parse(`${search}&_sort=-patient`, 'Observation'), count })).toEqual([...wanted].reverse());
    const found: string[] = [];
    let page = await fixture.store.search(ALL, { ...parse(search, 'Observation'), count });
    for (found.push(...page.matches.map(({ id }) => id)); page.next; found.push(...page.matches.map(({ id }) => id))) {
      page = await fixture.store.search(ALL, { ...parse(search, 'Observation'), count, after: page.next });
    }
    expect(found).toEqual(wanted);
  }
});

async function pagesOf(query: Query): Promise<string[]> {
  const found: string[] = [];
  let after: Query['after'];
  do {
    const statement = searchStatement(definitions, { ...query, ...(after && { after }) }, ALL, knownStatus);
    const rows = statement.read((await fixture.database.query<PackedRow>(statement)).rows);
    const shown = rows.slice(0, query.count);
    found.push(...shown.map(({ id }) => id));
    const last = shown.at(-1);
    after = rows.length > query.count && last ? cursorOf(last) : undefined;
  } while (after);
  return found;
}

it('walks no further than it must: two that never meet are told apart by the GIN', async () => {
  const { text, values } = searchStatement(definitions, parse('gender=female&gender=male'), ALL, known);
  const { rows } = await fixture.database.query<{ 'QUERY PLAN': string }>({ text: `explain (analyze, costs off, timing off) ${text}`, values });
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  expect(plan).toMatch(/Rows Removed by Filter: 4000/);
  expect(plan).toMatch(/Patient_tokens|tokens_idx|Bitmap Index Scan/);
});

it('of a few codes the rows of the first are walked, and no other row is read', async () => {
  const { text, values } = searchStatement(definitions, parse('_sort=gender'), ALL, known);
  const { rows } = await fixture.database.query<{ 'QUERY PLAN': string }>({ text: `explain (analyze, buffers, costs off, timing off, format json) ${text}`, values });
  const [explained] = JSON.parse(rows[0]?.['QUERY PLAN'] ?? '[]') as readonly { readonly Plan: Readonly<Record<'Shared Hit Blocks' | 'Shared Read Blocks', number>> }[];
  const blocks = (explained?.Plan['Shared Hit Blocks'] ?? Infinity) + (explained?.Plan['Shared Read Blocks'] ?? 0);
  expect(blocks).toBeLessThan(200);
});

it('to sort a million rows by codes that lie in no order is refused before it begins; few of them are sorted', () => {
  const sorted = (search: string, frequency: FrequencyOf): string => searchStatement(definitions, parse(search, 'Observation'), ALL, frequency).text;
  const few: FrequencyOf = () => ({ rows: 90_000, shares: new Map() });
  expect(() => sorted('_sort=code', knownStatus)).toThrow(/About 1000000 resources of type Observation .* sort them by code/);
  expect(() => sorted('status=final&_sort=-date,code', knownStatus)).toThrow(/About 330000/);
  expect(() => sorted('status:not=final&_sort=code', knownStatus)).toThrow(/About 1000000/);
  for (const search of ['_sort=status', '_sort=-status,-date', 'code=x&_sort=code', 'subject=Patient/p00001&_sort=code', '_sort=-date', '_sort=value-quantity']) expect(sorted(search, knownStatus)).toMatch(/order by/);
  expect(sorted('_sort=code', few)).toMatch(/order by/);
});
