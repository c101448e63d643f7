// P2.1: what an OVM records is shared across trusts with its author, and stays its author's to change (domain.md 2.2).
import { readFileSync } from 'node:fs';
import { startServer, type Answer, type TestServer } from '../server.js';
import { assess, assessed, assessmentBody, numbers, performer, reason, register, statusOf } from './people.js';

let server: TestServer;
let other: string;
const newNumber = numbers(999_260_000);
beforeAll(async () => {
  server = await startServer();
  other = await server.token('ovm', { organization: 'RXX', practitionerRole: 'other' });
});
afterAll(() => server.close());

const AT = '2026-05-10T09:00:00+01:00';
const post = (token: string, body: object): Promise<Answer> => server.send('POST', 'Observation', { token, body });

test('an assessment as published is recorded, and read by the OVM of another trust with its author', async () => {
  const sample = JSON.parse(readFileSync('test/domain/wire/ovm-assessment.json', 'utf8'));
  const patient = await register(server, newNumber());
  const { status, body } = await assess(server, { ...sample, subject: { reference: `Patient/${patient}` } });
  expect(status).toBe(201);
  const read = await server.send('GET', `Observation/${body.id}`, { token: other });
  expect(read.status).toBe(200);
  expect(read.body.performer[1].identifier.value).toBe('RR8');
});

test('another trust\'s OVM reads an assessment with its author, and adds one of its own', async () => {
  const number = newNumber();
  const patient = await register(server, number);
  const made = await assessed(server, patient, 'F', AT);
  const { status, body } = await server.send('GET', `Observation?subject=Patient/${patient}`, { token: other });
  expect([status, body.entry.map(({ resource }: any) => resource)]).toEqual([200, [made]]);
  expect(made.performer).toEqual(performer('RR8'));
  const edited = await server.send('PUT', `Observation/${made.id}`, { token: other, body: { ...made, status: 'amended' }, headers: { 'if-match': 'W/"1"' } });
  expect(edited.status).toBe(403);
  const patched = await server.send('PATCH', `Observation/${made.id}`, { token: other, body: JSON.stringify([{ op: 'replace', path: '/status', value: 'entered-in-error' }]), headers: { 'if-match': 'W/"1"', 'content-type': 'application/json-patch+json' } });
  expect(patched.status).toBe(403);
  expect((await post(other, assessmentBody(patient, 'E', '2026-05-11', { performer: performer('RXX'), extension: [reason('refugee')], derivedFrom: [{ reference: `Observation/${made.id}` }] }))).status).toBe(201);
  expect(await statusOf(server, number)).toMatchObject({ basic: { code: 'N' }, category: { code: 'E' }, lastUpdated: '2026-05-11T00:00:00+01:00' });
});

test('nobody records in another trust\'s name, nor who is no OVM', async () => {
  const patient = await register(server, newNumber());
  expect((await post(other, assessmentBody(patient, 'F', AT))).status).toBe(403);
  for (const role of ['care-coordinator', 'supplier', 'home-office', 'provider'] as const)
    expect([role, (await post(await server.token(role, { organization: 'RR8' }), assessmentBody(patient, 'F', AT))).status]).toEqual([role, 403]);
  expect((await assess(server, assessmentBody(patient, 'F', AT, { performer: undefined }))).status).toBe(422);
});
