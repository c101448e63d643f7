// What is asked at the doors beside the FHIR service is on record too: tokens, the register of clients, CDS Hooks; and a flood is counted.
import { startServer, type TestServer } from '../server.js';
import { assessed, numbers, patientBody, register } from './people.js';
import { openReceiver, subscribed, topicBody, until } from './subscribers.js';
import { ASSERTION_TYPE, askToken, assertion, call, exchange, keyPair, origin, registerClient, type KeyPair } from '../api/client-fixture.js';

let server: TestServer;
let key: KeyPair;
beforeAll(async () => {
  server = await startServer();
  key = await keyPair('ES384', 'k1');
  await registerClient(server, 'worker', { roles: ['commissioner'], organization: 'QWE', jwks: { keys: [key.jwk] } });
});
afterAll(() => server.close());

const entries = async (query: string): Promise<any[]> => ((await server.send('GET', `AuditEvent?${query}&_count=200`, { token: server.tokens.admin })).body.entry ?? []).map((entry: any) => entry.resource);
/** All there are, once so many are stored: an answer is on record a moment after it was given. */
async function events(query: string, count = 1): Promise<any[]> {
  for (let tries = 0; tries < 300; tries += 1) {
    const found = await entries(query);
    if (found.length >= count) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return [];
}
const queryOf = (event: any): string => Buffer.from(event.entity.find((one: any) => one.query !== undefined).query, 'base64').toString('utf8');

test('a token that is issued names its client, and one that is refused the address it was asked from', async () => {
  expect((await exchange(server, assertion(server, 'worker', key))).status).toBe(200);
  const [issued] = await events('altid=worker&type=http://dicom.nema.org/resources/ontology/DCM|110114');
  expect(issued).toMatchObject({ type: { code: '110114' }, subtype: [{ code: '110122' }], outcome: '0', agent: [{ altId: 'worker', requestor: true }] });
  expect((await askToken(server, { grant_type: 'client_credentials', client_assertion_type: ASSERTION_TYPE, client_assertion: 'a.b.c' })).status).toBe(401);
  const [refused] = await events('subtype=110122&outcome=4');
  expect(refused).toMatchObject({ outcomeDesc: '401 Unauthorized', agent: [{ altId: 'unknown', network: { address: '127.0.0.1', type: '2' } }] });
});

test('nothing of an assertion or a token is in the record', async () => {
  const signed = await assertion(server, 'worker', key);
  const { body } = await exchange(server, signed);
  await events('altid=worker');
  const { rows } = await server.database.query({ text: 'select * from fhir.audit_event', values: [] });
  for (const secret of [signed, String(body.access_token)]) expect(JSON.stringify(rows)).not.toContain(secret.slice(-40));
});

test('who reads, writes and switches off clients is named, and who may not', async () => {
  const admin = await server.token('admin', { client: 'console', subject: 'registrar' });
  await registerClient(server, 'made', { roles: ['ovm'] }, admin);
  await call(`${origin(server)}/admin/clients/made`, { method: 'DELETE', headers: { authorization: `Bearer ${admin}` } });
  const made = await events('altid=registrar&subtype=110137', 2);
  expect(made.map(queryOf).sort()).toEqual(['DELETE /admin/clients/made', 'PUT /admin/clients/made']);
  const ovm = await server.token('ovm', { client: 'hospital', subject: 'intruder' });
  expect((await registerClient(server, 'mine', { roles: ['admin'] }, ovm)).status).toBe(403);
  expect((await events('altid=intruder'))[0]).toMatchObject({ outcome: '4', outcomeDesc: '403 Forbidden' });
});

test('a call of CDS Hooks is recorded, taken or not', async () => {
  const url = `${origin(server)}/cds-services/chargeable-status`;
  const ovm = await server.token('ovm', { client: 'hospital', subject: 'ward-system' });
  await call(url, { method: 'POST', headers: { authorization: `Bearer ${ovm}`, 'content-type': 'application/json' }, body: JSON.stringify({ hook: 'patient-view', hookInstance: 'x', context: { patientId: 'nobody' } }) });
  await call(`${url}/feedback`, { method: 'POST', headers: { authorization: `Bearer ${ovm}`, 'content-type': 'application/json' }, body: '{}' });
  for (let tries = 0; tries < 300 && (await entries('altid=ward-system')).length < 3; tries += 1) await new Promise((resolve) => setTimeout(resolve, 100));
  // The call, what it asked of the FHIR service, and the feedback that was refused.
  const lines = (await entries('altid=ward-system')).map((event) => `${event.entity.find((one: any) => one.name)?.name} ${event.outcomeDesc.slice(0, 3)}`);
  expect(lines.sort()).toEqual(['$cds-hooks 200', '$cds-hooks 400', '$chargeable-status 404']);
});

const newNumber = numbers(999_480_000);
const peopleOf = (event: any): string[] => (event.entity ?? []).filter((one: any) => one.role?.code === '1').map((one: any) => one.what.reference);

test('a card names the patient it was about, whoever opened the record', async () => {
  const number = newNumber();
  const id = await register(server, number);
  await assessed(server, id, 'F', '2026-05-10');
  const ward = await server.token('ovm', { client: 'hospital', subject: 'card-reader', organization: 'RR8' });
  const body = { hook: 'patient-view', hookInstance: 'x', context: { patientId: 'their-id' }, prefetch: { patient: patientBody(number) } };
  expect((await call(`${origin(server)}/cds-services/chargeable-status`, { method: 'POST', headers: { authorization: `Bearer ${ward}`, 'content-type': 'application/json' }, body: JSON.stringify(body) })).status).toBe(200);
  const told = await until('the record of the card', async () => (await entries(`patient=Patient/${id}`)).find((event) => event.agent[0].altId === 'card-reader'));
  expect([peopleOf(told), told.outcome]).toEqual([[`Patient/${id}`], '0']);
});

describe('a notification', () => {
  test.each([['full-resource'], ['id-only'], ['empty']])('of %s is on record: who was told what about whom, and the patient sees it', async (content) => {
    const receiver = await openReceiver();
    try {
      const number = newNumber();
      const id = await register(server, number);
      const subscriber = await server.token('ovm', { client: `listener-${content}`, subject: 'listening', organization: 'RR8' });
      const subscription = await subscribed(server, topicBody(receiver.endpoint, content), subscriber);
      await assessed(server, id, 'F', '2026-05-10');
      const [event] = await until('the record', async () => {
        const found = await entries(`patient=Patient/${id}&type=http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle|transmit&altid=listener-${content}`);
        return found.length > 0 && found;
      });
      expect(event).toMatchObject({ type: { code: 'transmit' }, action: 'R', outcome: '0', agent: [{ altId: 'listening', role: [{ coding: [{ code: 'ovm' }] }] }, {}, { who: { identifier: { value: 'RR8' } } }] });
      expect([peopleOf(event), queryOf(event)]).toEqual([[`Patient/${id}`], `Subscription/${subscription}`]);
      const mine = (await server.send('GET', 'AuditEvent?type=transmit', { token: await server.token('patient', { patient: id }) })).body.entry;
      expect(mine.map(({ resource }: any) => resource.id)).toContain(event.id);
      expect(JSON.stringify(mine)).not.toContain('"query"');
      await server.send('DELETE', `Subscription/${subscription}`, { token: subscriber });
    } finally {
      await receiver.close();
    }
  });

  test('that was not taken is on record as one that failed', async () => {
    const receiver = await openReceiver();
    try {
      const id = await register(server, newNumber());
      const subscriber = await server.token('ovm', { client: 'deaf', organization: 'RR8' });
      const subscription = await subscribed(server, topicBody(receiver.endpoint, 'full-resource'), subscriber);
      receiver.answer = () => 500;
      await assessed(server, id, 'F', '2026-05-10');
      const failed = await until('the record', async () => (await entries(`patient=Patient/${id}&type=transmit&outcome=8`))[0]);
      expect(failed.outcomeDesc).toBe('502 Bad Gateway');
      await server.send('DELETE', `Subscription/${subscription}`, { token: subscriber });
    } finally {
      await receiver.close();
    }
  });
});

test('a patient sees who looked at the record, and neither the doors nor anybody else\'s', async () => {
  const { body } = await server.send('POST', 'Patient', { token: server.tokens.admin, body: { resourceType: 'Patient', name: [{ family: 'Seen' }] } });
  const token = await server.token('patient', { patient: body.id });
  const ovm = await server.token('ovm', { client: 'hospital', subject: 'looker', organization: 'RR8' });
  await server.send('GET', `Patient/${body.id}`, { token: ovm });
  await server.send('GET', `Patient/${body.id}/$everything`, { token: server.tokens.admin });
  await server.send('POST', 'Observation', { token: server.tokens.admin, body: { resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject: { reference: `Patient/${body.id}` } } });
  await server.send('GET', `Observation?patient=${body.id}&_include=Observation:subject`, { token: server.tokens.admin });
  const mine = async (): Promise<any[]> => ((await server.send('GET', 'AuditEvent?_count=100', { token })).body.entry ?? []).map((entry: any) => entry.resource);
  for (let tries = 0; tries < 300 && (await mine()).length < 5; tries += 1) await new Promise((resolve) => setTimeout(resolve, 100));
  const seen = await mine();
  expect(seen.map(({ subtype }) => subtype?.[0].code)).toEqual(expect.arrayContaining(['create', 'read', 'operation', 'search-type']));
  expect(seen.some(({ agent }) => agent[0].altId === 'looker')).toBe(true);
  for (const event of seen) {
    expect((event.entity ?? []).filter((one: any) => one.role?.code === '1').map((one: any) => one.what.reference)).toEqual([`Patient/${body.id}`]);
    expect(JSON.stringify(event)).not.toContain('"query"');
  }
});
