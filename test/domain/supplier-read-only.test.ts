// P3.2: an accredited supplier reads the basic status, the category and the date of the latest update, and writes nothing (domain.md 2.2).
import { startServer, type TestServer } from '../server.js';
import { assessed, errorCode, NHS, numbers, register, statusOf, TRACED, vmObservation, vmPath } from './people.js';

let server: TestServer;
let patient: string;
const newNumber = numbers(999_270_000);
const identified = newNumber();
const AT = '2026-05-10T09:00:00+01:00';
beforeAll(async () => {
  server = await startServer();
  patient = await register(server, identified);
  await assessed(server, patient, 'F', AT);
});
afterAll(() => server.close());

test('the answer has all three', async () => {
  expect(await statusOf(server, identified)).toMatchObject({ basic: { code: 'Y' }, category: { code: 'F' }, lastUpdated: AT });
  const { effectiveDateTime, component } = await vmObservation(server, identified);
  expect([effectiveDateTime, ...component.map((one: any) => one.valueCodeableConcept.coding[0].code)]).toEqual([AT, 'Y', 'F']);
});

test.each(['_include=*', '_revinclude=*', '_include=Observation:subject'])('%s is 400 INVALID_PARAMETER', async (more) => {
  const answer = await server.send('GET', `${vmPath(identified)}&${more}`, { token: server.tokens.supplier, headers: TRACED });
  expect([answer.status, errorCode(answer)]).toEqual([400, 'INVALID_PARAMETER']);
});

const observation = { resourceType: 'Observation', status: 'final', code: { text: 'x' } };
test.each<[string, string, unknown, Record<string, string>]>([
  ['POST', 'Observation', observation, {}],
  ['PUT', 'Observation/x', { ...observation, id: 'x' }, {}],
  ['PATCH', 'Observation/x', [], { 'content-type': 'application/json-patch+json' }],
  ['DELETE', 'Observation/x', undefined, {}],
  ['POST', 'Patient', { resourceType: 'Patient' }, {}],
  ['PUT', 'Patient/x', { resourceType: 'Patient', id: 'x' }, {}],
  ['PATCH', 'Patient/x', [], { 'content-type': 'application/json-patch+json' }],
  ['DELETE', 'Patient/x', undefined, {}],
])('VM-33: %s %s by a supplier is 403 with an outcome', async (method, path, body, headers) => {
  const answer = await server.send(method, path, { token: server.tokens.supplier, body, headers });
  expect(answer.status).toBe(403);
  expect(answer.body).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'forbidden' }] });
});

test('VM-33: no more than that by a transaction', async () => {
  const entry = [{ resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Patient' } }];
  const answer = await server.send('POST', '', { token: server.tokens.supplier, body: { resourceType: 'Bundle', type: 'transaction', entry } });
  expect(answer.status).toBe(403);
});

test('no other search shows a supplier anything of a patient', async () => {
  for (const path of [`Patient?identifier=${NHS}|${identified}`, `Patient/${patient}`, `Coverage?beneficiary=Patient/${patient}`])
    expect([path, (await server.send('GET', path, { token: server.tokens.supplier })).status]).toEqual([path, 403]);
});
