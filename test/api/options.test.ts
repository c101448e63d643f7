// What a URL takes: OPTIONS and Allow; HEAD wherever there is GET. https://hl7.org/fhir/R4/http.html
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await ask('PUT', 'Patient/there', { resourceType: 'Patient', id: 'there', active: true });
});
afterAll(() => server.close());

// Not packed: the test's client unpacks the answers to GET, and forgets their length.
const ask = (method: string, path: string, body?: unknown) => server.send(method, path, { token: server.tokens.admin, headers: { 'accept-encoding': 'identity' }, ...(body !== undefined && { body }) });

test.each([
  ['Patient', ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']],
  ['Patient/there', ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']],
  ['Patient/never-there', ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']],
  ['Patient/_search', ['POST', 'OPTIONS']],
  ['_history', ['GET', 'HEAD', 'OPTIONS']],
  ['metadata', ['GET', 'HEAD', 'OPTIONS']],
  ['Patient/$validate', ['GET', 'HEAD', 'POST', 'OPTIONS']],
])('OPTIONS %s', async (path, methods) => {
  const answer = await ask('OPTIONS', path);
  expect(answer).toMatchObject({ status: 204, text: '' });
  expect(new Set(answer.headers['allow']?.split(', '))).toEqual(new Set(methods));
});

test('OPTIONS of what is not there is 404, and a method that a URL does not take says which it does', async () => {
  expectRefusal(await ask('OPTIONS', 'Nonsense'), 404);
  const answer = await ask('DELETE', 'Patient/_search');
  expectRefusal(answer, 405);
  expect(answer.headers['allow']).toBe('POST, OPTIONS');
});

test.each(['Patient/there', 'Patient/there/_history', 'Patient/there/_history/1', 'Patient', 'Patient?active=true', '_history', 'Patient/_history', 'metadata', 'Patient/there/Observation', 'Patient/there/*', 'Patient/there/$everything'])('HEAD %s answers as GET does, without the body', async (path) => {
  const [get, head] = [await ask('GET', path), await ask('HEAD', path)];
  expect({ status: head.status, text: head.text, type: head.headers['content-type'], length: head.headers['content-length'] })
    .toEqual({ status: get.status, text: '', type: get.headers['content-type'], length: get.headers['content-length'] });
  expect(get.status).toBe(200);
});

test('HEAD does not call an operation that changes something', async () => {
  const answer = await ask('HEAD', 'Account/x/$close');
  expect([answer.status, answer.headers['allow']]).toEqual([405, 'POST']);
});
