// Delete by criteria where several matches may be deleted. https://hl7.org/fhir/R4/http.html#3.1.0.7.1
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';
import { rowCounts } from './row-counts.js';

const SYSTEM = 'https://ids.example';

let server: TestServer;
beforeAll(async () => { server = await startServer({ CONDITIONAL_DELETE: 'multiple', CONDITIONAL_DELETE_LIMIT: '5' }); });
afterAll(() => server.close());

const ask = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => server.send(method, path, { token: server.tokens.admin, ...(body !== undefined && { body }), headers });
const by = (value: string): string => `Patient?identifier=${encodeURIComponent(`${SYSTEM}|${value}`)}`;
const count = async (value: string): Promise<number> => (await ask('GET', `${by(value)}&_summary=count`)).body.total;
async function seed(value: string, many: number): Promise<void> {
  for (let copy = 0; copy < many; copy++) await ask('PUT', `Patient/${value}-${copy}`, { resourceType: 'Patient', id: `${value}-${copy}`, identifier: [{ system: SYSTEM, value }] });
}

test('all that match are deleted, and nothing else', async () => {
  await seed('all', 5);
  await seed('other', 1);
  expect(await ask('DELETE', by('all'))).toMatchObject({ status: 204, text: '' });
  expect([await count('all'), await count('other')]).toEqual([0, 1]);
  expect((await ask('GET', 'Patient/all-3/_history')).body.total).toBe(2);
});

test('an outcome names each, where one is asked for', async () => {
  await seed('named', 2);
  const { status, body } = await ask('DELETE', by('named'), undefined, { prefer: 'return=OperationOutcome' });
  expect(status).toBe(200);
  expect(body.issue.map((one: any) => one.details.text)).toEqual([expect.stringContaining('Patient/named-0'), expect.stringContaining('Patient/named-1')]);
});

test('more than the limit are refused with 412 that says how many, and all stay', async () => {
  await seed('many', 7);
  const before = await rowCounts(server);
  expectRefusal(await ask('DELETE', by('many')), 412, { code: 'multiple-matches', text: /matches 7 .*delete 5/ });
  expect(await rowCounts(server)).toEqual(before);
});

test('an If-Match that one of them does not meet keeps them all', async () => {
  await seed('locked', 3);
  await ask('PUT', 'Patient/locked-1', { resourceType: 'Patient', id: 'locked-1', identifier: [{ system: SYSTEM, value: 'locked' }], active: true });
  expectRefusal(await ask('DELETE', by('locked'), undefined, { 'if-match': 'W/"1"' }), 412);
  expect(await count('locked')).toBe(3);
});

test('an entry of a transaction deletes all that match, before what the transaction makes', async () => {
  await seed('swept', 3);
  const { status, body } = await ask('POST', '', { resourceType: 'Bundle', type: 'transaction', entry: [
    { resource: { resourceType: 'Patient', identifier: [{ system: SYSTEM, value: 'swept' }] }, request: { method: 'POST', url: 'Patient' } },
    { request: { method: 'DELETE', url: by('swept') } },
  ] });
  expect([status, body.entry.map(({ response }: any) => response.status)]).toEqual([200, ['201 Created', '204 No Content']]);
  expect(await count('swept')).toBe(1);
});

test('criteria that say nothing delete nothing', async () => expectRefusal(await ask('DELETE', 'Patient?_count=5'), 400));

test('the statement says so', async () => {
  expect((await ask('GET', 'metadata')).body.rest[0].resource[0].conditionalDelete).toBe('multiple');
});
