// read and vread, and when they say 304, 404 and 410. https://hl7.org/fhir/R4/http.html#read
import { startServer, type Ask, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await put('kept', { active: true });
  await put('kept', { active: false });
  await put('deleted', {});
  await server.send('DELETE', 'Patient/deleted', { token: server.tokens.admin });
});
afterAll(() => server.close());

const put = (id: string, members: object) => server.send('PUT', `Patient/${id}`, { token: server.tokens.admin, body: { resourceType: 'Patient', id, ...members } });
const get = (path: string, headers: Record<string, string> = {}, method = 'GET') => server.send(method, path, { token: server.tokens.admin, headers } satisfies Ask);

test('a read returns the current version with ETag and Last-Modified', async () => {
  const { status, body, headers } = await get('Patient/kept');
  expect(status).toBe(200);
  expect(body).toMatchObject({ resourceType: 'Patient', id: 'kept', active: false, meta: { versionId: '2' } });
  expect(headers['etag']).toBe('W/"2"');
  expect(headers['last-modified']).toBe(new Date(body.meta.lastUpdated).toUTCString());
  expect(headers['content-type']).toBe('application/fhir+json; charset=utf-8');
});

test('HEAD answers as GET does, without the body', async () => {
  const [read, head] = [await get('Patient/kept'), await get('Patient/kept', {}, 'HEAD')];
  expect(head).toMatchObject({ status: 200, text: '' });
  for (const name of ['etag', 'last-modified', 'content-type', 'content-length']) expect(head.headers[name]).toBe(read.headers[name]);
  expect((await get('Patient/nobody', {}, 'HEAD')).status).toBe(404);
});

test('a resource that was never there is 404', async () => expectRefusal(await get('Patient/nobody'), 404, { code: 'not-found', text: 'There is no Patient/nobody' }));
test('one of another type under the id is 404', async () => expectRefusal(await get('Group/kept'), 404, { code: 'not-found' }));
test('a deleted resource is 410', async () => expectRefusal(await get('Patient/deleted'), 410, { code: 'deleted', text: /version 2/ }));
test('an id is case-sensitive', async () => expectRefusal(await get('Patient/KEPT'), 404));

test.each([
  ['its tag', 'W/"2"', 304],
  ['its tag among others', 'W/"1", W/"2"', 304],
  ['any version', '*', 304],
  ['an earlier version', 'W/"1"', 200],
  ['a tag of another form', 'W/"abc"', 200],
])('If-None-Match with %s', async (_what, header, status) => {
  const answer = await get('Patient/kept', { 'if-none-match': header });
  expect(answer.status).toBe(status);
  expect(answer.headers['etag']).toBe('W/"2"');
  if (status === 304) expect(answer.text).toBe('');
});

test('If-None-Match that is no tag is refused by its name', async () => expectRefusal(await get('Patient/kept', { 'if-none-match': 'abc' }), 400, { text: /If-None-Match.*abc/ }));

test('If-Modified-Since is 304 until there is a newer version, to the second', async () => {
  const { headers } = await get('Patient/kept');
  const modified = Date.parse(headers['last-modified'] ?? '');
  const since = async (ms: number) => (await get('Patient/kept', { 'if-modified-since': new Date(ms).toUTCString() })).status;
  expect([await since(modified), await since(modified + 60_000), await since(modified - 1000)]).toEqual([304, 304, 200]);
  expect((await get('Patient/kept', { 'if-modified-since': 'yesterday' })).status).toBe(200);
});

test('If-None-Match stands before If-Modified-Since', async () => {
  const later = new Date(Date.now() + 60_000).toUTCString();
  expect((await get('Patient/kept', { 'if-none-match': 'W/"1"', 'if-modified-since': later })).status).toBe(200);
});

describe('vread', () => {
  test('returns each version as it was', async () => {
    const first = await get('Patient/kept/_history/1');
    expect(first.body).toMatchObject({ active: true, meta: { versionId: '1' } });
    expect(first.headers['etag']).toBe('W/"1"');
    expect((await get('Patient/kept/_history/2')).text).toBe((await get('Patient/kept')).text);
  });

  test('the version that is a deletion is 410, those before it are still there', async () => {
    expectRefusal(await get('Patient/deleted/_history/2'), 410, { code: 'deleted' });
    expect((await get('Patient/deleted/_history/1')).status).toBe(200);
  });

  test.each(['3', '0', '-1', '01', 'x', '1.0', '99999999999999999999'])('version %s is 404', async (version) => {
    expectRefusal(await get(`Patient/kept/_history/${version}`), 404, { code: 'not-found' });
  });

  test('a version of a resource that was never there is 404', async () => expectRefusal(await get('Patient/nobody/_history/1'), 404));
});

test('a trace id that is sent comes back', async () => {
  const { headers } = await get('Patient/kept', { 'x-request-id': 'trace-1', 'x-correlation-id': 'c-2' });
  expect(headers).toMatchObject({ 'x-request-id': 'trace-1', 'x-correlation-id': 'c-2' });
});
