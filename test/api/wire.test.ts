// What a caller can do to the bytes of HTTP itself: two lengths, headers twice, requests in requests, controls, endless heads. https://www.rfc-editor.org/rfc/rfc9112
import { startServer, type TestServer } from '../server.js';
import { say, written, type Said } from './raw-socket.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ HEADER_LIMIT_BYTES: '16384' });
  expect((await server.send('PUT', 'Patient/there', { token: server.tokens.admin, body: { resourceType: 'Patient', id: 'there' } })).status).toBe(201);
});
afterAll(() => server.close());

const HOST = 'Host: fhir.example';
const CLOSE = 'Connection: close';
const bearer = (token = server.tokens.admin): string => `Authorization: Bearer ${token}`;
const JSON_BODY = 'Content-Type: application/fhir+json';
const PATIENT = '{"resourceType":"Patient","active":true}';
const post = (headers: readonly string[], body: string): string => written({ method: 'POST', target: '/fhir/R4/Patient', headers: [HOST, bearer(), JSON_BODY, ...headers], body });
const count = async (): Promise<number> => (await server.send('GET', 'Patient?_summary=count', { token: server.tokens.admin })).body.total;

/** One refusal in an OperationOutcome, and the connection is over. */
function expectRefused({ statuses, text }: Said, ...allowed: number[]): void {
  expect([statuses.length, allowed.includes(statuses[0] ?? 0) ? 'allowed' : text.slice(0, 600)]).toEqual([1, 'allowed']);
  expect(text).toContain('"resourceType":"OperationOutcome"');
}

describe('where a body ends', () => {
  const hidden = (): string => written({ method: 'DELETE', target: '/fhir/R4/Patient/there', headers: [HOST, bearer()] });
  test.each<[string, (body: string) => readonly string[]]>([
    ['a length and chunks', (body) => [`Content-Length: ${body.length}`, 'Transfer-Encoding: chunked']], ['chunks and a length', (body) => ['Transfer-Encoding: chunked', `Content-Length: ${body.length}`]],
    ['two lengths', (body) => [`Content-Length: ${body.length}`, 'Content-Length: 0']], ['two lengths in one', (body) => [`Content-Length: ${body.length}, 0`]], ['a length with a sign', (body) => [`Content-Length: +${body.length}`]],
    ['a length in hexadecimal', (body) => [`Content-Length: 0x${body.length.toString(16)}`]], ['a negative length', () => ['Content-Length: -1']], ['no number', () => ['Content-Length: ten']],
    ['chunks that are not the last coding', () => ['Transfer-Encoding: chunked, gzip']], ['a coding that is none', () => ['Transfer-Encoding: xchunked']], ['chunks, spelt with a tab', () => ['Transfer-Encoding:\tchunked', 'Content-Length: 5']],
    ['chunks twice', () => ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity']], ['a space before the colon', (body) => ['Transfer-Encoding : chunked', `Content-Length: ${body.length}`]],
    ['a folded header', (body) => ['Transfer-Encoding:', ' chunked', `Content-Length: ${body.length}`]], ['chunks and a length of 0', () => ['Content-Length: 0', 'Transfer-Encoding: chunked']],
  ])('%s: refused, and nothing after it is a request', async (_what, headers) => {
    const before = await count();
    const body = `0\r\n\r\n${hidden()}`;
    expectRefused(await say(server.base, [post(headers(body), body)]), 400, 501);
    expect([await count(), (await server.send('GET', 'Patient/there', { token: server.tokens.admin })).status]).toEqual([before, 200]);
  });

  test.each([['not hexadecimal', 'zz\r\n{}\r\n0\r\n\r\n'], ['endless', `${'f'.repeat(40)}\r\n{}`], ['longer than said', `2\r\n${PATIENT}\r\n0\r\n\r\n`], ['negative', '-2\r\n{}\r\n0\r\n\r\n']])('a chunk whose size is %s: refused', async (_what, body) => {
    expectRefused(await say(server.base, [post(['Transfer-Encoding: chunked'], body)]), 400);
  });

  test('a request with a body that no method asks for is no second request', async () => {
    const said = await say(server.base, [written({ headers: [HOST, bearer(), `Content-Length: ${hidden().length}`, CLOSE], body: hidden() })]);
    expect(said.statuses).toHaveLength(1);
    expect((await server.send('GET', 'Patient/there', { token: server.tokens.admin })).status).toBe(200);
  });

  test('chunks as they should be are taken, and one request after the other answered in turn', async () => {
    const chunked = post(['Transfer-Encoding: chunked'], `${PATIENT.length.toString(16)}\r\n${PATIENT}\r\n0\r\n\r\n`);
    expect((await say(server.base, [chunked, written({ headers: [HOST, bearer(), CLOSE] })])).statuses).toEqual([201, 200]);
  });
});

describe('a header that comes twice', () => {
  const twice = (one: string, two: string, method = 'GET', body = ''): Promise<Said> =>
    say(server.base, [written({ method, ...(method === 'POST' && { target: '/fhir/R4/Patient' }), headers: [...(one.startsWith('Host') ? [] : [HOST]), ...(one.startsWith('Auth') ? [] : [bearer()]), ...(one.startsWith('Content-T') ? [] : [JSON_BODY]), one, two, `Content-Length: ${body.length}`, CLOSE], body })]);

  test('Host', async () => { expectRefused(await twice('Host: a.example', 'Host: b.example'), 400); });
  test('Authorization: not one of two callers, but nobody', async () => {
    expectRefused(await twice(bearer(), bearer(server.tokens.supplier)), 400);
    expectRefused(await twice(bearer(server.tokens.supplier), bearer()), 400);
    expectRefused(await twice(bearer(), 'Authorization: Basic dXNlcjpwYXNz'), 400);
  });
  test('Content-Type', async () => { expectRefused(await twice(JSON_BODY, 'Content-Type: application/fhir+xml', 'POST', PATIENT), 400); });
  test('X-Provenance', async () => { expectRefused(await twice('X-Provenance: {}', 'X-Provenance: {}', 'POST', PATIENT), 400); });
  test('If-Match is a list, of which one will do', async () => {
    const put = (headers: readonly string[]): Promise<Said> => say(server.base, [written({ method: 'PUT', headers: [HOST, bearer(), JSON_BODY, ...headers, 'Content-Length: 39', CLOSE], body: '{"resourceType":"Patient","id":"there"}' })]);
    expect((await put(['If-Match: W/"1"', 'If-Match: W/"2"'])).statuses).toEqual([200]);
    expectRefused(await put(['If-Match: W/"8"', 'If-Match: W/"9"']), 412);
  });
  test('If-None-Exist', async () => { expectRefused(await twice('If-None-Exist: _id=there', 'If-None-Exist: _id=x', 'POST', PATIENT), 400); });
  test('X-Request-ID', async () => { expectRefused(await twice('X-Request-ID: a', 'X-Request-ID: b'), 400); });
});

describe('a head that is too long or none', () => {
  test('over the limit, in one header or in many: 431', async () => {
    expectRefused(await say(server.base, [written({ headers: [HOST, bearer(), `X-Long: ${'x'.repeat(17_000)}`] })]), 431);
    expectRefused(await say(server.base, [written({ headers: [HOST, bearer(), ...Array.from({ length: 3000 }, (_one, index) => `X-${index}: 1`)] })]), 431);
  });
  test('a URL over it: 431 or 414', async () => { expectRefused(await say(server.base, [written({ target: `/fhir/R4/Patient?name=${'x'.repeat(17_000)}`, headers: [HOST, bearer()] })]), 431, 414); });
  test('a URL just below it is answered', async () => { expect((await say(server.base, [written({ target: `/fhir/R4/Patient?name=${'x'.repeat(12_000)}`, headers: [HOST, bearer(), CLOSE] })])).statuses[0]).toBeLessThan(500); });
  test.each(['HTTP/0.9', 'HTTP/2.0', 'HTTP/9.9', 'http/1.1', 'HTTPS/1.1'])('%s', async (version) => { expectRefused(await say(server.base, [written({ version, headers: [HOST, bearer()] })]), 400, 505); });
  test('no Host', async () => { expectRefused(await say(server.base, [written({ headers: [bearer()] })]), 400); });
  test.each(['\u0000', '\u0001', '\u000b', '\u007f', '\r', '\n'])('the control %j in a header', async (control) => {
    const said = await say(server.base, [Buffer.from(written({ headers: [HOST, bearer(), `X-Request-ID: a${control}b`, CLOSE] }), 'latin1')]);
    expect(said.statuses.every((status) => status < 500)).toBe(true);
    expect(said.statuses.length).toBe(1);
  });
  test.each(['/fhir/R4/Patient/\u0000', '/fhir/R4/Patient/a\u0001b', '/fhir/R4/Patient?name=\u007f', '/fhir/R4/Patient?name=a b', '\\fhir\\R4', 'fhir/R4/Patient', '*', 'http://evil.example/fhir/R4/Patient/there', '//evil.example/fhir/R4/Patient/there', '/fhir/R4/../../etc/passwd', '/fhir/R4/%2e%2e/Patient/there', '/fhir/R4/Patient/there#x'])('the target %j', async (target) => {
    const { statuses, text } = await say(server.base, [Buffer.from(written({ target, headers: [HOST, bearer(), CLOSE] }), 'latin1')]);
    expect([statuses.length, (statuses[0] ?? 0) < 500]).toEqual([1, true]);
    expect(text).not.toContain('evil.example');
  });
  test.each(['CONNECT', 'TRACE', 'TRACK', 'PROPFIND', 'get', 'BREW'])('the method %s', async (method) => {
    const { statuses, text } = await say(server.base, [written({ method, target: method === 'CONNECT' ? 'evil.example:443' : '/fhir/R4/Patient/there', headers: [HOST, bearer(), CLOSE] })]);
    expect(statuses.filter((status) => status >= 500 || status < 400)).toEqual([]);
    expect(text).not.toContain(server.tokens.admin);
  });
  test.each(['h2c', 'websocket'])('an upgrade to %s is not made', async (protocol) => {
    const { statuses } = await say(server.base, [written({ headers: [HOST, bearer(), 'Connection: Upgrade, close', `Upgrade: ${protocol}`, 'HTTP2-Settings: AAMAAABkAAQAAP__'] })]);
    expect(statuses).toEqual([200]);
  });
});

describe('a method is what the request line says', () => {
  test.each(['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'])('%s changes nothing', async (name) => {
    expect((await say(server.base, [written({ headers: [HOST, bearer(), `${name}: DELETE`, CLOSE] })])).statuses).toEqual([200]);
    expect((await server.send('POST', 'Patient?_method=DELETE', { token: server.tokens.admin, body: '{}', headers: { [name]: 'DELETE' } })).status).toBeGreaterThanOrEqual(400);
    expect((await server.send('GET', 'Patient/there?_method=DELETE', { token: server.tokens.admin, headers: { [name]: 'DELETE' } })).status).toBeLessThan(500);
    expect((await server.send('GET', 'Patient/there', { token: server.tokens.admin })).status).toBe(200);
  });
});
