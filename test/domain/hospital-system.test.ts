// P5: the worked example: a hospital's system registers a patient, asks before treatment, is told of the change, and codes it for its commissioners.
import { startServer, type TestServer } from '../server.js';
import { HospitalSystem } from './hospital-system.js';
import { assessed, numbers, register, state } from './people.js';
import { TOPIC, until } from './subscribers.js';

const newNumber = numbers(999_500_000);
let server: TestServer;
beforeAll(async () => {
  server = await startServer({ SUBSCRIPTION_RETRY_MS: '50' });
});
afterAll(() => server.close());

test('a hospital shows the status of its patient, and follows it', async () => {
  const hospital = new HospitalSystem(server.base, server.tokens.ovm);
  await hospital.discover();
  const number = newNumber();
  const patient = await hospital.register(number, 'Visitor');
  expect(await hospital.check(number)).toEqual({ text: 'Chargeable status not known: ask before care that can wait', chargingCategory: '9' });

  const subscription = await hospital.subscribe(TOPIC);
  await until('an active subscription', async () => (await hospital.statusOf(subscription)) === 'active');
  await state(server, number, 'likely-chargeable', '2026-03-01T09:00:00Z');
  await until('the banner of the Home Office\'s statement', () => hospital.banners.get(number)?.text === 'Chargeable for NHS services');
  expect(hospital.banners.get(number)?.chargingCategory).toBe('9');
  await assessed(server, patient, 'B', '2026-03-02T09:00:00Z');
  await until('the banner of the assessment', () => hospital.banners.get(number)?.chargingCategory === 'B');
  expect(await hospital.check(number)).toEqual({ text: 'Access to free NHS services subject to exceptions', chargingCategory: 'B' });
  await assessed(server, patient, 'DECISION_PENDING', '2026-03-03T09:00:00Z');
  await until('the banner of the pending decision', () => hospital.banners.get(number)?.chargingCategory === 'P');
  expect(hospital.eventNumbers).toEqual([1, 2, 3]);
  await hospital.close();
});

test('the operation that metadata names is called by GET and by POST, in the formats that are served', async () => {
  const { body: { rest: [rest] } } = await server.send('GET', 'metadata');
  const { operation } = rest.resource.find(({ type }: any) => type === 'Patient');
  expect(operation.map(({ name }: any) => name)).toContain('chargeable-status');
  const number = newNumber();
  await assessed(server, await register(server, number), 'F', '2026-03-01T09:00:00Z');
  const system = 'https://fhir.nhs.uk/Id/nhs-number';
  const ask = (headers: Record<string, string> = {}) => server.send('GET', `Patient/$chargeable-status?identifier=${system}|${number}`, { token: server.tokens.supplier, headers });
  const post = (type: string) => server.send('POST', 'Patient/$chargeable-status', { token: server.tokens.supplier, headers: { 'content-type': type }, body: JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'identifier', valueIdentifier: { system, value: number } }] }) });
  const [got, posted] = [await ask(), await post('application/fhir+json')];
  expect([got.status, posted.status, posted.body]).toEqual([200, 200, got.body]);
  expect((await ask({ accept: 'image/png' })).status).toBe(406);
  expect((await post('text/plain')).status).toBe(415);
});

describe('categories as the commissioning data set and UK Core write them', () => {
  const SPINE = 'https://fhir.nhs.uk/spine-category-status-1';
  const BASE = 'https://fhir.entitle.example';
  const CDS = `${BASE}/CodeSystem/overseas-visitor-charging-category`;
  const UK_CORE = 'https://fhir.hl7.org.uk/CodeSystem/UKCore-OverseasVisitorChargingCategory';
  const PAIRS: [string, string][] = ['A', 'B', 'C', 'D', 'E', 'F'].map((letter): [string, string] => [letter, letter]);
  const ALL: [string, string][] = [...PAIRS, ['DECISION_PENDING', 'P'], ['NONE', '9']];

  async function translate(query: Record<string, string>): Promise<[boolean, string[]]> {
    const { body } = await server.send('GET', `ConceptMap/$translate?${new URLSearchParams(query).toString()}`, { token: server.tokens.supplier });
    const value = (name: string): any => body.parameter.find((one: any) => one.name === name);
    const matches = body.parameter.filter(({ name }: any) => name === 'match').map(({ part }: any) => part.find(({ name }: any) => name === 'concept').valueCoding.code);
    return [value('result').valueBoolean, matches];
  }

  test.each(ALL)('%s is %s, and back', async (category, code) => {
    for (const [there, back, system] of [['spine-category-to-charging-category', 'charging-category-to-spine-category', CDS], ['spine-category-to-ukcore', 'ukcore-to-spine-category', UK_CORE]] as const) {
      expect((await translate({ url: `${BASE}/ConceptMap/${there}`, system: SPINE, code: category }))[1]).toEqual([code]);
      expect((await translate({ url: `${BASE}/ConceptMap/${back}`, system, code }))[1]).toEqual([category]);
    }
  });

  test('a code of neither is not translated', async () => {
    expect(await translate({ url: `${BASE}/ConceptMap/charging-category-to-spine-category`, system: CDS, code: 'Z' })).toEqual([false, []]);
  });
});
