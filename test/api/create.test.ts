// create. https://hl7.org/fhir/R4/http.html#create
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';
import { rowCounts } from './row-counts.js';

const PATIENT = { resourceType: 'Patient', active: true, name: [{ family: 'Weiß', given: ['Zoë'] }] };

let server: TestServer;
beforeAll(async () => { server = await startServer(); });
afterAll(() => server.close());

const create = (body: unknown, headers: Record<string, string> = {}, type = 'Patient') =>
  server.send('POST', type, { token: server.tokens.admin, body, headers });

test('a create answers 201 with Location, ETag, Last-Modified and the resource as stored', async () => {
  const before = Date.now();
  const answer = await create(PATIENT);
  expect(answer.status).toBe(201);
  const { id, meta, ...rest } = answer.body;
  expect(rest).toEqual(PATIENT);
  expect(id).toMatch(/^[A-Za-z0-9.-]{1,64}$/);
  expect(meta).toEqual({ versionId: '1', lastUpdated: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) });
  expect(Date.parse(meta.lastUpdated)).toBeGreaterThanOrEqual(before);
  expect(answer.headers['location']).toBe(`${server.base}/Patient/${id}/_history/1`);
  expect(answer.headers['etag']).toBe('W/"1"');
  expect(answer.headers['last-modified']).toBe(new Date(meta.lastUpdated).toUTCString());
  expect(answer.headers['content-type']).toBe('application/fhir+json; charset=utf-8');
});

test('an id that the client sends is not the id of what is created', async () => {
  const answer = await create({ ...PATIENT, id: 'mine', meta: { versionId: '77', lastUpdated: '2001-01-01T00:00:00Z' } });
  expect(answer.status).toBe(201);
  expect(answer.body.id).not.toBe('mine');
  expect(answer.body.meta.versionId).toBe('1');
  expect(answer.body.meta.lastUpdated).not.toMatch(/^2001/);
  expect((await server.send('GET', 'Patient/mine', { token: server.tokens.admin })).status).toBe(404);
});

test('Prefer: return=minimal answers without a body', async () => {
  const answer = await create(PATIENT, { prefer: 'return=minimal' });
  expect(answer).toMatchObject({ status: 201, text: '' });
  expect(answer.headers['location']).toMatch(/\/Patient\/[^/]+\/_history\/1$/);
  expect(answer.headers['etag']).toBe('W/"1"');
});

test('Prefer: return=representation answers with the resource', async () => {
  const answer = await create(PATIENT, { prefer: 'return=representation' });
  expect(answer.body).toMatchObject(PATIENT);
});

test('Prefer: return=OperationOutcome answers with an outcome about what was done', async () => {
  const answer = await create(PATIENT, { prefer: 'return=OperationOutcome' });
  expect(answer.status).toBe(201);
  expect(answer.body).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ severity: 'information', code: 'informational', details: { text: expect.stringContaining('version 1') } }] });
});

test('what was created is what a read returns, byte for byte', async () => {
  const created = await create(PATIENT);
  const read = await server.send('GET', `Patient/${created.body.id}`, { token: server.tokens.admin });
  expect(read.text).toBe(created.text);
});

test('a resource of another type than the URL names is refused, and nothing is written', async () => {
  const before = await rowCounts(server);
  expectRefusal(await create({ resourceType: 'Group', type: 'person', actual: true }), 400, { code: 'invalid', text: /Patient.*Group/, expression: 'resourceType' });
  expect(await rowCounts(server)).toEqual(before);
});

test('a resource that is not valid is refused with every fault at its place', async () => {
  const answer = await create({ resourceType: 'Patient', birthDate: '1.1.1970', contact: [{ gender: 'none' }], nickname: 'x' });
  expectRefusal(answer, 400);
  const places = answer.body.issue.flatMap((issue: { expression?: string[] }) => issue.expression ?? []);
  expect(places).toEqual(expect.arrayContaining(['Patient.birthDate', 'Patient.contact[0].gender', 'Patient']));
  expect(answer.text).toContain('nickname');
});

test('types beside Patient are created the same way', async () => {
  const code = { text: 'x' };
  expect((await create({ resourceType: 'Basic', code }, {}, 'Basic')).status).toBe(201);
  expect((await create({ resourceType: 'List', status: 'current', mode: 'working' }, {}, 'List')).status).toBe(201);
  expect((await create({ resourceType: 'Group', type: 'person', actual: true }, {}, 'Group')).status).toBe(201);
});
