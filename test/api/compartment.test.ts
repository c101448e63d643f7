// Searches of several types: in a compartment, and of the whole system. https://hl7.org/fhir/R4/http.html#vsearch
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await put('Patient/ann', { name: [{ family: 'Ann' }] });
  await put('Patient/bob', { link: [{ other: { reference: 'Patient/ann' }, type: 'seealso' }] });
  for (const id of ['o1', 'o2', 'o3']) await put(`Observation/${id}`, { status: 'final', code: { text: id }, subject: { reference: 'Patient/ann' } });
  await put('Observation/performed', { status: 'final', code: { text: 'performed' }, subject: { reference: 'Patient/bob' }, performer: [{ reference: 'Patient/ann' }] });
  await put('Observation/bobs', { status: 'final', code: { text: 'bobs' }, subject: { reference: 'Patient/bob' } });
  await put('Condition/c1', { subject: { reference: 'Patient/ann' } });
  await put('Organization/org', { name: 'Organisation' });
});
afterAll(() => server.close());

const put = async (path: string, rest: object): Promise<void> => {
  const [resourceType, id] = path.split('/');
  const { status, text } = await server.send('PUT', path, { token: server.tokens.admin, body: { resourceType, id, ...rest } });
  if (status !== 201) throw new Error(`${path}: ${status} ${text}`);
};
const get = (path: string, headers: Record<string, string> = {}) => server.send('GET', path, { token: server.tokens.admin, headers });
const found = (bundle: any): string[] => (bundle.entry ?? []).filter((entry: any) => entry.search.mode === 'match').map(({ resource }: any) => `${resource.resourceType}/${resource.id}`).sort();
const next = (bundle: any): string | undefined => bundle.link.find((link: any) => link.relation === 'next')?.url;
async function allPages(path: string): Promise<{ pages: number; ids: string[] }> {
  const ids: string[] = [];
  let pages = 0;
  for (let url: string | undefined = path; url !== undefined; pages += 1) {
    const { status, body } = await get(url);
    expect(status).toBe(200);
    ids.push(...found(body));
    url = next(body)?.slice(server.base.length + 1);
  }
  return { pages, ids };
}

test('a compartment holds what any of its references puts there, and no more', async () => {
  const { status, body } = await get('Patient/ann/Observation');
  expect(status).toBe(200);
  expect(found(body)).toEqual(['Observation/o1', 'Observation/o2', 'Observation/o3', 'Observation/performed']);
  expect(body.link[0]).toEqual({ relation: 'self', url: `${server.base}/Patient/ann/Observation` });
});

test('criteria narrow it, by GET and by POST', async () => {
  expect(found((await get('Patient/ann/Observation?_id=o2,bobs')).body)).toEqual(['Observation/o2']);
  const posted = await server.send('POST', 'Patient/ann/Observation/_search', { token: server.tokens.admin, body: '_id=o3', headers: { 'content-type': 'application/x-www-form-urlencoded' } });
  expect(found(posted.body)).toEqual(['Observation/o3']);
});

test('its pages are linked, and end', async () => {
  const { pages, ids } = await allPages('Patient/ann/Observation?_count=3');
  expect([pages, ids.sort()]).toEqual([2, ['Observation/o1', 'Observation/o2', 'Observation/o3', 'Observation/performed']]);
});

test('the resource in the middle is in its compartment, with those that link to it', async () => {
  expect(found((await get('Patient/ann/Patient')).body)).toEqual(['Patient/ann', 'Patient/bob']);
});

test('* asks for all types, page after page, each resource once', async () => {
  const all = ['Condition/c1', 'Observation/o1', 'Observation/o2', 'Observation/o3', 'Observation/performed', 'Patient/ann', 'Patient/bob'];
  expect(found((await get('Patient/ann/*')).body)).toEqual(all);
  for (const count of [1, 2, 3, 7]) {
    const { pages, ids } = await allPages(`Patient/ann/*?_count=${count}`);
    expect([pages, ids.sort()]).toEqual([Math.ceil(all.length / count), all]);
  }
  expect(found((await get('Patient/ann/*?_type=Condition,Patient')).body)).toEqual(['Condition/c1', 'Patient/ann', 'Patient/bob']);
});

test('a type outside the compartment has nothing in it', async () => {
  const { status, body } = await get('Patient/ann/Organization');
  expect([status, body.total]).toEqual([200, 0]);
});

test('what is no compartment is not there', async () => {
  expectRefusal(await get('Organization/org/Patient'), 404, { code: 'not-found' });
  expectRefusal(await get('Patient/ann/Nonsense'), 404, { code: 'not-supported' });
});

test('the whole system is searched by the parameters that all types have', async () => {
  const { status, body } = await get('?_type=Patient,Organization');
  expect(status).toBe(200);
  expect([found(body), body.total]).toEqual([['Organization/org', 'Patient/ann', 'Patient/bob'], 3]);
  expect(found((await get('?_type=Patient,Condition,Observation&_id=ann,c1,o1')).body)).toEqual(['Condition/c1', 'Observation/o1', 'Patient/ann']);
  expect(found((await get('?_id=ann,org')).body)).toEqual(['Organization/org', 'Patient/ann']);
});

test('a total over several types is the sum, and _summary=count tells it alone', async () => {
  const { body } = await get('?_type=Patient,Observation&_count=1&_total=accurate');
  expect([body.total, found(body).length]).toEqual([7, 1]);
  const counted = (await get('?_type=Patient,Observation&_summary=count')).body;
  expect([counted.total, counted.entry]).toEqual([7, undefined]);
});

test('an order that not all types have is left out with a warning, or refused', async () => {
  const { body } = await get('?_type=Patient,Condition&_sort=birthdate');
  expect(body.entry.at(-1).resource.issue[0]).toMatchObject({ severity: 'warning', expression: ['_sort'] });
  expectRefusal(await get('?_type=Patient,Condition&_sort=birthdate', { prefer: 'handling=strict' }), 400, { code: 'not-supported' });
});

test('an unknown _type is refused by its name', async () => {
  const answer = await get('?_type=Patient,Alien');
  expectRefusal(answer, 404, { code: 'not-supported' });
  expect(answer.text).toContain('Alien');
});

test('who may search few types finds those only, and a supplier none', async () => {
  const { status, body } = await server.send('GET', '?_type=Patient,Observation,Organization', { token: server.tokens.ovm });
  expect(status).toBe(200);
  expect(found(body)).toEqual(['Organization/org', 'Patient/ann', 'Patient/bob']);
  const supplier = await server.send('GET', '?_type=Patient,Observation,Organization', { token: server.tokens.supplier });
  expect([supplier.status, found(supplier.body)]).toEqual([200, []]);
  const inside = await server.send('GET', 'Patient/ann/Observation', { token: server.tokens.supplier });
  expect(inside.text).not.toContain('"o1"');
});

test('an entry of a batch searches a compartment too', async () => {
  const { body } = await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url: 'Patient/ann/Condition' } }] } });
  expect(found(body.entry[0].resource)).toEqual(['Condition/c1']);
});

test('a compartment is searched by POST, too, with and without a type', async () => {
  const post = (path: string, body: string) => server.send('POST', path, { token: server.tokens.admin, body, headers: { 'content-type': 'application/x-www-form-urlencoded' } });
  const all = found((await get('Patient/ann/*')).body);
  expect(all).toContain('Condition/c1');
  for (const path of ['Patient/ann/_search', 'Patient/ann/*/_search']) expect(found((await post(path, '_count=100')).body)).toEqual(all);
  expect(found((await post('Patient/ann/_search?_type=Condition', '_count=5')).body)).toEqual(['Condition/c1']);
  expect(found((await post('Patient/ann/Observation/_search', '_id=o1,o2')).body)).toEqual(['Observation/o1', 'Observation/o2']);
  expectRefusal(await post('Organization/org/_search', '_count=1'), 404);
  expectRefusal(await get('Patient/ann/_search'), 405);
});
