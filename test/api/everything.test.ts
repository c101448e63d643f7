// $everything of a patient and of an encounter. https://hl7.org/fhir/R4/patient-operation-everything.html
import { budgetBody, makeWorld, put, type World } from '../domain/world.js';
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

let server: TestServer;
let world: World;
let budget: string;
beforeAll(async () => {
  server = await startServer();
  world = await makeWorld(server);
  budget = await put(server, budgetBody({ patient: world.patients.ada, owner: world.organizations.icb }));
  const subject = { reference: `Patient/${world.patients.ada}` };
  await put(server, { resourceType: 'Encounter', id: 'visit', status: 'finished', class: { code: 'AMB' }, subject, period: { start: '2026-03-01', end: '2026-03-01' } });
  await put(server, { resourceType: 'Condition', id: 'asthma', subject, encounter: { reference: 'Encounter/visit' }, recordedDate: '2026-03-01' });
  await put(server, { resourceType: 'Condition', id: 'undated', subject });
  await put(server, { resourceType: 'Condition', id: 'old', subject, recordedDate: '2019-01-01' });
  await put(server, { resourceType: 'Condition', id: 'another', subject: { reference: `Patient/${world.patients.bob}` } });
});
afterAll(() => server.close());

const get = (path: string, token = server.tokens.admin) => server.send('GET', path, { token });
const all = (bundle: any): string[] => (bundle.entry ?? []).map(({ resource }: any) => `${resource.resourceType}/${resource.id}`);
const matches = (bundle: any): string[] => (bundle.entry ?? []).filter(({ search }: any) => search.mode === 'match').map(({ resource }: any) => `${resource.resourceType}/${resource.id}`);
const everything = (query = ''): string => `Patient/${world.patients.ada}/$everything${query}`;

test('gives the patient, what belongs to them and what that refers to, and nothing of others', async () => {
  const { status, body } = await get(everything('?_count=1000'));
  expect([status, body.type]).toEqual([200, 'searchset']);
  expect(matches(body)[0]).toBe(`Patient/${world.patients.ada}`);
  expect(matches(body)).toEqual(expect.arrayContaining(['Condition/asthma', 'Condition/undated', 'Condition/old', 'Encounter/visit', `Account/${budget}`]));
  expect(all(body).some((one) => one.startsWith('Organization/'))).toBe(true);
  expect(all(body)).not.toContain('Condition/another');
  expect(all(body)).not.toContain(`Patient/${world.patients.bob}`);
  expect(new Set(all(body)).size).toBe(all(body).length);
});

test('comes in pages that hold each resource once', async () => {
  const whole = matches((await get(everything('?_count=1000'))).body);
  const paged: string[] = [];
  for (let url: string | undefined = everything('?_count=2'); url !== undefined;) {
    const { status, body }: any = await get(url);
    expect(status).toBe(200);
    expect(matches(body).length).toBeLessThanOrEqual(2);
    paged.push(...matches(body));
    url = body.link.find(({ relation }: any) => relation === 'next')?.url.slice(server.base.length + 1);
    if (url) expect(url).toContain('/$everything?_page=');
  }
  expect(paged).toEqual(whole);
});

test('is narrowed by type, by date of care and by date of change', async () => {
  expect(matches((await get(everything('?_type=Condition'))).body).sort()).toEqual(['Condition/asthma', 'Condition/old', 'Condition/undated']);
  expect(matches((await get(everything('?_type=Condition,Encounter&start=2026-01-01&end=2026-12-31'))).body).sort()).toEqual(['Condition/asthma', 'Condition/undated', 'Encounter/visit']);
  const since = new Date(Date.now() + 5000).toISOString();
  expect(matches((await get(everything(`?_since=${since}`))).body)).toEqual([]);
});

test('says which date it can\'t read', async () => {
  for (const name of ['start', 'end']) expectRefusal(await get(everything(`?${name}=soon`)), 400, { code: 'value', text: new RegExp(`^${name} is a date`) });
  expectRefusal(await get(everything('?start=2026-02-01&end=2026-01-31')), 400, { code: 'value' });
});

test('gives nothing of a type that _type leaves out, also where what is given refers to it', async () => {
  const types = async (query: string): Promise<string[]> => [...new Set<string>((await get(everything(query))).body.entry.map(({ resource }: any) => resource.resourceType))].sort();
  expect(await types('?_type=Condition')).toEqual(['Condition']);
  expect(await types('?_type=Condition,Patient')).toEqual(['Condition', 'Patient']);
});

test('takes its parameters by POST, too', async () => {
  const body = { resourceType: 'Parameters', parameter: [{ name: '_type', valueCode: 'Condition' }, { name: 'start', valueDate: '2026-01-01' }] };
  const { body: bundle } = await server.send('POST', everything(), { token: server.tokens.admin, body });
  expect(matches(bundle).sort()).toEqual(['Condition/asthma', 'Condition/undated']);
});

test('of an encounter', async () => {
  const { body } = await get('Encounter/visit/$everything');
  expect(matches(body)).toEqual(['Encounter/visit', 'Condition/asthma']);
});

test('is for a professional with a relationship, and shows what their role sees', async () => {
  const { status, body } = await get(everything('?_count=1000'), world.tokens.coordinator);
  expect(status).toBe(200);
  expect(matches(body)).toContain(`Account/${budget}`);
  expect(all(body)).not.toContain('Condition/asthma');
  const other = await get(`Patient/${world.patients.bob}/$everything`, world.tokens.coordinator);
  expectRefusal(other, 403, { code: 'forbidden' });
  expect(other.body.issue[0].details.coding[0].code).toBe('NO_RELATIONSHIP');
  for (const token of [world.tokens.commissioner, world.tokens.provider, server.tokens.supplier]) expectRefusal(await get(everything(), token), 403, { code: 'forbidden' });
});

test('of nobody is not there, and a wrong parameter is refused', async () => {
  expectRefusal(await get('Patient/nobody/$everything'), 404, { code: 'not-found' });
  expectRefusal(await get(everything('?_type=Alien')), 404, { code: 'not-supported' });
  expectRefusal(await get(everything('?start=soon')), 400, { code: 'value' });
});

test('of all patients at once: those whom the caller sees, in pages', async () => {
  const whole = await get('Patient/$everything?_count=1000');
  expect(whole.status).toBe(200);
  expect(matches(whole.body)).toEqual(expect.arrayContaining([`Patient/${world.patients.ada}`, `Patient/${world.patients.bob}`, 'Condition/another', 'Condition/asthma', `Account/${budget}`]));
  expect(matches(whole.body).some((one) => one.startsWith('Organization/'))).toBe(false);
  const first = (await get('Patient/$everything?_type=Patient,Condition&_count=3')).body;
  const next = first.link.find(({ relation }: any) => relation === 'next').url.slice(server.base.length + 1);
  expect(next).toMatch(/^Patient\/\$everything\?_page=/);
  const second = (await get(next)).body;
  expect(matches(second).length).toBeGreaterThan(0);
  expect(matches(second).filter((one) => matches(first).includes(one))).toEqual([]);
  const own = (await get('Patient/$everything?_count=1000', world.tokens.coordinator)).body;
  expect(all(own)).toContain(`Patient/${world.patients.ada}`);
  expect(all(own)).not.toContain(`Patient/${world.patients.bob}`);
});

// https://hl7.org/fhir/R4/group-operation-everything.html
describe('of a group', () => {
  const group = (id: string, member: readonly object[]) => put(server, { resourceType: 'Group', id, type: 'person', actual: true, ...(member.length > 0 && { member }) });
  const entity = (id: string) => ({ entity: { reference: `Patient/${id}` } });

  test('tells of each member now, and of nobody else', async () => {
    const { ada, bob } = world.patients;
    await group('one', [entity(ada), { ...entity(bob), inactive: true }, { entity: { reference: 'Device/x' } }]);
    await group('both', [entity(ada), entity(bob), { ...entity('gone'), period: { end: '2001-01-01' } }]);
    await group('empty', []);
    const one = await get('Group/one/$everything?_count=1000');
    expect([one.status, one.body.type]).toEqual([200, 'searchset']);
    expect(matches(one.body).sort()).toEqual(matches((await get(everything('?_count=1000'))).body).sort());
    const both = matches((await get('Group/both/$everything?_count=1000')).body);
    expect(both).toEqual(expect.arrayContaining([`Patient/${ada}`, `Patient/${bob}`, 'Condition/another', 'Condition/asthma', `Account/${budget}`]));
    expect(matches((await get('Group/empty/$everything')).body)).toEqual([]);
    expect(matches((await get('Group/both/$everything?_type=Condition&start=2026-01-01')).body).sort()).toEqual(['Condition/another', 'Condition/asthma', 'Condition/undated']);
    const paged: string[] = [];
    for (let url: string | undefined = 'Group/both/$everything?_count=2'; url !== undefined;) {
      const { status, body }: any = await get(url);
      expect([status, matches(body).length <= 2]).toEqual([200, true]);
      paged.push(...matches(body));
      url = body.link.find(({ relation }: any) => relation === 'next')?.url.slice(server.base.length + 1);
    }
    expect(paged).toEqual(both);
  });

  test('that is not there, or too large, is refused; a page link leads to no other group', async () => {
    expectRefusal(await get('Group/nobody/$everything'), 404, { code: 'not-found' });
    expectRefusal(await get('Group/$everything'), 404);
    await group('large', Array.from({ length: 1001 }, (_, index) => entity(`p${index}`)));
    expectRefusal(await get('Group/large/$everything'), 422, { code: 'too-costly' });
    const next = (await get('Group/both/$everything?_count=1')).body.link.find(({ relation }: any) => relation === 'next').url.slice(server.base.length + 1);
    expectRefusal(await get(next.replace('Group/both', 'Group/one')), 400);
  });

  test('shows a role no more than it sees', async () => {
    for (const token of [world.tokens.coordinator, world.tokens.commissioner, world.tokens.provider, server.tokens.supplier]) {
      const { status, body } = await get('Group/both/$everything?_count=1000', token);
      if (status === 200) expect(all(body)).not.toContain(`Patient/${world.patients.bob}`);
      else expect([403, 404]).toContain(status);
    }
  });
});
