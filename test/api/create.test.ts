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

describe('a reference by the whole URL of a resource here', () => {
  const about = (subject: string, rest: object = {}): any => ({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject: { reference: subject }, ...rest });
  const bundle = (type: string, ...entry: readonly object[]): Promise<any> => server.send('POST', '', { token: server.tokens.admin, headers: { prefer: 'return=representation' }, body: { resourceType: 'Bundle', type, entry } });
  const post = (resource: any): object => ({ resource, request: { method: 'POST', url: resource.resourceType } });

  test('is the one by Type/id, on every road, and is found as that', async () => {
    const { body: { id } } = await create(PATIENT);
    const whole = `${server.base}/Patient/${id}`;
    const observation = (await create(about(whole), {}, 'Observation')).body;
    const put = await server.send('PUT', `Observation/${observation.id}`, { token: server.tokens.admin, body: { ...observation, subject: { reference: `${whole}/_history/1` }, note: [{ text: `see "reference":"${whole}"` }] } });
    const batch = await bundle('batch', post(about(whole)));
    const transaction = await bundle('transaction', post(about(whole)), { ...post(PATIENT), fullUrl: 'urn:uuid:8c1f4b54-34a4-4f0c-8f0b-9d6a0f2a6f09' });
    const stored = [observation, batch.body.entry[0].resource, transaction.body.entry[0].resource];
    expect(stored.map(({ subject }) => subject.reference)).toEqual(stored.map(() => `Patient/${id}`));
    expect([put.body.subject.reference, put.body.note[0].text]).toEqual([`Patient/${id}/_history/1`, `see "reference":"${whole}"`]);
    for (const asked of [`Patient/${id}`, whole]) expect((await server.send('GET', `Observation?subject=${asked}&_total=accurate`, { token: server.tokens.admin })).body.total).toBe(3);
  });

  test('is the entry with that fullUrl in a transaction that has one', async () => {
    const fullUrl = `${server.base}/Patient/not-yet`;
    const { status, body } = await bundle('transaction', { ...post(PATIENT), fullUrl }, post(about(fullUrl)));
    expect([status, body.entry[1].resource.subject.reference]).toEqual([200, `Patient/${body.entry[0].resource.id}`]);
  });

  test('leaves other servers\' URLs, other members and the places of faults as they are', async () => {
    const elsewhere = 'http://elsewhere.example/fhir/Patient/1';
    expect((await create(about(elsewhere), {}, 'Observation')).body.subject.reference).toBe(elsewhere);
    const url = `${server.base}/Patient/1`;
    expect((await create(about(url, { extension: [{ url: 'http://example.org/e', valueUri: url }] }), {}, 'Observation')).body.extension[0].valueUri).toBe(url);
    const refused = await create(`{"resourceType":"Observation","subject":{"reference":"${url}"},\n"status":"nonsense","code":{"text":"x"}}`, {}, 'Observation');
    expect([refused.status, JSON.stringify(refused.body.issue[0])]).toEqual([400, expect.stringMatching(/"valueInteger":2\D/)]);
  });
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
