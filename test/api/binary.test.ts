// Binary as the file it holds, in both directions. https://hl7.org/fhir/R4/binary.html#rest
import { randomBytes } from 'node:crypto';
import { startServer, type TestServer } from '../server.js';

const FHIR = 'application/fhir+json';
const LIMIT = 200_000;

let server: TestServer;
beforeAll(async () => { server = await startServer({ BODY_LIMIT_BYTES: String(LIMIT) }); });
afterAll(() => server.close());

interface Sent { readonly headers?: Record<string, string>; readonly body?: Buffer | string; readonly token?: string }
const send = async (method: string, path: string, { headers = {}, body, token = server.tokens.admin }: Sent = {}) => {
  const answer = await fetch(`${server.base}/${path}`, { method, headers: { authorization: `Bearer ${token}`, ...headers }, ...(body !== undefined && { body: new Uint8Array(Buffer.from(body)) }) });
  const bytes = Buffer.from(await answer.arrayBuffer());
  return { status: answer.status, headers: Object.fromEntries(answer.headers), bytes, json: () => JSON.parse(bytes.toString('utf8')) };
};
const post = (body: Buffer | string, type: string, headers: Record<string, string> = {}) => send('POST', 'Binary', { body, headers: { 'content-type': type, ...headers } });
const idOf = ({ headers }: { headers: Record<string, string> }): string => /Binary\/([^/]+)/.exec(headers['location'] ?? '')?.[1] ?? '';

test.each([
  ['application/pdf', randomBytes(50_000)], ['image/png', randomBytes(3)], ['text/csv', Buffer.from('a,b\n1,2\n')], ['application/x-ndjson', Buffer.from('{}\n{}\n')],
  ['text/plain; charset=utf-8', Buffer.from('pound £')], ['application/dicom', randomBytes(1)],
  // Content in a FHIR format that is no Binary is a file like any other.
  [FHIR, Buffer.from('{ "resourceType": "Patient", "active": true }')], ['application/json', Buffer.from('{"a": 1.00}')],
])('%s goes in and comes out as it was', async (type, bytes) => {
  const made = await post(bytes, type);
  expect({ status: made.status, length: made.bytes.length }).toEqual({ status: 201, length: 0 });
  const read = await send('GET', `Binary/${idOf(made)}`);
  expect(read.status).toBe(200);
  expect(read.headers['content-type']).toBe(type);
  expect(read.bytes.equals(bytes)).toBe(true);
  const resource = (await send('GET', `Binary/${idOf(made)}`, { headers: { accept: FHIR } })).json();
  expect(resource).toMatchObject({ resourceType: 'Binary', contentType: type, data: bytes.toString('base64') });
});

test('a file comes with its version, a name, and orders not to guess what it is', async () => {
  const { headers } = await send('GET', `Binary/${idOf(await post('<script>alert(1)</script>', 'text/html'))}`);
  expect(headers).toMatchObject({ 'content-type': 'text/html', 'x-content-type-options': 'nosniff', etag: 'W/"1"', 'content-disposition': expect.stringMatching(/^attachment; filename="/), 'content-security-policy': expect.stringContaining('sandbox') });
  expect(headers['last-modified']).toMatch(/GMT$/);
});

test('a Binary sent as a resource can be read as a file, too', async () => {
  const made = await post(JSON.stringify({ resourceType: 'Binary', contentType: 'image/gif', data: Buffer.from('GIF89a').toString('base64') }), FHIR, { accept: FHIR });
  expect(made.json()).toMatchObject({ resourceType: 'Binary', contentType: 'image/gif' });
  expect((await send('GET', `Binary/${made.json().id}`)).bytes.toString()).toBe('GIF89a');
});

test('XML is the resource where its root is a Binary, and a file like any other where it is not', async () => {
  const XML = 'application/fhir+xml';
  const resource = await post('<?xml version="1.0"?><Binary xmlns="http://hl7.org/fhir"><contentType value="text/plain"/><data value="aGk="/></Binary>', XML);
  expect((await send('GET', `Binary/${idOf(resource)}`)).bytes.toString()).toBe('hi');
  const file = await post('<Patient xmlns="http://hl7.org/fhir"/>', XML);
  expect((await send('GET', `Binary/${idOf(file)}`, { headers: { accept: FHIR } })).json().contentType).toBe(XML);
});

describe('what is given', () => {
  let id: string;
  beforeAll(async () => { id = idOf(await post('%PDF-', 'application/pdf')); });

  test.each([
    ['*/*', 'application/pdf'], ['application/pdf', 'application/pdf'], ['application/*', 'application/pdf'], ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'application/pdf'],
    [FHIR, FHIR], ['application/json', 'application/json'], ['application/fhir+xml', 'application/fhir+xml'], [`${FHIR}, */*;q=0.1`, FHIR], ['application/pdf;q=0.5, application/fhir+json', FHIR],
  ])('to Accept %s is %s', async (accept, type) => {
    const { status, headers } = await send('GET', `Binary/${id}`, { headers: { accept } });
    expect([status, headers['content-type']?.split(';')[0]]).toEqual([200, type]);
  });

  test('_format asks for the resource', async () => expect((await send('GET', `Binary/${id}?_format=json`)).json()).toMatchObject({ resourceType: 'Binary' }));
  test('to who takes neither is 406', async () => {
    const answer = await send('GET', `Binary/${id}`, { headers: { accept: 'image/png' } });
    expect([answer.status, answer.json().issue[0].details.text]).toEqual([406, expect.stringContaining('application/pdf')]);
  });
  test('of an earlier version is its file', async () => {
    await send('PUT', `Binary/${id}`, { body: 'later', headers: { 'content-type': 'text/plain' } });
    expect((await send('GET', `Binary/${id}`)).bytes.toString()).toBe('later');
    expect((await send('GET', `Binary/${id}/_history/1`)).bytes.toString()).toBe('%PDF-');
  });
  test('to HEAD is the head of the file', async () => {
    const { status, headers, bytes } = await send('HEAD', `Binary/${id}`);
    expect({ status, length: headers['content-length'], bytes: bytes.length }).toEqual({ status: 200, length: '5', bytes: 0 });
  });
  test('to who has it already is 304', async () => expect((await send('GET', `Binary/${id}`, { headers: { 'if-none-match': 'W/"2"' } })).status).toBe(304));
  test('of what is not there or gone is an outcome', async () => {
    expect((await send('GET', 'Binary/nothing')).json()).toMatchObject({ resourceType: 'OperationOutcome' });
    await send('DELETE', `Binary/${id}`);
    expect((await send('GET', `Binary/${id}`)).status).toBe(410);
  });
});

test('PUT makes a Binary under an id; the same bytes again make no version; If-Match is kept', async () => {
  const put = (body: string, headers: Record<string, string> = {}) => send('PUT', 'Binary/named', { body, headers: { 'content-type': 'text/plain', ...headers } });
  expect((await put('one')).status).toBe(201);
  expect((await put('one')).headers['etag']).toBe('W/"1"');
  expect((await put('two', { 'if-match': 'W/"7"' })).status).toBe(412);
  expect((await put('two', { 'if-match': 'W/"1"' })).status).toBe(200);
});

test('a media type that could not stand in a header goes out as bytes', async () => {
  await server.seed([{ resourceType: 'Binary', id: 'evil', contentType: 'a/b\r\nx: y', data: 'AAAA' }]);
  expect((await send('GET', 'Binary/evil')).headers['content-type']).toBe('application/octet-stream');
});

describe('security context', () => {
  test('X-Security-Context becomes the resource\'s, and goes out with the file', async () => {
    await send('PUT', 'Patient/ctx', { body: '{"resourceType":"Patient","id":"ctx"}', headers: { 'content-type': FHIR } });
    const made = await post('x', 'text/plain', { 'x-security-context': 'Patient/ctx' });
    const read = await send('GET', `Binary/${idOf(made)}`);
    expect(read.headers['x-security-context']).toBe('Patient/ctx');
    expect((await send('GET', `Binary/${idOf(made)}`, { headers: { accept: FHIR } })).json().securityContext).toEqual({ reference: 'Patient/ctx' });
  });

  test('one that is no reference is refused by its name', async () => {
    const answer = await post('x', 'text/plain', { 'x-security-context': 'somebody else' });
    expect([answer.status, answer.json().issue[0].details.text]).toEqual([400, expect.stringMatching(/X-Security-Context.*somebody else/)]);
  });

  test('without one a patient\'s file is the patient\'s own, and nobody else\'s', async () => {
    for (const id of ['ada', 'bob']) await send('PUT', `Patient/${id}`, { body: `{"resourceType":"Patient","id":"${id}"}`, headers: { 'content-type': FHIR } });
    const [ada, bob] = [await server.token('patient', { patient: 'ada' }), await server.token('patient', { patient: 'bob' })];
    const made = await send('POST', 'Binary', { token: ada, body: 'mine', headers: { 'content-type': 'text/plain' } });
    expect(made.status).toBe(201);
    expect((await send('GET', `Binary/${idOf(made)}`, { token: ada })).bytes.toString()).toBe('mine');
    expect((await send('GET', `Binary/${idOf(made)}`, { token: bob })).status).toBe(404);
    const taken = await send('POST', 'Binary', { token: bob, body: 'x', headers: { 'content-type': 'text/plain', 'x-security-context': 'Patient/ada' } });
    expect(taken.status).toBeGreaterThanOrEqual(400);
  });
});

test('BINARY_TYPES says which files are kept, by whatever road they come', async () => {
  const picky = await startServer({ BINARY_TYPES: 'application/pdf, image/*' });
  const status = async (type: string) => (await picky.send('POST', 'Binary', { token: picky.tokens.admin, body: 'x', headers: { 'content-type': type } })).status;
  expect([await status('application/pdf'), await status('image/webp'), await status('text/html')]).toEqual([201, 201, 415]);
  const { status: refused, body } = await picky.send('POST', 'Binary', { token: picky.tokens.admin, body: { resourceType: 'Binary', contentType: 'text/html' } });
  expect([refused, body.issue[0].expression]).toEqual([415, ['Binary.contentType']]);
  await picky.close();
});

describe('refused', () => {
  test('a file beyond the limit, whole or in a stream', async () => {
    for (const type of ['application/pdf', 'text/csv']) expect((await post(randomBytes(LIMIT + 1), type)).status).toBe(413);
  });
  test('a file without a media type', async () => expect((await post('x', '')).status).toBe(415));
  test('a media type that is none', async () => expect((await post('x', 'nonsense')).status).toBe(415));
  test('malformed JSON that says it is JSON', async () => expect((await post('{"resourceType":', FHIR)).status).toBe(400));
  test('a file at another type', async () => expect((await send('POST', 'Patient', { body: 'x', headers: { 'content-type': 'application/pdf' } })).status).toBe(415));
  test('a patch of a Binary in another format', async () => expect((await send('PATCH', 'Binary/named', { body: 'x', headers: { 'content-type': 'text/plain' } })).status).toBe(415));
});
