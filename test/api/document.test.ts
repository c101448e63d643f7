// Composition/$document. https://hl7.org/fhir/R4/composition-operation-document.html
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

let server: TestServer;
const send = (method: string, path: string, body?: unknown) => server.send(method, path, { token: server.tokens.admin, body });
const put = async (resource: any): Promise<void> => { expect((await send('PUT', `${resource.resourceType}/${resource.id}`, resource)).status).toBeLessThan(300); };
const composition = (id: string, entry: string) => ({
  resourceType: 'Composition', id, status: 'final', type: { text: 'Letter' }, subject: { reference: 'Patient/p' }, date: '2026-11-01', author: [{ reference: 'Practitioner/doc' }, { reference: '#me' }], title: 'Letter',
  contained: [{ resourceType: 'Practitioner', id: 'me' }], section: [{ title: 'Problems', entry: [{ reference: entry }] }],
});

beforeAll(async () => {
  server = await startServer();
  await put({ resourceType: 'Patient', id: 'p' });
  await put({ resourceType: 'Practitioner', id: 'doc' });
  await put({ resourceType: 'Condition', id: 'c', subject: { reference: 'Patient/p' } });
  await put(composition('letter', 'Condition/c'));
});
afterAll(() => server.close());

test('the composition comes first, then each that it refers to', async () => {
  const { status, body } = await send('GET', 'Composition/letter/$document');
  expect(status).toBe(200);
  expect(body).toMatchObject({ resourceType: 'Bundle', type: 'document', identifier: { system: 'urn:ietf:rfc:3986', value: expect.stringMatching(/^urn:uuid:/) }, timestamp: expect.stringMatching(/Z$/) });
  expect(body.entry.map(({ fullUrl }: any) => fullUrl.slice(server.base.length + 1))).toEqual(['Composition/letter', 'Patient/p', 'Practitioner/doc', 'Condition/c']);
  expect((await send('POST', 'Bundle/$validate', body)).body.issue.filter(({ severity }: any) => severity === 'error')).toEqual([]);
  expect((await send('GET', 'Bundle?type=document&_summary=count')).body.total).toBe(0);
});

test('persist stores it, and says where', async () => {
  const { status, headers, body } = await send('POST', 'Composition/letter/$document?persist=true');
  expect([status, headers['location']]).toEqual([200, `${server.base}/Bundle/${body.id}/_history/1`]);
  expect((await send('GET', `Bundle/${body.id}`)).body).toEqual(body);
});

test('at the type the composition is named by id', async () => {
  for (const id of ['letter', 'Composition/letter', `${server.base}/Composition/letter`]) expect((await send('GET', `Composition/$document?id=${encodeURIComponent(id)}`)).body.entry).toHaveLength(4);
  expectRefusal(await send('GET', 'Composition/$document'), 400);
  expectRefusal(await send('GET', 'Composition/letter/$document?id=letter'), 400);
  expectRefusal(await send('GET', 'Composition/none/$document'), 404);
});

test('a document is whole or is none', async () => {
  await server.seed([composition('broken', 'Condition/nowhere')]);
  const refused = await send('GET', 'Composition/broken/$document');
  expectRefusal(refused, 422);
  expect(refused.text).toContain('Condition/nowhere');
});
