// batch: every entry for itself. https://hl7.org/fhir/R4/http.html#transaction
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await put('there', { active: true });
});
afterAll(() => server.close());

const put = (id: string, members: object = {}) => server.send('PUT', `Patient/${id}`, { token: server.tokens.admin, body: { resourceType: 'Patient', id, ...members } });
const batch = (entry: readonly unknown[], headers: Record<string, string> = {}) =>
  server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type: 'batch', entry }, headers });
const asks = (method: string, url: string, resource?: object, request: object = {}) => ({ ...(resource && { resource }), request: { method, url, ...request } });
const statuses = (body: any): string[] => body.entry.map((entry: any) => entry.response.status.slice(0, 3));
const get = (path: string) => server.send('GET', path, { token: server.tokens.admin });

test('answers a batch-response, entry for entry in the order sent', async () => {
  const { status, body } = await batch([
    asks('GET', 'Patient/there'),
    asks('POST', 'Patient', { resourceType: 'Patient' }),
    asks('PUT', 'Patient/b1', { resourceType: 'Patient', id: 'b1' }),
    asks('GET', 'Patient?_id=there'),
    asks('DELETE', 'Patient/b1'),
    asks('HEAD', 'Patient/there'),
    asks('GET', 'Patient/there/_history/1'),
  ]);
  expect(status).toBe(200);
  expect(body).toMatchObject({ resourceType: 'Bundle', type: 'batch-response' });
  expect(statuses(body)).toEqual(['200', '201', '201', '200', '204', '200', '200']);
  expect(body.entry[0].resource).toMatchObject({ id: 'there', active: true });
  expect(body.entry[0].response.etag).toBe('W/"1"');
  expect(body.entry[1].response.location).toMatch(/\/Patient\/[^/]+\/_history\/1$/);
  expect(body.entry[1].response.lastModified).toMatch(/Z$/);
  expect(body.entry[3].resource).toMatchObject({ resourceType: 'Bundle', type: 'searchset' });
});

test('a failing entry is told with its outcome, and the others are done', async () => {
  const { status, body } = await batch([
    asks('PUT', 'Patient/b2', { resourceType: 'Patient', id: 'b2' }),
    asks('POST', 'Patient', { resourceType: 'Patient', birthDate: 'soon' }),
    asks('GET', 'Patient/nobody'),
    asks('GET', 'Nonsense/1'),
    asks('DELETE', 'Patient/_history'),
    asks('POST', 'Group', { resourceType: 'Patient' }),
    asks('PUT', 'Patient/b3', { resourceType: 'Patient', id: 'b3' }),
  ]);
  expect(status).toBe(200);
  expect(statuses(body)).toEqual(['201', '400', '404', '404', '405', '400', '201']);
  expect(body.entry[1].response.outcome).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', expression: ['Patient.birthDate'] }] });
  expect(body.entry[2]).not.toHaveProperty('resource');
  expect((await get('Patient/b3')).status).toBe(200);
});

test.each([
  ['no request', { resource: { resourceType: 'Patient' } }, 'Bundle.entry[0].request'],
  ['no method', { request: { url: 'Patient' } }, 'Bundle.entry[0].request.method'],
  ['a method that is none', { request: { method: 'BREW', url: 'Patient' } }, 'Bundle.entry[0].request.method'],
  ['no url', { request: { method: 'GET' } }, 'Bundle.entry[0].request.url'],
  ['null', null, 'Bundle.entry[0]'],
  ['a string', 'GET Patient/there', 'Bundle.entry[0]'],
])('an entry with %s is 400 at its place', async (_what, entry, expression) => {
  const { status, body } = await batch([entry, asks('GET', 'Patient/there')]);
  expect(status).toBe(200);
  expect(statuses(body)).toEqual(['400', '200']);
  expect(body.entry[0].response.outcome.issue[0].expression).toEqual([expression]);
});

test('a Bundle inside a batch is refused, alone', async () => {
  const inner = { resourceType: 'Bundle', type: 'batch', entry: [asks('DELETE', 'Patient/there')] };
  for (const url of ['', '/', server.base]) {
    const { body } = await batch([{ resource: inner, request: { method: 'POST', url } }, asks('GET', 'Patient/there')]);
    expect(statuses(body)).toEqual(['400', '200']);
  }
  expect((await get('Patient/there')).status).toBe(200);
});

test('conditions of an entry are kept', async () => {
  await put('conditions', { identifier: [{ system: 'urn:c', value: '1' }] });
  const patient = { resourceType: 'Patient', id: 'conditions', identifier: [{ system: 'urn:c', value: '1' }] };
  const { body } = await batch([
    asks('PUT', 'Patient/conditions', patient, { ifMatch: 'W/"9"' }),
    asks('POST', 'Patient', patient, { ifNoneExist: 'identifier=urn:c|1' }),
    asks('GET', 'Patient/conditions', undefined, { ifNoneMatch: 'W/"1"' }),
    asks('PUT', 'Patient?identifier=urn:c|1', patient),
    asks('DELETE', 'Patient?identifier=urn:c|1'),
  ]);
  expect(statuses(body)).toEqual(['412', '200', '304', '200', '204']);
});

test('an absolute URL of this server is the same as a relative one', async () => {
  const { body } = await batch([asks('GET', `${server.base}/Patient/there`), asks('GET', '/Patient/there')]);
  expect(statuses(body)).toEqual(['200', '200']);
});

test('written resources come back only under return=representation', async () => {
  const entries = [asks('POST', 'Patient', { resourceType: 'Patient', active: true })];
  expect((await batch(entries)).body.entry[0]).not.toHaveProperty('resource');
  expect((await batch(entries, { prefer: 'return=representation' })).body.entry[0].resource).toMatchObject({ active: true });
  expect((await batch(entries, { prefer: 'return=minimal' })).body.entry[0]).not.toHaveProperty('resource');
  expect((await batch(entries, { prefer: 'return=OperationOutcome' })).body.entry[0].response.outcome).toMatchObject({ resourceType: 'OperationOutcome' });
});

test('a batch without entries is answered without entries', async () => {
  const { status, body } = await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type: 'batch' } });
  expect({ status, body }).toEqual({ status: 200, body: { resourceType: 'Bundle', type: 'batch-response' } });
});

test.each([
  ['a Bundle of another type', { resourceType: 'Bundle', type: 'collection' }, 'Bundle.type'],
  ['a Bundle without type', { resourceType: 'Bundle' }, 'Bundle.type'],
  ['entries that are no array', { resourceType: 'Bundle', type: 'batch', entry: {} }, 'Bundle.entry'],
])('%s is refused whole', async (_what, body, expression) => {
  expectRefusal(await server.send('POST', '', { token: server.tokens.admin, body }), 400, { expression });
});

test('what is no Bundle is refused', async () => {
  expectRefusal(await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Patient' } }), 400);
});

test('an entry may ask what the server can do', async () => {
  for (const type of ['batch', 'transaction']) {
    const { body } = await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type, entry: [{ request: { method: 'GET', url: 'metadata' } }, { request: { method: 'GET', url: 'metadata/x' } }].slice(0, type === 'batch' ? 2 : 1) } });
    expect(body.entry[0]).toMatchObject({ resource: { resourceType: 'CapabilityStatement', implementation: { url: server.base } }, response: { status: '200 OK' } });
    expect(body.entry[1]?.response.status).toBe(type === 'batch' ? '404 Not Found' : undefined);
  }
});

test('HEAD is answered as GET is, without the resource', async () => {
  for (const type of ['batch', 'transaction']) {
    const { body } = await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type, entry: [asks('HEAD', 'Patient/there'), asks('GET', 'Patient/there'), asks('HEAD', 'Patient?_id=there')] } });
    expect(body.entry.map((entry: any) => [entry.response.status, entry.response.etag, entry.resource?.resourceType])).toEqual([['200 OK', 'W/"1"', undefined], ['200 OK', 'W/"1"', 'Patient'], ['200 OK', undefined, undefined]]);
  }
  const { body } = await batch([asks('HEAD', 'Patient/nobody')]);
  expect(body.entry[0].response).toMatchObject({ status: '404 Not Found', outcome: { resourceType: 'OperationOutcome' } });
});

// https://hl7.org/fhir/R4/http.html#brules
test('an entry that refers to what another one creates is refused; the others are done', async () => {
  const [patient, observation] = ['urn:uuid:3f2b8f0a-6a5c-4f0e-9a53-0c8f5a1f0b11', 'urn:uuid:7c0e4b92-1d1f-4b58-8e1a-9a5f0a6d2c22'];
  const of = (reference: string, more: object = {}) => ({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject: { reference }, ...more });
  const { status, body } = await batch([
    { fullUrl: observation, ...asks('POST', 'Observation', of(patient)) },
    { fullUrl: patient, ...asks('POST', 'Patient', { resourceType: 'Patient' }) },
    { fullUrl: 'urn:uuid:a', ...asks('POST', 'Observation', of('Patient/there', { hasMember: [{ reference: observation }] })) },
    { fullUrl: 'urn:uuid:b', ...asks('POST', 'Observation', of('Patient/there', { derivedFrom: [{ reference: 'urn:uuid:00000000-0000-4000-8000-000000000000' }] })) },
  ]);
  expect([status, ...statuses(body)]).toEqual([200, '400', '201', '400', '201']);
  expect(body.entry[0].response.outcome.issue[0]).toMatchObject({ code: 'invalid', details: { text: expect.stringContaining(`${patient} is made by entry 1`) }, expression: ['Bundle.entry[0].resource'] });
});
