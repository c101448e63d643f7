// What a chain into a contained resource may find under a Grant: what the Grant shows, asked by what it lets ask.
import type { Resource } from '../../src/fhir/resource.js';
import { createExtractor } from '../../src/search/extract.js';
import type { Grant } from '../../src/search/grant.js';
import { parseSearch } from '../../src/search/parse.js';
import { ALL, create, definitions, openFixture, type Fixture } from './fixture.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
  const extract = createExtractor(definitions);
  await fixture.store.write(['mine', 'theirs'].map((id) => {
    const resource: Resource = {
      resourceType: 'MedicationRequest', id, meta: { versionId: '1' }, contained: [{ resourceType: 'Medication', id: 'm', code: { text: 'x', coding: [{ code: 'x' }] } }], medicationReference: { reference: '#m' },
    };
    return create('MedicationRequest', id, { text: JSON.stringify(resource), rows: extract(resource) });
  }));
});
afterAll(() => fixture.close());

async function found(grant: Partial<Grant>): Promise<readonly string[]> {
  const { query } = parseSearch({ definitions, type: 'MedicationRequest', pairs: [['medication.code', 'x']], handling: 'strict', defaultCount: 20, maxCount: 100 });
  return (await fixture.store.search({ ...ALL, ...grant }, query)).matches.map(({ id }) => id);
}

test('who sees all finds all', async () => {
  expect(await found({})).toEqual(['mine', 'theirs']);
});

test('of what contains it, the rows that the Grant shows', async () => {
  expect(await found({ rows: (type) => (type === 'MedicationRequest' ? { kind: 'ids', ids: ['mine'] } : { kind: 'all' }) })).toEqual(['mine']);
});

test('nothing of a type of which the Grant shows nothing', async () => {
  expect(await found({ rows: (type) => ({ kind: type === 'Medication' ? 'none' : 'all' }) })).toEqual([]);
});

test('nothing by what the caller is not shown', async () => {
  const without = (text: string): string => JSON.stringify({ ...(JSON.parse(text) as object), contained: undefined });
  expect(await found({ view: (type) => (type === 'MedicationRequest' ? without : undefined) })).toEqual([]);
});

test.each([['Medication', 'code'], ['MedicationRequest', 'medication']])('by a hidden parameter (%s.%s) is refused', async (type, code) => {
  await expect(found({ hides: (of, by) => of === type && by === code })).rejects.toMatchObject({ status: 403 });
});

test('rows of which a criterion may not hold are not found by it', async () => {
  expect(await found({ except: (type, code) => (type === 'MedicationRequest' && code === 'medication' ? { kind: 'ids', ids: ['theirs'] } : undefined) })).toEqual(['mine']);
});
