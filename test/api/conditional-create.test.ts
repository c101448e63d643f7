// Conditional create: If-None-Exist. https://hl7.org/fhir/R4/http.html#ccreate
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';
import { rowCounts } from './row-counts.js';

const SYSTEM = 'https://ids.example';
const patient = (value: string, family = 'Oracle') => ({ resourceType: 'Patient', identifier: [{ system: SYSTEM, value }], name: [{ family }] });

let server: TestServer;
beforeAll(async () => { server = await startServer(); });
afterAll(() => server.close());

const createUnless = (condition: string, body: unknown, headers: Record<string, string> = {}) =>
  server.send('POST', 'Patient', { token: server.tokens.admin, body, headers: { 'if-none-exist': condition, ...headers } });
const search = async (query: string) => (await server.send('GET', `Patient?${query}`, { token: server.tokens.admin })).body;

test('without a match the resource is created', async () => {
  const answer = await createUnless(`identifier=${SYSTEM}|none`, patient('none'));
  expect(answer.status).toBe(201);
  expect(answer.headers['etag']).toBe('W/"1"');
});

test('with one match nothing is written, and the answer is 200 with the one there is', async () => {
  const created = await createUnless(`identifier=${SYSTEM}|one`, patient('one'));
  const again = await createUnless(`identifier=${SYSTEM}|one`, patient('one', 'Other'));
  expect(again.status).toBe(200);
  expect(again.text).toBe(created.text);
  expect(again.headers['location']).toBe(created.headers['location']);
  expect((await search(`identifier=${SYSTEM}|one`)).entry).toHaveLength(1);
});

test('with several matches it is refused with 412', async () => {
  for (let copy = 0; copy < 2; copy++) await server.send('POST', 'Patient', { token: server.tokens.admin, body: patient('many') });
  const before = await rowCounts(server);
  expectRefusal(await createUnless(`identifier=${SYSTEM}|many`, patient('many')), 412, { code: 'multiple-matches' });
  expect(await rowCounts(server)).toEqual(before);
});

test('criteria may be written with the type, and percent-encoded', async () => {
  await createUnless(`identifier=${SYSTEM}|typed`, patient('typed'));
  expect((await createUnless(`Patient?identifier=${encodeURIComponent(`${SYSTEM}|typed`)}`, patient('typed'))).status).toBe(200);
});

test('a deleted resource is no match', async () => {
  const created = await createUnless(`identifier=${SYSTEM}|gone`, patient('gone'));
  await server.send('DELETE', `Patient/${created.body.id}`, { token: server.tokens.admin });
  const again = await createUnless(`identifier=${SYSTEM}|gone`, patient('gone'));
  expect(again.status).toBe(201);
  expect(again.body.id).not.toBe(created.body.id);
});

test.each([
  ['nothing', '', 400],
  ['result parameters alone', '_count=1&_sort=_id', 400],
  ['a parameter that is not known', 'shoe-size=43', 400],
  ['a value that is no date', 'birthdate=yesterday', 400],
  ['a bad escape', 'identifier=%zz', 400],
])('criteria that say %s are refused, and nothing is written', async (_what, condition, status) => {
  const before = await rowCounts(server);
  expectRefusal(await createUnless(condition, patient('criteria')), status);
  expect(await rowCounts(server)).toEqual(before);
});

test('a resource that is not valid is refused whatever the criteria match', async () => {
  expectRefusal(await createUnless(`identifier=${SYSTEM}|bad`, { resourceType: 'Patient', birthDate: 'x' }), 400, { expression: 'Patient.birthDate' });
});

test('of twenty at once exactly one creates, and all name the same resource', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => createUnless(`identifier=${SYSTEM}|race`, patient('race'))));
  expect(answers.map(({ status }) => status).sort()).toEqual([...Array.from({ length: 19 }, () => 200), 201]);
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  expect((await search(`identifier=${SYSTEM}|race`)).entry).toHaveLength(1);
});

test('the same criteria in other words race to one resource, too', async () => {
  const words = [`identifier=${SYSTEM}|words`, `Patient?identifier=${SYSTEM}|words`, `identifier=${encodeURIComponent(`${SYSTEM}|words`)}`];
  const answers = await Promise.all(Array.from({ length: 12 }, (_, turn) => createUnless(words[turn % words.length] ?? '', patient('words'))));
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
});
