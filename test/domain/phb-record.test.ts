// C32E11: a professional with a relationship sees the patient's record, and where the rest of it is; others don't (domain.md 2.1, rulings 21, 25, 30, 32).
import { expectRefusal } from '../api/refusal.js';
import { startServer, type Answer, type TestServer } from '../server.js';
import { budgetBody, makeWorld, planBody, put, teamBody, type World } from './world.js';

let server: TestServer;
let world: World;
beforeAll(async () => {
  server = await startServer();
  world = await makeWorld(server);
  const endpoint = await put(server, {
    resourceType: 'Endpoint', status: 'active', connectionType: { system: 'http://terminology.hl7.org/CodeSystem/endpoint-connection-type', code: 'hl7-fhir-rest' },
    payloadType: [{ text: 'GP record' }], address: 'https://practice.example/FHIR/R4',
  });
  const { body: practice } = await server.send('GET', `Organization/${world.organizations.practice}`, { token: server.tokens.admin });
  await put(server, { ...practice, endpoint: [{ reference: `Endpoint/${endpoint}` }] });
  await put(server, budgetBody({ patient: world.patients.ada, owner: world.organizations.icb }));
  await put(server, planBody(world.patients.ada));
});
afterAll(() => server.close());

const get = (path: string, token: string, headers: Record<string, string> = {}): Promise<Answer> => server.send('GET', path, { token, headers });
const types = (bundle: any): string[] => [...new Set<string>((bundle.entry ?? []).map(({ resource }: any) => resource.resourceType))];
const everything = (patient: string): string => `Patient/${patient}/$everything?_count=500`;

test('a care coordinator with a relationship reads the patient, the practice, and all that is held', async () => {
  const patient = await get(`Patient/${world.patients.ada}`, world.tokens.coordinator);
  expect([patient.status, patient.body.generalPractitioner]).toEqual([200, [{ reference: `Organization/${world.organizations.practice}` }]]);
  const { status, body } = await get(everything(world.patients.ada), world.tokens.coordinator);
  expect(status).toBe(200);
  expect(types(body)).toEqual(expect.arrayContaining(['Patient', 'Account', 'CarePlan', 'Coverage', 'Organization']));
});

test('the record elsewhere is found by the Endpoint of the practice', async () => {
  const { body } = await get(everything(world.patients.ada), world.tokens.coordinator);
  const [endpoint] = body.entry.filter(({ resource }: any) => resource.resourceType === 'Endpoint');
  expect(endpoint).toMatchObject({ search: { mode: 'include' }, resource: { address: 'https://practice.example/FHIR/R4' } });
});

test('each look at it is on record, with the purpose of care', async () => {
  const trace = crypto.randomUUID();
  await get(everything(world.patients.ada), world.tokens.coordinator, { 'x-correlation-id': trace });
  const deadline = Date.now() + 5000;
  for (;;) {
    const { body } = await get(`AuditEvent?patient=Patient/${world.patients.ada}&_count=50`, server.tokens.admin);
    const [event] = (body.entry ?? []).map(({ resource }: any) => resource).filter((one: any) => JSON.stringify(one).includes(trace));
    if (event) {
      expect(event.action).toBe('E');
      expect(JSON.stringify(event.purposeOfEvent ?? event.agent[0].purposeOfUse)).toContain('TREAT');
      return;
    }
    if (Date.now() > deadline) throw new Error('the access was not recorded');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

test('without a relationship it is refused, with the offer to break the glass, whether the patient is there or not', async () => {
  for (const path of [`Patient/${world.patients.bob}`, everything(world.patients.bob), 'Patient/nobody', everything('nobody')]) {
    const answer = await get(path, world.tokens.coordinator);
    expectRefusal(answer, 403, { code: 'forbidden', text: /X-Break-Glass-Reason/ });
    expect(answer.body.issue[0].details.coding[0].code).toBe('NO_RELATIONSHIP');
  }
  const glass = await get(`Patient/${world.patients.bob}`, world.tokens.coordinator, { 'x-break-glass-reason': 'unconscious in the emergency department' });
  expect(glass.status).toBe(200);
});

test('a provider sees no record, and a commissioner who the patient is and no more', async () => {
  for (const path of [`Patient/${world.patients.ada}`, everything(world.patients.ada)]) expectRefusal(await get(path, world.tokens.provider), 403, { code: 'forbidden' });
  expectRefusal(await get(everything(world.patients.ada), world.tokens.commissioner), 403, { code: 'forbidden' });
  const { status, body } = await get(`Patient/${world.patients.ada}`, world.tokens.commissioner);
  expect(status).toBe(200);
  expect(Object.keys(body).sort()).toEqual(['birthDate', 'gender', 'generalPractitioner', 'id', 'identifier', 'managingOrganization', 'meta', 'name', 'resourceType']);
  expect(body.meta.tag).toEqual([expect.objectContaining({ code: 'SUBSETTED' })]);
});

test('where a restricted patient is to be found is left out, also of everything', async () => {
  await put(server, teamBody(world.patients.eve, [`PractitionerRole/${world.roles.coordinator}`]));
  for (const answer of [await get(`Patient/${world.patients.eve}`, world.tokens.coordinator), await get(everything(world.patients.eve), world.tokens.coordinator)]) {
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('Sampleeve');
    expect(answer.text).not.toContain('City of eve');
    expect(answer.text).not.toContain('0113 496 0001');
  }
});
