// Pages of a search: what is on them, where they go on, how many there are, and what a Grant takes away.
import type { Resource } from '../../src/fhir/resource.js';
import type { SearchParameter } from '../../src/definitions/model.js';
import { createExtractor } from '../../src/search/extract.js';
import type { Grant } from '../../src/search/grant.js';
import type { Clause, Query } from '../../src/search/query.js';
import type { SearchPage } from '../../src/store/store.js';
import { ALL, create, definitions, grantOf, NONE, openFixture, remove, update, type Fixture } from './fixture.js';

const extract = createExtractor(definitions);
const stored = (resource: Resource, updated: number) =>
  create(resource.resourceType, String(resource.id), { updated, text: JSON.stringify(resource), rows: extract(resource) });

const patients = Array.from({ length: 7 }, (_, n): Resource => ({ resourceType: 'Patient', id: `p${String(n)}`, gender: n % 2 === 0 ? 'female' : 'male' }));
const observations = patients.map(({ id }): Resource => ({ resourceType: 'Observation', id: `o-${String(id)}`, status: 'final', code: { text: 'x' }, subject: { reference: `Patient/${String(id)}` } }));

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
  await fixture.store.write([...patients, ...observations].map((resource, n) => stored(resource, 1000 + n)));
  const gone = stored({ resourceType: 'Patient', id: 'gone', gender: 'female' }, 1);
  await fixture.store.write([gone]);
  await fixture.store.write([remove('Patient', 'gone', 1)]);
});
afterAll(() => fixture.close());

function parameter(type: string, code: string): SearchParameter {
  const found = definitions.searchParameters(type).get(code);
  if (!found) throw new Error(`${type} has no ${code}`);
  return found;
}

const is = (type: string, code: string, text: string): Clause => ({ kind: 'parameter', parameter: parameter(type, code), values: [{ text }] });
const byUpdate = (type: string) => [{ parameter: parameter(type, '_lastUpdated'), descending: false }];

function query(type: string, more: Partial<Query> = {}): Query {
  return { type, where: { kind: 'all' }, sort: byUpdate(type), count: 20, includes: [], total: 'none', self: [], ...more };
}

const idsOf = ({ matches }: SearchPage): string[] => matches.map(({ id }) => id);
const ids = (numbers: readonly number[], prefix = 'p'): string[] => numbers.map((n) => `${prefix}${String(n)}`);

it('gives the current versions in order, and no deleted ones', async () => {
  const page = await fixture.store.search(ALL, query('Patient'));
  expect(idsOf(page)).toEqual(ids([0, 1, 2, 3, 4, 5, 6]));
  expect(page.matches[3]).toEqual({ type: 'Patient', id: 'p3', text: JSON.stringify(patients[3]) });
  expect(page).not.toHaveProperty('next');
  expect(page).not.toHaveProperty('total');
});

it('finds by a token, and after an update no more', async () => {
  const women = query('Patient', { where: is('Patient', 'gender', 'female') });
  expect(idsOf(await fixture.store.search(ALL, women))).toEqual(ids([0, 2, 4, 6]));
  const other = { resourceType: 'Patient', id: 'turns', gender: 'female' };
  await fixture.store.write([stored(other, 5000)]);
  expect(idsOf(await fixture.store.search(ALL, women))).toEqual([...ids([0, 2, 4, 6]), 'turns']);
  await fixture.store.write([update('Patient', 'turns', 1, { rows: extract({ ...other, gender: 'male' }) })]);
  expect(idsOf(await fixture.store.search(ALL, women))).toEqual(ids([0, 2, 4, 6]));
  await fixture.store.write([remove('Patient', 'turns', 2)]);
});

it.each([1, 2, 3, 6, 7, 8])('goes through all pages of %i without a gap or a repetition', async (count) => {
  const seen: string[] = [];
  let after: Query['after'];
  do {
    const page = await fixture.store.search(ALL, query('Patient', { count, ...(after && { after }) }));
    expect(page.matches.length).toBeLessThanOrEqual(count);
    seen.push(...idsOf(page));
    after = page.next;
  } while (after);
  expect(seen).toEqual(ids([0, 1, 2, 3, 4, 5, 6]));
});

it('gives what is included apart from the matches, each once, and not for the row that only tells of a next page', async () => {
  const includes = [{ source: 'Observation', parameter: parameter('Observation', 'subject'), iterate: false, reverse: false }];
  const page = await fixture.store.search(ALL, query('Observation', { count: 2, includes }));
  expect(idsOf(page)).toEqual(ids([0, 1], 'o-p'));
  expect(page.includes.map(({ type, id, text }) => [type, id, text])).toEqual([0, 1].map((n) => ['Patient', `p${String(n)}`, JSON.stringify(patients[n])]));
  expect(page.next).toBeDefined();
});

describe('a total', () => {
  const women = is('Patient', 'gender', 'female');

  it.each([1, 2, 4, 5, 20])('is the number of all matches, on every page of %i', async (count) => {
    const first = await fixture.store.search(ALL, query('Patient', { where: women, count, total: 'accurate' }));
    expect(first.total).toBe(4);
    if (!first.next) return;
    const second = await fixture.store.search(ALL, query('Patient', { where: women, count, total: 'accurate', after: first.next }));
    expect(second.total).toBe(4);
  });

  it('comes alone for a count of 0', async () => {
    expect(await fixture.store.search(ALL, query('Patient', { where: women, count: 0 }))).toEqual({ matches: [], includes: [], total: 4 });
  });

  it('may be an estimate, never less than what was seen, and exact where all was', async () => {
    await fixture.database.query({ text: 'analyze fhir."Patient"', values: [] });
    expect((await fixture.store.search(ALL, query('Patient', { where: women, total: 'estimate' }))).total).toBe(4);
    const { total } = await fixture.store.search(ALL, query('Patient', { count: 2, total: 'estimate' }));
    expect(total).toBeGreaterThanOrEqual(3);
    expect(total).toBeLessThanOrEqual(20);
    expect((await fixture.store.search(ALL, query('Patient', { count: 0, total: 'estimate' }))).total).toBeLessThanOrEqual(20);
  });

  it('counts only what the Grant shows', async () => {
    const grant = grantOf({ kind: 'ids', ids: ['p0', 'p1'] });
    expect((await fixture.store.search(grant, query('Patient', { count: 0 }))).total).toBe(2);
    expect((await fixture.store.search(grant, query('Patient', { where: women, count: 1, total: 'accurate' }))).total).toBe(1);
  });
});

describe('a Grant', () => {
  const perType = (clauses: Readonly<Record<string, Clause>>): Grant => ({ ...ALL, rows: (type) => clauses[type] ?? { kind: 'none' } });
  const someone = perType({ Patient: { kind: 'ids', ids: ['p1', 'p4'] }, Observation: { kind: 'all' } });

  it('hides rows from matches and from includes', async () => {
    expect(idsOf(await fixture.store.search(someone, query('Patient')))).toEqual(ids([1, 4]));
    const includes = [{ source: 'Observation', parameter: parameter('Observation', 'subject'), iterate: false, reverse: false }];
    const page = await fixture.store.search(someone, query('Observation', { includes }));
    expect(page.matches).toHaveLength(7);
    expect(page.includes.map(({ id }) => id).sort()).toEqual(ids([1, 4]));
  });

  it('hides the far end of a chain', async () => {
    const where: Clause = { kind: 'chain', parameter: parameter('Observation', 'subject'), type: 'Patient', where: is('Patient', 'gender', 'female') };
    expect(idsOf(await fixture.store.search(ALL, query('Observation', { where })))).toEqual(ids([0, 2, 4, 6], 'o-p'));
    expect(idsOf(await fixture.store.search(someone, query('Observation', { where })))).toEqual(['o-p4']);
  });

  it('of nothing finds nothing and counts nothing', async () => {
    expect(await fixture.store.search(NONE, query('Patient'))).toEqual({ matches: [], includes: [] });
    expect(await fixture.store.search(NONE, query('Patient', { total: 'accurate' }))).toEqual({ matches: [], includes: [], total: 0 });
    expect(await fixture.store.search(NONE, query('Patient', { count: 0 }))).toEqual({ matches: [], includes: [], total: 0 });
  });
});

it('sees the writes of its own transaction', async () => {
  const work = fixture.store.transaction(async (tx) => {
    await tx.write([stored({ resourceType: 'Patient', id: 'inside', gender: 'female' }, 9000)]);
    expect(idsOf(await tx.search(ALL, query('Patient')))).toContain('inside');
    throw new Error('undo');
  });
  await expect(work).rejects.toThrow('undo');
  expect(idsOf(await fixture.store.search(ALL, query('Patient')))).not.toContain('inside');
});
