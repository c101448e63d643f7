// update, update as create, and the conditions on it. https://hl7.org/fhir/R4/http.html#update
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';
import { rowCounts } from './row-counts.js';

let server: TestServer;
beforeAll(async () => { server = await startServer(); });
afterAll(() => server.close());

const put = (id: string, members: object = {}, headers: Record<string, string> = {}, type = 'Patient') =>
  server.send('PUT', `${type}/${id}`, { token: server.tokens.admin, body: { resourceType: type, id, ...members }, headers });
const get = (path: string) => server.send('GET', path, { token: server.tokens.admin });

test('an update of what is there answers 200 with the next version', async () => {
  await put('plain', { active: true });
  const answer = await put('plain', { active: false });
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({ id: 'plain', active: false, meta: { versionId: '2' } });
  expect(answer.headers['etag']).toBe('W/"2"');
  expect(answer.headers['last-modified']).toBe(new Date(answer.body.meta.lastUpdated).toUTCString());
  expect((await get('Patient/plain')).text).toBe(answer.text);
});

test('the new version replaces the old one whole', async () => {
  await put('whole', { active: true, gender: 'female' });
  const { body } = await put('whole', { birthDate: '1970-01-01' });
  expect(Object.keys(body).sort()).toEqual(['birthDate', 'id', 'meta', 'resourceType']);
});

test.each([['one character', 'a'], ['the longest', `${'9'.repeat(30)}.-${'Z'.repeat(32)}`], ['dots and dashes', '-.-'], ['a dot', '.a'], ['digits', '007']])(
  'a client may name a new resource: an id of %s',
  async (_what, id) => {
    const answer = await put(id);
    expect(answer).toMatchObject({ status: 201, body: { id, meta: { versionId: '1' } } });
    expect(answer.headers['location']).toBe(`${server.base}/Patient/${id}/_history/1`);
    expect((await get(`Patient/${id}`)).text).toBe(answer.text);
  },
);

test.each([['too long', 'a'.repeat(65)], ['an underscore', 'a_b'], ['a space', 'a%20b'], ['not ASCII', '%C3%A9'], ['a slash', 'a%2Fb'], ['NUL', 'a%00']])(
  'what is no id is refused: %s',
  async (_what, id) => {
    const before = await rowCounts(server);
    expectRefusal(await server.send('PUT', `Patient/${id}`, { token: server.tokens.admin, body: { resourceType: 'Patient', id: decodeURIComponent(id) } }), 400, { code: 'value' });
    expect(await rowCounts(server)).toEqual(before);
  },
);

test('the same id under two types is two resources', async () => {
  await put('twin', { active: true });
  await put('twin', { type: 'person', actual: true }, {}, 'Group');
  expect((await get('Patient/twin')).body).toMatchObject({ resourceType: 'Patient', active: true });
  expect((await get('Group/twin')).body).toMatchObject({ resourceType: 'Group' });
});

test('a body with another id, or with none, is refused', async () => {
  const send = (body: unknown) => server.send('PUT', 'Patient/url', { token: server.tokens.admin, body });
  expectRefusal(await send({ resourceType: 'Patient', id: 'body' }), 400, { code: 'invalid', expression: 'Patient.id' });
  expectRefusal(await send({ resourceType: 'Patient' }), 400, { code: 'invalid', expression: 'Patient.id' });
  expectRefusal(await send({ resourceType: 'Patient', id: 5 }), 400, { expression: 'Patient.id' });
  expectRefusal(await get('Patient/url'), 404);
});

test('Prefer: return=minimal answers without a body', async () => {
  expect(await put('minimal', {}, { prefer: 'return=minimal' })).toMatchObject({ status: 201, text: '' });
  expect(await put('minimal', {}, { prefer: 'return=minimal' })).toMatchObject({ status: 200, text: '' });
});

describe('If-Match', () => {
  test.each(['W/"1"', '"1"', '1', '*'])('%s lets the update of version 1 through', async (tag) => {
    const id = `match-${Buffer.from(tag).toString('hex')}`;
    await put(id);
    expect(await put(id, { active: true }, { 'if-match': tag })).toMatchObject({ status: 200, body: { meta: { versionId: '2' } } });
  });

  test('of a version that is not the current one is 412, and nothing changes', async () => {
    await put('stale');
    await put('stale', { active: true });
    const before = (await get('Patient/stale')).text;
    for (const tag of ['W/"1"', 'W/"3"']) expectRefusal(await put('stale', {}, { 'if-match': tag }), 412, { code: 'conflict', text: /current version is 2/ });
    expect((await get('Patient/stale')).text).toBe(before);
  });

  test.each(['W/"1"', '*'])('%s where there is no such resource is 412, and none is made', async (tag) => {
    expectRefusal(await put('absent', {}, { 'if-match': tag }), 412, { code: 'conflict' });
    expectRefusal(await get('Patient/absent'), 404);
  });

  test('that is no tag is 400', async () => {
    await put('tagless');
    expectRefusal(await put('tagless', {}, { 'if-match': 'abc' }), 400, { text: /If-Match/ });
  });
});

describe('If-None-Match: *', () => {
  test('creates where there is nothing, and is 412 where there is', async () => {
    expect((await put('once', {}, { 'if-none-match': '*' })).status).toBe(201);
    expectRefusal(await put('once', { active: true }, { 'if-none-match': '*' }), 412, { code: 'conflict' });
    expect((await get('Patient/once')).body.meta.versionId).toBe('1');
  });

  test('of many at once one creates', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => put('once-raced', {}, { 'if-none-match': '*' })));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.every((status) => [201, 409, 412].includes(status))).toBe(true);
  });
});

test('updates at once: each is told what became of it, and the versions have no gaps', async () => {
  await put('raced');
  const answers = await Promise.all(Array.from({ length: 20 }, (_, turn) => put('raced', { name: [{ text: String(turn) }] })));
  expect(answers.every(({ status }) => [200, 409, 412].includes(status))).toBe(true);
  const versions = answers.filter(({ status }) => status === 200).map(({ body }) => Number(body.meta.versionId)).sort((a, b) => a - b);
  expect(versions).toEqual(versions.map((_, index) => index + 2));
  const history = (await get('Patient/raced/_history?_count=100')).body;
  expect(history.entry.map((entry: any) => Number(entry.resource.meta.versionId))).toEqual([...versions].reverse().concat(1));
  for (const { status, body, headers } of answers) {
    if (status !== 200) continue;
    const version = await get(`Patient/raced/_history/${body.meta.versionId}`);
    expect(version.body.name).toEqual(body.name);
    expect(headers['etag']).toBe(`W/"${body.meta.versionId}"`);
  }
});

test('of many with the same If-Match one wins', async () => {
  await put('lock');
  const answers = await Promise.all(Array.from({ length: 10 }, () => put('lock', { active: true }, { 'if-match': 'W/"1"' })));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 412 || status === 409)).toHaveLength(9);
});

test('creations by PUT at once: one is 201, the versions have no gaps', async () => {
  const answers = await Promise.all(Array.from({ length: 10 }, (_, turn) => put('born', { name: [{ text: String(turn) }] })));
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 201)).toHaveLength(1);
  expect(statuses.every((status) => [200, 201, 409].includes(status))).toBe(true);
  const { total } = (await get('Patient/born/_history')).body;
  expect(total).toBe(statuses.filter((status) => status < 300).length);
});
