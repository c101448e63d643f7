// P5: a Subscription is asked how it stands, for what it told, and for what it gave up (Subscriptions R5 Backport: $status and $events).
import { startServer, type TestServer } from '../server.js';
import { assessed, errorCode, numbers, register, NHS } from './people.js';
import { isEvent, notificationOf, openReceiver, plainBody, statusReached, STATUS_CRITERIA, subscribe, subscribed, TOPIC, topicBody, until, type Receiver } from './subscribers.js';

const newNumber = numbers(999_320_000);
let server: TestServer;
let receiver: Receiver;
beforeAll(async () => {
  server = await startServer({ SUBSCRIPTION_RETRY_MS: '50', SUBSCRIPTION_GIVE_UP_MS: '600' });
});
afterAll(() => server.close());
beforeEach(async () => {
  receiver = await openReceiver();
});
afterEach(() => receiver.close());

const day = (n: number): string => `2026-03-0${n}T09:00:00Z`;
const ask = (path: string, token = server.tokens.ovm): Promise<any> => server.send('GET', `Subscription/${path}`, { token });
const value = ({ name: _name, part: _part, ...rest }: any): any => Object.values(rest)[0];
const partsOf = ({ part }: any): Record<string, any> => Object.fromEntries(part.map((one: any) => [one.name, value(one)]));
const statusIn = (entry: any): Record<string, any> => Object.fromEntries(entry.resource.parameter.map((one: any) => [one.name, value(one)]));
const basicOf = (observation: any): string => observation.component[0].valueCodeableConcept.coding[0].code;

/** A Subscription to one patient's status, who has had the categories one by one, all delivered. */
async function told(categories: string, body: (filter: string) => object, token = server.tokens.ovm): Promise<{ id: string; patient: string }> {
  const number = newNumber();
  const patient = await register(server, number);
  const id = await subscribed(server, body(`patient.identifier=${NHS}|${number}`), token);
  const before = receiver.received.length;
  for (const [index, category] of Array.from(categories).entries()) await assessed(server, patient, category, day(index + 1));
  await until('every event', () => receiver.received.length >= before + categories.length);
  return { id, patient };
}
const topic = (content: string) => (filter: string): object => topicBody(receiver.endpoint, content, filter);

describe('$status', () => {
  test('tells the state, the topic and the number of the last event, in a searchset', async () => {
    const { id } = await told('FB', topic('id-only'));
    const { status, body } = await ask(`${id}/$status`);
    expect([status, body.resourceType, body.type, body.total]).toEqual([200, 'Bundle', 'searchset', 1]);
    expect(body.entry[0].resource.meta.profile).toEqual(['http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-subscription-status-r4']);
    expect(statusIn(body.entry[0])).toEqual({ subscription: { reference: `${server.base}/Subscription/${id}` }, topic: TOPIC, status: 'active', type: 'query-status', 'events-since-subscription-start': '2' });
  });

  test('by POST as by GET, and of one that is switched off', async () => {
    const { id } = await told('F', topic('empty'));
    const { body: stored } = await ask(id);
    await server.send('PUT', `Subscription/${id}`, { token: server.tokens.ovm, body: { ...stored, status: 'off' } });
    const { status, body } = await server.send('POST', `Subscription/${id}/$status`, { token: server.tokens.ovm, body: { resourceType: 'Parameters' } });
    expect(status).toBe(200);
    expect(statusIn(body.entry[0])).toMatchObject({ status: 'off', 'events-since-subscription-start': '0' });
  });

  test('at the type, of those named that are the caller\'s, in the statuses asked for', async () => {
    const mine = await subscribed(server, topicBody(receiver.endpoint, 'empty'), server.tokens.ovm);
    const others = await subscribe(server, topicBody(receiver.endpoint, 'empty'), server.tokens.admin);
    const { body } = await ask(`$status?id=${mine},${others}`);
    expect(body.entry.map((entry: any) => statusIn(entry)['subscription'].reference)).toEqual([`${server.base}/Subscription/${mine}`]);
    expect((await ask(`$status?id=${mine}&id=${others}`, server.tokens.admin)).body.total).toBe(2);
    expect((await ask(`$status?id=${mine}&status=error`)).body).toMatchObject({ total: 0 });
    expect((await ask('$status')).status).toBe(400);
  });

  test('is nobody else\'s to ask', async () => {
    const { id } = await told('F', topic('empty'));
    const other = await server.token('ovm', { organization: 'RR8', client: 'another' });
    for (const operation of ['$status', '$events', '$dead-letters']) {
      expect((await ask(`${id}/${operation}`, other)).status).toBe(404);
      expect((await ask(`${id}/${operation}`, server.tokens.homeOffice)).status).toBe(403);
      expect((await ask(`${id}/${operation}`, server.tokens.admin)).status).toBe(200);
      expect((await ask(`nowhere/${operation}`, server.tokens.admin)).status).toBe(404);
    }
  });
});

describe('$events', () => {
  test('gives again what was told, each as it was then, in the order of numbers', async () => {
    const { id, patient } = await told('FBA', topic('full-resource'));
    const { status, text } = await ask(`${id}/$events`);
    expect(status).toBe(200);
    const { status: said, events, entries } = notificationOf(text);
    expect(said).toMatchObject({ type: 'query-event', status: 'active', topic: TOPIC, 'events-since-subscription-start': '3' });
    expect(events.map((event) => event['event-number'])).toEqual(['1', '2', '3']);
    expect(entries.map(({ resource }) => [resource.subject.reference, basicOf(resource)])).toEqual([[`Patient/${patient}`, 'Y'], [`Patient/${patient}`, 'N'], [`Patient/${patient}`, 'N']]);
    expect(entries).toEqual(receiver.received.filter(isEvent).flatMap(({ body }) => notificationOf(body).entries));
  });

  test('from one number to another, both included', async () => {
    const { id } = await told('FBAF', topic('id-only'));
    const numbered = async (query: string): Promise<string[]> => notificationOf((await ask(`${id}/$events${query}`)).text).events.map((event) => event['event-number']);
    expect(await numbered('?eventsSinceNumber=2&eventsUntilNumber=3')).toEqual(['2', '3']);
    expect(await numbered('?eventsSinceNumber=4')).toEqual(['4']);
    expect(await numbered('?eventsUntilNumber=1')).toEqual(['1']);
    expect(await numbered('?eventsSinceNumber=5')).toEqual([]);
    const parameter = [{ name: 'eventsSinceNumber', valueString: '3' }, { name: 'content', valueCode: 'empty' }];
    const posted = await server.send('POST', `Subscription/${id}/$events`, { token: server.tokens.ovm, body: { resourceType: 'Parameters', parameter } });
    expect(notificationOf(posted.text).events.map(Object.keys)).toEqual([['event-number', 'timestamp'], ['event-number', 'timestamp']]);
  });

  test('with as much content as asked for, and as the channel has it unless asked', async () => {
    const { id } = await told('F', topic('empty'));
    const entriesOf = async (query: string): Promise<any[]> => notificationOf((await ask(`${id}/$events${query}`)).text).entries;
    expect(await entriesOf('')).toEqual([]);
    expect((await entriesOf('?content=id-only')).map(({ resource }) => resource)).toEqual([undefined]);
    expect((await entriesOf('?content=full-resource')).map(({ resource }) => resource.resourceType)).toEqual(['Observation']);
    expect((await ask(`${id}/$events?content=all`)).status).toBe(400);
    expect((await ask(`${id}/$events?eventsSinceNumber=first`)).status).toBe(400);
    expect((await ask(`${id}/$events?since=1`)).status).toBe(400);
  });

  test('of a Subscription in the words of R4, without a topic; a supplier reads its own', async () => {
    const { id } = await told('F', (filter) => plainBody(`${STATUS_CRITERIA}&${filter}`, receiver.endpoint), server.tokens.supplier);
    const { status, entries } = notificationOf((await ask(`${id}/$events`, server.tokens.supplier)).text);
    expect(status['topic']).toBeUndefined();
    expect(entries.map(({ resource }) => basicOf(resource))).toEqual(['Y']);
  });

  test('is in the record of accesses with its patient', async () => {
    const { id, patient } = await told('F', topic('id-only'));
    await ask(`${id}/$events`);
    await until('the record', async () => {
      const { body } = await server.send('GET', `AuditEvent?patient=Patient/${patient}&_count=50`, { token: server.tokens.admin });
      return body.entry.some(({ resource }: any) => resource.entity.some((one: any) => one.name === '$events'));
    });
  });
});

describe('what was given up', () => {
  test('is listed with its reason and what waits behind it, told by $status, and delivered when asked for again', async () => {
    const number = newNumber();
    const patient = await register(server, number);
    const id = await subscribed(server, topicBody(receiver.endpoint, 'full-resource', `patient.identifier=${NHS}|${number}`), server.tokens.ovm);
    expect((await ask(`${id}/$dead-letters`)).body.parameter ?? []).toEqual([]);
    const taken: string[] = [];
    let refuses = true;
    receiver.answer = ({ body }) => {
      if (refuses) return 503;
      taken.push(...notificationOf(body).events.map((event) => event['event-number']));
      return 200;
    };
    await assessed(server, patient, 'F', day(1));
    await assessed(server, patient, 'B', day(2));
    const failed = await statusReached(server, id, 'error');
    for (const token of [server.tokens.ovm, server.tokens.admin]) {
      const { body } = await ask(`${id}/$dead-letters`, token);
      expect(body.parameter.map(({ name }: any) => name)).toEqual(['dead-letter']);
      const { focus, ...letter } = partsOf(body.parameter[0]);
      expect(letter).toEqual({ 'event-number': '1', timestamp: expect.any(String), attempts: expect.any(Number), 'first-tried': expect.any(String), error: 'The endpoint answered 503', 'waiting-behind': 1 });
      expect(focus.reference).toMatch(new RegExp(`^${server.base}/Observation/`));
    }
    const { body: status } = await ask(`${id}/$status`);
    const parameter = status.entry[0].resource.parameter;
    expect(parameter.find(({ name }: any) => name === 'error').valueCodeableConcept.text).toMatch(/^Event 1 was given up/);
    expect(notificationOf((await ask(`${id}/$events`)).text).events.map((event) => event['event-number'])).toEqual(['1', '2']);
    refuses = false;
    await server.send('PUT', `Subscription/${id}`, { token: server.tokens.ovm, body: { ...failed, status: 'requested' } });
    await until('both', () => taken.length >= 2);
    expect(taken).toEqual(['1', '2']);
    expect((await ask(`${id}/$dead-letters`)).body.parameter ?? []).toEqual([]);
  });

  test('a parameter that it does not take is refused', async () => {
    const id = await subscribe(server, topicBody(receiver.endpoint, 'empty'), server.tokens.ovm);
    const answer = await ask(`${id}/$dead-letters?all=true`);
    expect([answer.status, errorCode(answer)]).toEqual([400, expect.any(String)]);
  });
});
