// Phase 5: whoever subscribes is told of every change, in order per patient, however often the receiver fails.
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { startServer, type TestServer } from '../server.js';
import { assessed, numbers, register, NHS } from './people.js';
import { isEvent, notificationOf, openReceiver, plainBody, receiverProcess, statusReached, STATUS_CRITERIA, subscribed, TOPIC, topicBody, until, type Receiver, type ReceiverProcess } from './subscribers.js';

const RETRY_MS = 50;
const newNumber = numbers(999_300_000);
let server: TestServer;
let receiver: Receiver;
beforeAll(async () => {
  server = await startServer({ SUBSCRIPTION_RETRY_MS: String(RETRY_MS), SUBSCRIPTION_GIVE_UP_MS: '1500' });
});
afterAll(() => server.close());
beforeEach(async () => {
  receiver = await openReceiver();
});
const open: ReceiverProcess[] = [];
afterEach(async () => {
  await receiver.close();
  for (const process of open.splice(0)) await process.remove();
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

const day = (n: number): string => `2026-03-${String(n).padStart(2, '0')}T09:00:00Z`;
const basicOf = (observation: any): string => observation.component[0].valueCodeableConcept.coding[0].code;

test('plain R4: the observation is put below the endpoint, with the headers asked for', async () => {
  const patient = await register(server, newNumber());
  await subscribed(server, plainBody(`${STATUS_CRITERIA}&patient=Patient/${patient}`, receiver.endpoint, { header: ['Authorization: Bearer of-the-hospital'] }));
  await assessed(server, patient, 'F', day(1));
  const [one] = await until('a notification', () => receiver.received.length > 0 && receiver.received);
  const observation = JSON.parse(one!.body);
  expect(one).toMatchObject({ method: 'PUT', url: `/hook/Observation/${observation.id}`, headers: { authorization: 'Bearer of-the-hospital', 'x-entitle-event': '1' } });
  expect(observation).toMatchObject({ resourceType: 'Observation', meta: { versionId: '2' }, subject: { reference: `Patient/${patient}` } });
  expect(basicOf(observation)).toBe('Y');
});

test('the topic: a handshake, then an event with its number', async () => {
  const number = newNumber();
  const patient = await register(server, number);
  const id = await subscribed(server, topicBody(receiver.endpoint, 'full-resource', `patient.identifier=${NHS}|${number}`));
  expect(notificationOf(receiver.received[0]!.body).status).toMatchObject({ type: 'handshake', status: 'requested', topic: TOPIC, 'events-since-subscription-start': '0' });
  await assessed(server, patient, 'B', day(2));
  const one = await until('an event', () => receiver.received.find(isEvent));
  const { status, events, entries } = notificationOf(one.body);
  expect(status).toMatchObject({ subscription: { reference: `${server.base}/Subscription/${id}` }, 'events-since-subscription-start': '1' });
  expect(events).toMatchObject([{ 'event-number': '1', focus: { reference: entries[0].fullUrl } }]);
  expect(basicOf(entries[0].resource)).toBe('N');
});

test('a receiver in another process is killed for some seconds and ends with every change, in order per patient', async () => {
  const port = await freePort();
  const process = receiverProcess(port, new URL('/.well-known/jwks.json', server.base).href);
  open.push(process);
  await process.start();
  const patients = await Promise.all(Array.from({ length: 4 }, () => register(server, newNumber())));
  const id = await subscribed(server, topicBody(process.endpoint, 'full-resource'));
  const change = (n: number): Promise<unknown> => Promise.all(patients.map((patient, index) => assessed(server, patient, 'ABDF'[(n + index) % 4]!, day(n))));
  await change(1);
  await process.kill();
  for (let n = 2; n <= 6; n += 1) await change(n);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await process.start();
  await change(7);
  const told = await until('all changes', () => {
    const events = process.received().filter(isEvent);
    return new Set(events.map(({ jti }) => jti)).size >= patients.length * 7 && events;
  });
  for (const patient of patients) {
    const versions = told.flatMap(({ body }) => notificationOf(body).entries.map(({ resource }) => resource)).filter(({ subject }) => subject.reference === `Patient/${patient}`).map(({ meta }) => Number(meta.versionId));
    expect([...new Set(versions)]).toEqual([2, 4, 6, 8, 10, 12, 14]);
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
  }
  expect((await statusReached(server, id, 'active')).error).toBeUndefined();
}, 60_000);
