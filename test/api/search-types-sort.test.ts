// `_sort` over several types: one order for all of them, from page to page. https://hl7.org/fhir/R4/search.html#sort
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

let server: TestServer;
const order: string[] = [];
beforeAll(async () => {
  server = await startServer();
  const names = ['Ash', 'Birch', 'Ash', undefined, 'Cedar', 'Birch', 'Ash'];
  for (const [index, family] of names.entries()) {
    const type = index % 2 === 0 ? 'Practitioner' : 'Patient';
    const body = { resourceType: type, id: `r${index}`, ...(family !== undefined && { name: [{ family }] }) };
    const { status } = await server.send('PUT', `${type}/r${index}`, { token: server.tokens.admin, body });
    expect(status).toBe(201);
    order.push(`${type}/r${index}`);
  }
});
afterAll(() => server.close());

const get = (query: string, headers: Record<string, string> = {}) => server.send('GET', query.replace(/^https?:.*?(?=\?)/, ''), { token: server.tokens.admin, headers });
const named = (body: any): string[] => (body.entry ?? []).filter((entry: any) => entry.search.mode === 'match').map((entry: any) => `${entry.resource.resourceType}/${entry.resource.id}`);

async function pages(query: string): Promise<string[]> {
  let { status, body } = await get(query);
  expect(status).toBe(200);
  const seen = named(body);
  for (let next; (next = body.link.find((one: any) => one.relation === 'next')?.url);) {
    ({ status, body } = await get(next));
    expect(status).toBe(200);
    seen.push(...named(body));
  }
  return seen;
}

test.each([1, 2, 3, 20])('by time, %i a page', async (count) => {
  expect(await pages(`?_type=Patient,Practitioner&_sort=_lastUpdated&_count=${count}`)).toEqual(order);
  expect(await pages(`?_type=Patient,Practitioner&_sort=-_lastUpdated&_count=${count}`)).toEqual([...order].reverse());
});

test.each([1, 2, 3, 20])('by name, equal names by type and id, those without one last, %i a page', async (count) => {
  const ascending = ['Practitioner/r0', 'Practitioner/r2', 'Practitioner/r6', 'Patient/r1', 'Patient/r5', 'Practitioner/r4', 'Patient/r3'];
  expect(await pages(`?_type=Patient,Practitioner&_sort=family&_count=${count}`)).toEqual(ascending);
  const descending = ['Practitioner/r4', 'Patient/r5', 'Patient/r1', 'Practitioner/r6', 'Practitioner/r2', 'Practitioner/r0', 'Patient/r3'];
  expect(await pages(`?_type=Patient,Practitioner&_sort=-family&_count=${count}`)).toEqual(descending);
});

test('of the whole system too, with a total and a way back', async () => {
  const { body } = await get('?_type=Patient,Practitioner&_sort=_lastUpdated&_count=3&_total=accurate');
  expect({ total: body.total, self: body.link[0].url }).toEqual({ total: 7, self: expect.stringContaining('_sort=_lastUpdated') });
  const second = await get(body.link.find((one: any) => one.relation === 'next').url);
  const back = await get(second.body.link.find((one: any) => one.relation === 'previous').url);
  expect(named(back.body)).toEqual(order.slice(0, 3));
  expect((await pages('?_sort=_lastUpdated&_count=100')).filter((one) => order.includes(one))).toEqual(order);
});

test('a page says when it was made', async () => {
  for (const query of ['?_type=Patient,Practitioner', 'Patient?_id=r1', 'Patient?_contained=both']) {
    const { body } = await get(query);
    expect(Date.now() - Date.parse(body.meta.lastUpdated)).toBeLessThan(60_000);
  }
});

test('what not all of them are sorted by is left out and said, or refused', async () => {
  const { body } = await get('?_type=Patient,Practitioner&_sort=birthdate');
  expect(named(body)).toHaveLength(7);
  expect(body.entry.at(-1).resource.issue[0].details.text).toMatch(/_sort was left out/);
  expectRefusal(await get('?_type=Patient,Practitioner&_sort=birthdate', { prefer: 'handling=strict' }), 400, { expression: '_sort' });
});

test.each([1, 2, 3, 20])('by id, equal ids by type, %i a page', async (count) => {
  for (const type of ['Practitioner', 'Patient']) {
    for (const id of ['r10', 'r1-', 'r0a', 'r9']) await server.send('PUT', `${type}/${id}`, { token: server.tokens.admin, body: { resourceType: type, id } });
  }
  const ids = (seen: readonly string[]) => seen.map((one) => one.split('/')[1]);
  const ascending = await pages(`?_type=Patient,Practitioner&_sort=_id&_count=${count}`);
  expect(ids(ascending)).toEqual(['r0', 'r0a', 'r0a', 'r1', 'r1-', 'r1-', 'r10', 'r10', 'r2', 'r3', 'r4', 'r5', 'r6', 'r9', 'r9']);
  expect(new Set(ascending).size).toBe(15);
  const descending = await pages(`?_type=Patient,Practitioner&_sort=-_id&_count=${count}`);
  expect([ids(descending), new Set(descending).size]).toEqual([ids(ascending).reverse(), 15]);
  const named = await pages(`?_type=Patient,Practitioner&_sort=family,-_id&_count=${count}`);
  expect([named.length, new Set(named).size, ids(named).slice(0, 3)]).toEqual([15, 15, ['r6', 'r2', 'r0']]);
});
