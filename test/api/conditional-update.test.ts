// Conditional update: criteria in the URL. https://hl7.org/fhir/R4/http.html#cond-update
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';
import { rowCounts } from './row-counts.js';

const SYSTEM = 'https://ids.example';
const patient = (value: string, members: object = {}) => ({ resourceType: 'Patient', identifier: [{ system: SYSTEM, value }], ...members });

let server: TestServer;
beforeAll(async () => { server = await startServer(); });
afterAll(() => server.close());

const put = (query: string, body: unknown, headers: Record<string, string> = {}) => server.send('PUT', `Patient?${query}`, { token: server.tokens.admin, body, headers });
const post = async (body: unknown): Promise<string> => (await server.send('POST', 'Patient', { token: server.tokens.admin, body })).body.id;
const by = (value: string): string => `identifier=${encodeURIComponent(`${SYSTEM}|${value}`)}`;

test('without a match and without an id it creates', async () => {
  const answer = await put(by('none'), patient('none'));
  expect(answer).toMatchObject({ status: 201, body: { meta: { versionId: '1' } } });
  expect(answer.headers['location']).toBe(`${server.base}/Patient/${answer.body.id}/_history/1`);
});

test('without a match the id in the body is the new one\'s', async () => {
  expect(await put(by('named'), patient('named', { id: 'named' }))).toMatchObject({ status: 201, body: { id: 'named' } });
});

test('without a match an id that is taken is refused: it would overwrite what the criteria did not mean', async () => {
  await server.send('PUT', 'Patient/taken', { token: server.tokens.admin, body: patient('other', { id: 'taken' }) });
  expectRefusal(await put(by('taken'), patient('taken', { id: 'taken' })), 409, { code: 'duplicate', expression: 'Patient.id' });
});

test('with one match it updates that one, with its id in the body or none', async () => {
  const id = await post(patient('one'));
  expect(await put(by('one'), patient('one', { active: true }))).toMatchObject({ status: 200, body: { id, active: true, meta: { versionId: '2' } } });
  expect(await put(by('one'), patient('one', { id }))).toMatchObject({ status: 200, body: { id, meta: { versionId: '3' } } });
});

test('with one match another id in the body is refused', async () => {
  await post(patient('mismatch'));
  expectRefusal(await put(by('mismatch'), patient('mismatch', { id: 'somebody-else' })), 400, { code: 'invalid' });
});

test('with several matches it is refused with 412', async () => {
  await post(patient('many'));
  await post(patient('many'));
  const before = await rowCounts(server);
  expectRefusal(await put(by('many'), patient('many')), 412, { code: 'multiple-matches' });
  expect(await rowCounts(server)).toEqual(before);
});

test('If-Match is about the one that matches', async () => {
  await post(patient('locked'));
  expectRefusal(await put(by('locked'), patient('locked'), { 'if-match': 'W/"7"' }), 412, { code: 'conflict' });
  expect((await put(by('locked'), patient('locked'), { 'if-match': 'W/"1"' })).status).toBe(200);
});

test.each(['', '_count=1', 'shoe-size=43', 'birthdate=soon'])('criteria "%s" are refused, and nothing is written', async (query) => {
  const before = await rowCounts(server);
  expectRefusal(await put(query, patient('criteria')), 400);
  expect(await rowCounts(server)).toEqual(before);
});

test('many at once make one resource', async () => {
  const answers = await Promise.all(Array.from({ length: 12 }, () => put(by('race'), patient('race'))));
  expect(answers.every(({ status }) => [200, 201, 409].includes(status))).toBe(true);
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  const found = await server.send('GET', `Patient?${by('race')}`, { token: server.tokens.admin });
  expect(found.body.entry).toHaveLength(1);
});
