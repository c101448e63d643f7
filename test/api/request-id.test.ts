// A write with X-Request-ID is carried out once, and its first answer is given again (domain.md ruling 14).
import { type Answer, startServer, type TestServer } from '../server.js';

let server: TestServer;
beforeAll(async () => void (server = await startServer()));
afterAll(() => server.close());

const basic = (text: string, rest: object = {}): object => ({ resourceType: 'Basic', code: { text }, ...rest });
let ids = 0;
const newRequest = (): string => `request-${(ids += 1)}`;
const send = (method: string, path: string, requestId: string, body?: unknown, headers: Readonly<Record<string, string>> = {}, token = server.tokens.admin): Promise<Answer> =>
  server.send(method, path, { token, ...(body === undefined ? {} : { body }), headers: { 'x-request-id': requestId, ...headers } });
const count = async (type: string, text: string): Promise<number> =>
  (await server.database.query({ text: `select from fhir."${type}" where res like $1`, values: [`%"${text}"%`] })).count;
/** What of an answer must be the same, byte for byte. */
const seen = ({ status, headers, text }: Answer): object => ({ status, text, etag: headers['etag'], location: headers['location'], modified: headers['last-modified'], type: headers['content-type'] });

it('a create asked for again makes nothing more, and answers as the first time', async () => {
  const requestId = newRequest();
  const first = await send('POST', 'Basic', requestId, basic('once'));
  expect(first.status).toBe(201);
  expect(seen(await send('POST', 'Basic', requestId, basic('once')))).toEqual(seen(first));
  expect(await count('Basic', 'once')).toBe(1);
});

it('answers as the first time also when the resource has moved on, and where no or another body was preferred', async () => {
  for (const prefer of ['return=minimal', 'return=OperationOutcome', 'return=representation']) {
    const requestId = newRequest();
    const first = await send('POST', 'Basic', requestId, basic('moved'), { prefer });
    const [, id] = /Basic\/([^/]+)\//.exec(first.headers['location'] ?? '') ?? [];
    await server.send('PUT', `Basic/${id}`, { token: server.tokens.admin, body: { ...basic('later'), id } });
    expect(seen(await send('POST', 'Basic', requestId, basic('moved'), { prefer }))).toEqual(seen(first));
  }
});

it('a PUT, a PATCH and a DELETE asked for again are not refused by what the first one changed', async () => {
  const { body: made } = await server.send('POST', 'Basic', { token: server.tokens.admin, body: basic('x') });
  const requests: readonly (readonly [string, unknown, Record<string, string>])[] = [
    ['PUT', { ...made, code: { text: 'y' } }, { 'if-match': 'W/"1"' }],
    ['PATCH', [{ op: 'replace', path: '/code/text', value: 'z' }], { 'if-match': 'W/"2"', 'content-type': 'application/json-patch+json' }],
    ['DELETE', undefined, { 'if-match': 'W/"3"' }],
  ];
  for (const [method, body, headers] of requests) {
    const requestId = newRequest();
    const first = await send(method, `Basic/${made.id}`, requestId, body, headers);
    expect(first.status).toBeLessThan(300);
    expect(seen(await send(method, `Basic/${made.id}`, requestId, body, headers))).toEqual(seen(first));
  }
});

it('a transaction asked for again is answered again; a batch repeats none of its writes', async () => {
  for (const type of ['transaction', 'batch']) {
    const requestId = newRequest();
    const bundle = { resourceType: 'Bundle', type, entry: [{ request: { method: 'POST', url: 'Basic' }, resource: basic(`of a ${type}`) }, { request: { method: 'POST', url: 'Basic' }, resource: basic(`of a ${type}`) }] };
    const first = await send('POST', '', requestId, bundle);
    expect(first.status).toBe(200);
    expect(seen(await send('POST', '', requestId, bundle))).toEqual(seen(first));
    expect(await count('Basic', `of a ${type}`)).toBe(2);
  }
});

it('is refused with another body, and is another request with another URL, method or caller', async () => {
  const requestId = newRequest();
  expect((await send('POST', 'Basic', requestId, basic('mine'))).status).toBe(201);
  const other = await send('POST', 'Basic', requestId, basic('another'));
  expect([other.status, other.body.issue[0].code]).toEqual([422, 'business-rule']);
  expect((await send('PUT', 'Basic/mine', requestId, basic('mine', { id: 'mine' }))).status).toBe(201);
  const theirs = await send('POST', 'Basic', requestId, basic('mine'), {}, await server.token('admin', { client: 'another' }));
  expect(theirs.status).toBe(201);
  expect(await count('Basic', 'mine')).toBe(3);
});

it('a refusal is not kept: put right, the request is carried out', async () => {
  const requestId = newRequest();
  expect((await send('PUT', 'Basic/late', requestId, basic('late', { id: 'late' }), { 'if-match': 'W/"1"' })).status).toBe(412);
  await server.send('PUT', 'Basic/late', { token: server.tokens.admin, body: basic('early', { id: 'late' }) });
  expect((await send('PUT', 'Basic/late', requestId, basic('late', { id: 'late' }), { 'if-match': 'W/"1"' })).status).toBe(200);
});

it('of many at the same moment one is carried out, and all are answered alike', async () => {
  const requestId = newRequest();
  const answers = await Promise.all(Array.from({ length: 12 }, () => send('POST', 'Basic', requestId, basic('twelve'))));
  for (const answer of answers) expect(seen(answer)).toEqual(seen(answers[0]!));
  expect(await count('Basic', 'twelve')).toBe(1);
});

it('costs a write without the header no row, and reads never one', async () => {
  const rows = async (): Promise<number> => (await server.database.query({ text: 'select from fhir.request_key', values: [] })).count;
  const before = await rows();
  await server.send('POST', 'Basic', { token: server.tokens.admin, body: basic('plain') });
  await send('GET', 'Basic', newRequest());
  await send('POST', 'Basic/$validate', newRequest(), basic('plain'));
  expect(await rows()).toBe(before);
  await send('POST', 'Basic', newRequest(), basic('keyed'));
  expect(await rows()).toBe(before + 1);
});
