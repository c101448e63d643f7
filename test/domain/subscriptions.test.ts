// Phase 5: whoever subscribes is told of every change, in order per patient, however often the receiver fails.
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import fc from 'fast-check';
import { startServer, type TestServer } from '../server.js';
import { assessed, assessmentBody, numbers, patientBody, register, state, NHS } from './people.js';
import { isEvent, notificationOf, openReceiver, plainBody, receiverProcess, statusReached, STATUS_CRITERIA, subscribe, subscribed, TOPIC, topicBody, until, type Received, type Receiver, type ReceiverProcess } from './subscribers.js';

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
}, 120_000);

test('whatever the receiver does, nothing is lost and each patient\'s order is kept', async () => {
  const patients = await Promise.all([1, 2, 3].map(() => register(server, newNumber())));
  const taken: any[] = [];
  const moods = fc.sample(fc.constantFrom(200, 200, 200, 500, 0, 302, 404), { numRuns: 400, seed: 7 });
  let asked = 0;
  receiver.answer = ({ body }) => {
    const mood = moods[asked++ % moods.length]!;
    if (!isEvent({ body } as Received)) return 200;
    // Hanging up comes after it was taken: the server can't know, and sends it again.
    if (mood === 200 || mood === 0) taken.push(...notificationOf(body).entries.map(({ resource }) => resource));
    return mood;
  };
  const id = await subscribed(server, topicBody(receiver.endpoint, 'full-resource'));
  for (let n = 1; n <= 5; n += 1) await Promise.all(patients.map((patient) => assessed(server, patient, 'ABDF'[n % 4]!, day(n))));
  const versionsOf = (patient: string): number[] => taken.filter(({ subject }) => subject.reference === `Patient/${patient}`).map(({ meta }) => Number(meta.versionId));
  await until('every version of every patient', async () => {
    // What was given up is asked for again, as its owner would.
    const { body } = await server.send('GET', `Subscription/${id}`, { token: server.tokens.admin });
    if (body.status === 'error') await server.send('PUT', `Subscription/${id}`, { token: server.tokens.admin, body: { ...body, status: 'requested' } });
    return patients.every((patient) => new Set(versionsOf(patient)).size === 5);
  }, 120_000);
  for (const patient of patients) expect(versionsOf(patient)).toEqual([...versionsOf(patient)].sort((a, b) => a - b));
  await server.send('DELETE', `Subscription/${id}`, { token: server.tokens.admin });
}, 120_000);

test('what is not taken in time is given up, shown, and taken up again when asked; others go on', async () => {
  const [stuck, fine] = await Promise.all([register(server, newNumber()), register(server, newNumber())]);
  let refuses = true;
  const taken: any[] = [];
  receiver.answer = (one) => {
    if (!isEvent(one)) return 200;
    const [{ resource }] = notificationOf(one.body).entries;
    if (refuses && resource.subject.reference === `Patient/${stuck}`) return 500;
    taken.push(resource);
    return 200;
  };
  const token = server.tokens.ovm;
  const id = await subscribed(server, topicBody(receiver.endpoint, 'full-resource'), token);
  await assessed(server, stuck, 'F', day(1));
  await assessed(server, stuck, 'A', day(2));
  await assessed(server, fine, 'B', day(1));
  const failed = await statusReached(server, id, 'error');
  expect(failed.error).toMatch(/^Event 1 was given up after \d+ attempts\. The endpoint answered 500\./);
  expect(taken.map(({ subject }) => subject.reference)).toEqual([`Patient/${fine}`]);
  refuses = false;
  const { status } = await server.send('PUT', `Subscription/${id}`, { token, body: { ...failed, status: 'requested' } });
  expect(status).toBe(200);
  await until('the two of the first patient', () => taken.length === 3);
  expect(taken.slice(1).map(({ meta }) => meta.versionId)).toEqual(['2', '4']);
  expect((await statusReached(server, id, 'active')).error).toBeUndefined();
});

test('every road tells: the feed, a transaction, a retraction and a merge', async () => {
  const number = newNumber();
  const patient = await register(server, number);
  const old = newNumber();
  const id = await subscribed(server, topicBody(receiver.endpoint, 'full-resource', `patient=Patient/${patient}`));
  const told = async (count: number): Promise<any> => {
    const events = await until(`event ${count}`, () => receiver.received.filter(isEvent).length >= count && receiver.received.filter(isEvent));
    return notificationOf(events[count - 1]!.body).entries[0];
  };
  await state(server, number, 'likely-chargeable', day(1));
  expect(basicOf((await told(1)).resource)).toBe('Y');
  const assessment = assessmentBody(patient, 'B', day(2));
  const batch = { resourceType: 'Bundle', type: 'transaction', entry: [{ resource: assessment, request: { method: 'POST', url: 'Observation' } }] };
  const posted = await server.send('POST', '', { token: server.tokens.ovm, body: batch });
  expect(basicOf((await told(2)).resource)).toBe('N');
  const [, written] = /Observation\/([^/]+)/.exec(posted.body.entry[0].response.location)!;
  const { body: stored, headers } = await server.send('GET', `Observation/${written}`, { token: server.tokens.ovm });
  await server.send('PUT', `Observation/${written}`, { token: server.tokens.ovm, body: { ...stored, status: 'entered-in-error' }, headers: { 'if-match': headers['etag']! } });
  expect(basicOf((await told(3)).resource)).toBe('Y');
  const replaced = await register(server, old);
  await assessed(server, replaced, 'A', day(5));
  const merged = await server.send('PUT', `Patient/${replaced}`, { token: server.tokens.admin, body: { resourceType: 'Patient', id: replaced, active: false, identifier: [{ system: NHS, value: old }], link: [{ other: { reference: `Patient/${patient}` }, type: 'replaced-by' }] } });
  expect(merged.status).toBe(200);
  expect((await told(4)).resource.effectiveDateTime).toBe(day(5));
  expect(receiver.received.filter(isEvent).map(({ headers: { 'x-entitle-event': event } }) => event)).toEqual(['1', '2', '3', '4']);
  await server.send('PUT', `Subscription/${id}`, { token: server.tokens.admin, body: { ...topicBody(receiver.endpoint, 'full-resource'), id, status: 'off' } });
  await assessed(server, patient, 'F', day(6));
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(receiver.received.filter(isEvent)).toHaveLength(4);
});

test('criteria are a search under the subscriber\'s own rights', async () => {
  const mine = await subscribed(server, plainBody('Patient?family=Listened', receiver.endpoint), server.tokens.ovm);
  const post = (family: string, rest: object = {}): Promise<any> => server.send('POST', 'Patient', { token: server.tokens.admin, body: patientBody(newNumber(), { name: [{ family }], ...rest }) });
  await post('Unheard');
  const { body: patient } = await post('Listened');
  const [one] = await until('a Patient', () => receiver.received.length > 0 && receiver.received);
  expect(one).toMatchObject({ method: 'PUT', url: `/hook/Patient/${patient.id}` });
  expect(JSON.parse(one!.body)).toMatchObject({ id: patient.id, meta: { versionId: '1' } });
  // A laboratory's result is not an OVM's to see, so its subscription does not tell of it either.
  await subscribed(server, plainBody('Observation?status=final', receiver.endpoint), server.tokens.ovm);
  await server.send('POST', 'Observation', { token: server.tokens.admin, body: { resourceType: 'Observation', status: 'final', code: { text: 'lab' }, subject: { reference: `Patient/${patient.id}` } } });
  await assessed(server, patient.id, 'A', day(1));
  const others = await until('the assessment', () => receiver.received.some(({ url }) => url.includes('Observation')) && receiver.received.filter(({ url }) => url.includes('Observation')));
  expect(others.map(({ body }) => JSON.parse(body).valueCodeableConcept.coding[0].code)).toEqual(['A']);
  await server.send('DELETE', `Subscription/${mine}`, { token: server.tokens.ovm });
});

describe('who may', () => {
  const post = async (token: string, body: object): Promise<number> => (await server.send('POST', 'Subscription', { token, body })).status;

  test('a supplier hears of one patient that it names, and of nobody else', async () => {
    const number = newNumber();
    const patient = await register(server, number);
    expect(await post(server.tokens.supplier, topicBody(receiver.endpoint, 'full-resource'))).toBe(422);
    expect(await post(server.tokens.supplier, plainBody('Patient?family=x', receiver.endpoint))).toBe(403);
    await subscribed(server, topicBody(receiver.endpoint, 'full-resource', `patient.identifier=${NHS}|${number}`), server.tokens.supplier);
    await assessed(server, await register(server, newNumber()), 'A', day(1));
    await assessed(server, patient, 'F', day(1));
    const one = await until('an event', () => receiver.received.find(isEvent));
    expect(notificationOf(one.body).entries[0].resource.subject.reference).toBe(`Patient/${patient}`);
  });

  test('the Home Office and a patient do not', async () => {
    expect(await post(server.tokens.homeOffice, topicBody(receiver.endpoint, 'id-only'))).toBe(403);
    expect(await post(await server.token('patient', { patient: 'x' }), topicBody(receiver.endpoint, 'id-only'))).toBe(403);
  });

  test('one sees, changes and stops one\'s own only', async () => {
    const other = await server.token('ovm', { organization: 'RR8', client: 'another' });
    const id = await subscribe(server, topicBody(receiver.endpoint, 'id-only'), server.tokens.ovm);
    expect((await server.send('GET', `Subscription/${id}`, { token: server.tokens.ovm })).status).toBe(200);
    expect((await server.send('GET', `Subscription/${id}`, { token: other })).status).toBe(404);
    expect((await server.send('GET', 'Subscription?status=requested,active', { token: other })).body.entry).toBeUndefined();
    expect((await server.send('DELETE', `Subscription/${id}`, { token: other })).status).toBe(404);
    expect((await server.send('PUT', `Subscription/${id}`, { token: other, body: { ...topicBody(receiver.endpoint, 'id-only'), id } })).status).toBe(404);
    expect((await server.send('DELETE', `Subscription/${id}`, { token: server.tokens.ovm })).status).toBe(204);
  });
});

describe('what can not be served is refused, with words', () => {
  const refused = async (body: any): Promise<string> => {
    const answer = await server.send('POST', 'Subscription', { token: server.tokens.admin, body });
    expect(answer.status).toBe(422);
    return answer.body.issue[0].details.text;
  };
  const to = (endpoint: string): object => plainBody('Patient?family=x', endpoint);

  test.each([
    'http://example.org/hook', 'ftp://example.org/', 'https://10.0.0.1/', 'https://192.168.1.1/x', 'https://169.254.169.254/latest/meta-data', 'https://[fe80::1]/', 'https://[::ffff:10.0.0.1]/',
    'https://[fd00::1]/', 'https://0.0.0.0/', 'https://0x7f.1.example/#x', 'https://user:secret@example.org/', 'https://100.64.0.1/', '/relative',
  ])('the endpoint %s', async (endpoint) => {
    expect(await refused(to(endpoint))).toMatch(/endpoint/);
  });

  test.each([
    ['another channel', { ...plainBody('Patient?family=x', 'https://example.org'), channel: { type: 'email', endpoint: 'mailto:a@example.org' } }, /rest-hook/],
    ['XML', plainBody('Patient?family=x', 'https://example.org', { payload: 'application/fhir+xml' }), /application\/fhir\+json/],
    ['a header of the connection', plainBody('Patient?family=x', 'https://example.org', { header: ['Host: internal'] }), /Host is the server's/],
    ['a header that would become two', plainBody('Patient?family=x', 'https://example.org', { header: ['no colon'] }), /Name: value/],
    ['an unknown parameter', plainBody('Patient?shoe-size=43', 'https://example.org'), /shoe-size/],
    ['an unknown type', plainBody('Nobody?name=x', 'https://example.org'), /Nobody/],
    ['an unknown topic', { ...topicBody('https://example.org', 'empty'), criteria: 'https://example.org/SubscriptionTopic/x' }, /The only topic here/],
    ['a bad number', plainBody(`${STATUS_CRITERIA}&patient.identifier=${NHS}|9900002831`, 'https://example.org'), /NHS number/],
    ['a sorting', plainBody('Patient?_sort=family', 'https://example.org'), /_sort/],
  ])('%s', async (_name, body, words) => {
    expect(await refused(body)).toMatch(words);
  });

  test('a name that leads to an address that must not be reached is not spoken to', async () => {
    const { send } = await import('../../src/subscriptions/send.js');
    const sending = { method: 'POST', url: 'https://localhost:1/', headers: {}, body: '' } as const;
    const signal = new AbortController().signal;
    expect(await send(sending, { private: false, loopback: false }, signal)).toMatch(/this machine itself/);
    const error = await send({ ...sending, url: `https://${hostname()}:1/` }, { private: false, loopback: false }, signal);
    expect(error).toMatch(/may not be sent to|could not be reached/);
  });
});
