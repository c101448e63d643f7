// delete, by id and by criteria. https://hl7.org/fhir/R4/http.html#delete
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';
import { rowCounts } from './row-counts.js';

const SYSTEM = 'https://ids.example';

let server: TestServer;
beforeAll(async () => { server = await startServer(); });
afterAll(() => server.close());

const put = (id: string, members: object = {}) => server.send('PUT', `Patient/${id}`, { token: server.tokens.admin, body: { resourceType: 'Patient', id, ...members } });
const del = (path: string, headers: Record<string, string> = {}) => server.send('DELETE', path, { token: server.tokens.admin, headers });
const get = (path: string) => server.send('GET', path, { token: server.tokens.admin });
const identified = (value: string) => ({ identifier: [{ system: SYSTEM, value }] });
const by = (value: string): string => `Patient?identifier=${encodeURIComponent(`${SYSTEM}|${value}`)}`;

test('a delete answers 204; the resource is gone from reads and searches', async () => {
  await put('a', identified('a'));
  const answer = await del('Patient/a');
  expect(answer).toMatchObject({ status: 204, text: '' });
  expect(answer.headers['etag']).toBe('W/"2"');
  expectRefusal(await get('Patient/a'), 410, { code: 'deleted' });
  expect((await get(by('a'))).body.entry).toBeUndefined();
});

test('deleting twice, or what was never there, succeeds and makes no version', async () => {
  await put('twice');
  await del('Patient/twice');
  expect((await del('Patient/twice')).status).toBe(204);
  expect((await del('Patient/never')).status).toBe(204);
  expect((await get('Patient/twice/_history')).body.total).toBe(2);
  expectRefusal(await get('Patient/never'), 404);
});

test('a PUT brings it back with the next version', async () => {
  await put('back', identified('back'));
  await del('Patient/back');
  expect(await put('back', identified('back'))).toMatchObject({ status: 201, body: { meta: { versionId: '3' } } });
  expect((await get('Patient/back')).status).toBe(200);
  expect((await get(by('back'))).body.entry).toHaveLength(1);
});

test('If-Match of the current version deletes, of another is 412', async () => {
  await put('locked');
  expectRefusal(await del('Patient/locked', { 'if-match': 'W/"2"' }), 412, { code: 'conflict' });
  expect((await get('Patient/locked')).status).toBe(200);
  expect((await del('Patient/locked', { 'if-match': 'W/"1"' })).status).toBe(204);
});

describe('by criteria', () => {
  test('one match is deleted', async () => {
    await put('one', identified('one'));
    expect((await del(by('one'))).status).toBe(204);
    expect((await get('Patient/one')).status).toBe(410);
  });

  test('none is no error', async () => expect((await del(by('none'))).status).toBe(204));

  test('several are refused with 412, and all stay', async () => {
    await put('m1', identified('many'));
    await put('m2', identified('many'));
    const before = await rowCounts(server);
    expectRefusal(await del(by('many')), 412, { code: 'multiple-matches' });
    expect(await rowCounts(server)).toEqual(before);
  });

  test.each(['Patient', 'Patient?_count=1', 'Patient?shoe-size=43'])('%s says too little, and deletes nothing', async (path) => {
    await put('safe');
    expectRefusal(await del(path), 400);
    expect((await get('Patient/safe')).status).toBe(200);
  });
});

test('deletes at once: all 204 or 409, one version', async () => {
  await put('raced');
  const answers = await Promise.all(Array.from({ length: 10 }, () => del('Patient/raced')));
  expect(answers.every(({ status }) => status === 204 || status === 409)).toBe(true);
  expect((await get('Patient/raced/_history')).body.total).toBe(2);
});
