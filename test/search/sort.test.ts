// Every order that a search can ask for: what it is, both ways, page by page, on each road. https://hl7.org/fhir/R4/search.html#sort
import { cursorOf, searchStatement } from '../../src/search/compile.js';
import { createExtractor } from '../../src/search/extract.js';
import { isSortable } from '../../src/search/order.js';
import type { PackedRow, SearchRow } from '../../src/search/packed-page.js';
import { parseSearch } from '../../src/search/parse.js';
import type { Query } from '../../src/search/query.js';
import { slotsOf } from '../../src/search/slots.js';
import type { FrequencyOf } from '../../src/search/token-frequency.js';
import { ALL, create, definitions, openFixture, type Fixture } from '../store/fixture.js';
import { common, rare } from './frequencies.js';
import { world } from './small-world.js';

const extract = createExtractor(definitions);
let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
  await fixture.store.write(world.map((resource, index) => create(resource.resourceType, String(resource.id), { updated: index * 1000, text: JSON.stringify(resource), rows: extract(resource) })));
});
afterAll(() => fixture.close());

function queryOf(type: string, search: string): Query {
  const pairs = search.split('&').map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string]);
  return parseSearch({ definitions, type, pairs, handling: 'strict', defaultCount: 50, maxCount: 1000 }).query;
}

async function run(query: Query, frequencyOf: FrequencyOf): Promise<readonly SearchRow[]> {
  const statement = searchStatement(definitions, query, ALL, frequencyOf);
  return statement.read((await fixture.database.query<PackedRow>(statement)).rows);
}

const idsOf = (rows: readonly SearchRow[]): string[] => rows.map(({ id }) => id);

/** All pages of two. */
async function paged(query: Query, frequencyOf: FrequencyOf): Promise<string[]> {
  const ids: string[] = [];
  for (let after: Query['after']; ;) {
    const rows = await run({ ...query, count: 2, ...(after && { after }) }, frequencyOf);
    ids.push(...idsOf(rows.slice(0, 2)));
    const last = rows[1];
    if (!rows[2] || !last) return ids;
    after = cursorOf(last);
  }
}

const ORDERS: readonly (readonly [type: string, search: string, ids: string])[] = [
  ['Patient', '_sort=family', 'p3 P5 p1 p2 p4 p6'],
  ['Patient', '_sort=-family', 'p2 p1 P5 p3 p6 p4'],
  ['Patient', '_sort=gender', 'p1 p2 p3 p4 P5 p6'],
  ['Patient', '_sort=-gender', 'p4 p3 p2 p1 p6 P5'],
  ['Patient', '_sort=-active,gender', 'p1 P5 p2 p3 p4 p6'],
  ['Patient', '_sort=active', 'p2 P5 p1 p3 p4 p6'],
  ['Patient', '_sort=gender,-birthdate', 'p1 p2 p3 p4 P5 p6'],
  ['Patient', '_sort=active,birthdate&birthdate:missing=false', 'p2 p1 P5 p3'],
  ['Patient', '_sort=-active,-family', 'p1 P5 p2 p3 p6 p4'],
  ['Patient', '_sort=active,-gender,family', 'p2 p1 P5 p4 p3 p6'],
  ['Observation', '_sort=-status,date&code=29463-7', 'o3 o4 o1 o2'],
  ['Patient', '_sort=identifier', 'p1 p3 p2 P5 p4 p6'],
  ['Patient', '_sort=organization', 'p1 p2 p4 P5 p3 p6'],
  ['Patient', '_sort=email,-_id', 'p1 p6 p4 p3 p2 P5'],
  ['Observation', '_sort=patient,-date&status=final', 'o9 o8 o1 o7 o4 o3 o6 o5'],
  ['Observation', '_sort=-value-quantity&code=29463-7', 'o4 o2 o3 o1'],
  ['ValueSet', '_sort=url', 'v3 v1 v2'],
  ['ValueSet', '_sort=-url', 'v2 v1 v3'],
  ['RiskAssessment', '_sort=probability', 'r8 r10 r5 r4 r1 r2 r3 r7 r6 r9'],
  ['RiskAssessment', '_sort=-probability', 'r6 r7 r5 r3 r2 r1 r4 r10 r8 r9'],
];

test.each(ORDERS)('%s?%s', async (type, search, ids) => {
  for (const frequencyOf of [rare, common]) {
    const found = idsOf(await run(queryOf(type, search), frequencyOf));
    expect(found.filter((id) => ids.split(' ').includes(id))).toEqual(ids.split(' '));
    expect(await paged(queryOf(type, search), frequencyOf)).toEqual(found);
  }
});

test('of one of few codes, with what is included beside it', async () => {
  const rows = await run(queryOf('Patient', '_sort=-gender&_include=Patient:organization&_revinclude=Observation:patient&_count=2'), common);
  const of = (type: string | undefined): string[] => idsOf(rows.filter((row) => row.type === type));
  expect(of(undefined)).toEqual(['p4', 'p3', 'p2']);
  expect([of('Organization').length + of('Observation').length > 0, of('Observation').includes('o1')]).toEqual([true, false]);
});

const TYPES = [...new Set(world.map(({ resourceType }) => resourceType))];
const EVERY = TYPES.flatMap((type) => [...slotsOf(definitions, type).byCode.values()].filter((slot) => slot.parameter.expression !== undefined && isSortable(definitions, slot)).map(({ code }) => [type, code] as const));

test('nearly every token, reference and URL has an order', () => {
  const without = definitions.resourceTypes.flatMap((type) => [...slotsOf(definitions, type).byCode.values()]
    .filter((slot) => slot.parameter.expression !== undefined && ['token', 'reference', 'uri'].includes(slot.parameter.type) && !isSortable(definitions, slot)).map(({ code }) => `${type}.${code}`));
  expect(without.filter((name) => !/\.(allocation|budget|careplan|kind)/.test(name)).length).toBeLessThan(60);
  expect(EVERY.length).toBeGreaterThan(150);
});

test.each(TYPES)('%s: all orders give all rows, both ways, in pages of two', async (type) => {
  const all = world.filter(({ resourceType }) => resourceType === type).map(({ id }) => String(id)).sort();
  for (const [, code] of EVERY.filter(([of]) => of === type)) {
    for (const sort of [code, `-${code}`]) {
      const query = queryOf(type, `_sort=${sort}`);
      const found = idsOf(await run(query, rare));
      expect({ sort, ids: [...found].sort() }).toEqual({ sort, ids: all });
      expect({ sort, ids: await paged(query, rare) }).toEqual({ sort, ids: found });
    }
  }
}, 120_000);
