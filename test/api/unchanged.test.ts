// An update or patch that changes nothing makes no version. https://hl7.org/fhir/R4/http.html#update
import { startServer, type TestServer } from '../server.js';

let server: TestServer;
beforeAll(async () => { server = await startServer(); });
afterAll(() => server.close());

const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => server.send(method, path, { token: server.tokens.admin, ...(body !== undefined && { body }), headers });
const quantity = (value: string, members = '') => `{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"valueQuantity":{"value":${value}}${members}}`;
const versionOf = async (path: string): Promise<string> => (await send('GET', path)).body.meta.versionId;

test('the same content again is 200 with the version that is there', async () => {
  const first = await send('PUT', 'Patient/same', { resourceType: 'Patient', id: 'same', active: true, name: [{ family: 'A', given: ['B'] }] });
  const again = await send('PUT', 'Patient/same', { resourceType: 'Patient', id: 'same', active: true, name: [{ family: 'A', given: ['B'] }] });
  expect({ status: again.status, text: again.text, etag: again.headers['etag'], modified: again.headers['last-modified'] })
    .toEqual({ status: 200, text: first.text, etag: 'W/"1"', modified: first.headers['last-modified'] });
  expect(again.headers['location']).toBe(first.headers['location']);
  expect((await send('GET', 'Patient/same/_history')).body.total).toBe(1);
});

test('members in another order, white space and the meta that was read make no difference', async () => {
  const { body } = await send('PUT', 'Patient/order', { resourceType: 'Patient', id: 'order', meta: { tag: [{ code: 'a' }] }, active: true, gender: 'male' });
  await send('PUT', 'Patient/order', JSON.stringify({ gender: 'male', id: 'order', active: true, meta: { ...body.meta, lastUpdated: '1999-01-01T00:00:00Z', versionId: '77' }, resourceType: 'Patient' }, null, 2));
  expect(await versionOf('Patient/order')).toBe('1');
});

test.each([
  ['a digit more', '1.00'], ['another number', '1.1'], ['an exponent', '1e0'],
])('%s is a change', async (_what, value) => {
  await send('PUT', 'Observation/o', quantity('1.0'));
  const before = Number(await versionOf('Observation/o'));
  await send('PUT', 'Observation/o', quantity(value));
  expect(Number(await versionOf('Observation/o'))).toBe(before + 1);
});

test('a tag, an order in a list and a member less are changes', async () => {
  const base = { resourceType: 'Patient', id: 'change', meta: { tag: [{ code: 'a' }] }, name: [{ family: 'A' }, { family: 'B' }], active: true };
  await send('PUT', 'Patient/change', base);
  for (const [turn, change] of [{ meta: { tag: [{ code: 'b' }] } }, { name: [{ family: 'B' }, { family: 'A' }] }, { active: undefined }].entries()) {
    await send('PUT', 'Patient/change', { ...base, ...change });
    expect(await versionOf('Patient/change')).toBe(String(turn + 2));
  }
});

test('what was deleted comes back, however much the same it is', async () => {
  const patient = { resourceType: 'Patient', id: 'deleted', active: true };
  await send('PUT', 'Patient/deleted', patient);
  await send('DELETE', 'Patient/deleted');
  expect(await send('PUT', 'Patient/deleted', patient)).toMatchObject({ status: 201, body: { meta: { versionId: '3' } } });
});

test('a patch that changes nothing makes no version', async () => {
  await send('PUT', 'Patient/patched', { resourceType: 'Patient', id: 'patched', active: true });
  const answer = await send('PATCH', 'Patient/patched', [{ op: 'replace', path: '/active', value: true }], { 'content-type': 'application/json-patch+json' });
  expect(answer).toMatchObject({ status: 200, body: { meta: { versionId: '1' } } });
});

test('conditions are asked first, and an unchanged resource must be valid all the same', async () => {
  await send('PUT', 'Patient/asked', { resourceType: 'Patient', id: 'asked', active: true });
  expect((await send('PUT', 'Patient/asked', { resourceType: 'Patient', id: 'asked', active: true }, { 'if-match': 'W/"9"' })).status).toBe(412);
  const { body } = await send('PUT', 'Patient/asked', { resourceType: 'Patient', id: 'asked', active: true }, { 'if-match': 'W/"1"', prefer: 'return=OperationOutcome' });
  expect(body.issue[0].details.text).toMatch(/stays version 1/);
});

test('in a transaction beside changes, each is told its version, and each is on record', async () => {
  for (const id of ['t1', 't2']) await send('PUT', `Patient/${id}`, { resourceType: 'Patient', id });
  const entry = [{ resourceType: 'Patient', id: 't1' }, { resourceType: 'Patient', id: 't2', active: true }].map((resource) => ({ resource, request: { method: 'PUT', url: `Patient/${resource.id}` } }));
  const { body } = await send('POST', '', { resourceType: 'Bundle', type: 'transaction', entry });
  expect(body.entry.map(({ response }: any) => [response.status, response.etag])).toEqual([['200 OK', 'W/"1"'], ['200 OK', 'W/"2"']]);
});
