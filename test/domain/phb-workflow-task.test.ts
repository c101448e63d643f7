// C32E12: a task for the patient's practice, from who asks to who answers (domain.md 2.1, rulings 31 and 63).
import { expectRefusal } from '../api/refusal.js';
import { startServer, type Answer, type TestServer } from '../server.js';
import { BASE } from './people.js';
import { budgetBody, coded, makeWorld, ODS, put, teamBody, type World } from './world.js';

let server: TestServer;
let world: World;
let budget: string;
beforeAll(async () => {
  server = await startServer();
  world = await makeWorld(server);
  budget = await put(server, budgetBody({ patient: world.patients.ada, owner: world.organizations.icb }));
});
afterAll(() => server.close());

const taskBody = (rest: object = {}): any => ({
  resourceType: 'Task', meta: { profile: [`${BASE}/StructureDefinition/phb-workflow-task`] }, status: 'requested', intent: 'order', code: coded('task-code', 'request-clinical-information'),
  for: { reference: `Patient/${world.patients.ada}` }, focus: { reference: `Account/${budget}` }, requester: { reference: `PractitionerRole/${world.roles.coordinator}` },
  owner: { reference: `Organization/${world.organizations.practice}` }, input: [{ type: { text: 'question' }, valueString: 'Which inhalers are prescribed?' }], ...rest,
});
const create = (rest: object = {}, token = world.tokens.coordinator): Promise<Answer> => server.send('POST', 'Task', { token, body: taskBody(rest) });
async function created(rest: object = {}): Promise<any> {
  const { status, body, text } = await create(rest);
  if (status !== 201) throw new Error(text);
  return body;
}
const change = (task: any, rest: object, token = world.tokens.practice): Promise<Answer> => server.send('PUT', `Task/${task.id}`, { token, body: { ...task, ...rest } });
async function moved(task: any, ...states: string[]): Promise<any> {
  let current = task;
  for (const status of states) {
    const answer = await change(current, { status });
    if (answer.status !== 200) throw new Error(`${status}: ${answer.text}`);
    current = answer.body;
  }
  return current;
}

test('a care coordinator asks, the practice finds it in its list, and answers', async () => {
  const answer = await create();
  expect([answer.status, answer.body.status]).toEqual([201, 'requested']);
  const { body: list } = await server.send('GET', `Task?owner=Organization/${world.organizations.practice}&status=requested`, { token: world.tokens.practice });
  expect(list.entry.map(({ resource }: any) => resource.id)).toContain(answer.body.id);
  const accepted = await moved(answer.body, 'accepted');
  const done = await change(accepted, { status: 'completed', output: [{ type: { text: 'answer' }, valueString: 'Salbutamol' }] });
  expect([done.status, done.body.status, done.body.output[0].valueString]).toEqual([200, 'completed', 'Salbutamol']);
  const seen = await server.send('GET', `Task/${answer.body.id}`, { token: world.tokens.coordinator });
  expect(seen.body.status).toBe('completed');
});

test('every state may be followed by those that were agreed, and by no other', async () => {
  const next: Record<string, string[]> = { requested: ['accepted', 'rejected', 'cancelled'], accepted: ['in-progress', 'completed', 'cancelled'], 'in-progress': ['completed', 'failed', 'on-hold'], 'on-hold': ['in-progress', 'cancelled'] };
  const way: Record<string, string[]> = { requested: [], accepted: ['accepted'], 'in-progress': ['accepted', 'in-progress'], 'on-hold': ['accepted', 'in-progress', 'on-hold'], completed: ['accepted', 'completed'], rejected: ['rejected'], cancelled: ['cancelled'] };
  const all = ['draft', 'requested', 'received', 'accepted', 'rejected', 'ready', 'cancelled', 'in-progress', 'on-hold', 'failed', 'completed', 'entered-in-error'];
  for (const [from, steps] of Object.entries(way)) {
    const task = await moved(await created(), ...steps);
    for (const to of all.filter((state) => state !== from && !(next[from] ?? []).includes(state))) {
      const answer = await change(task, { status: to });
      expectRefusal(answer, 422, { code: 'business-rule', expression: 'Task.status' });
      expect(answer.text).toContain((next[from] ?? ['stays so'])[0]);
    }
    for (const to of next[from] ?? []) expect((await change(await moved(await created(), ...steps), { status: to })).status).toBe(200);
  }
});

test('a PATCH moves by the same rule', async () => {
  const task = await created();
  const patch = (value: string) => server.send('PATCH', `Task/${task.id}`, { token: world.tokens.practice, body: JSON.stringify([{ op: 'replace', path: '/status', value }]), headers: { 'content-type': 'application/json-patch+json' } });
  expectRefusal(await patch('completed'), 422, { code: 'business-rule' });
  expect((await patch('accepted')).status).toBe(200);
});

test('only the practice of the patient is asked', async () => {
  expectRefusal(await create({ owner: { reference: `Organization/${world.organizations.otherPractice}` } }), 422, { code: 'business-rule', expression: 'Task.owner' });
  expectRefusal(await create({ owner: { reference: `Organization/${world.organizations.icb}` } }), 422, { code: 'business-rule', expression: 'Task.owner' });
  expectRefusal(await create({ owner: { reference: 'Organization/nobody' } }), 422, { code: 'not-found' });
});

const byCode = (value: string): object => ({ type: 'Organization', identifier: { system: ODS, value } });

test('the practice may be named by its ODS code', async () => {
  const { status, body } = await create({ owner: byCode('Y02494') });
  expect([status, body.owner]).toEqual([201, { reference: `Organization/${world.organizations.practice}`, ...byCode('Y02494') }]);
  const { body: list } = await server.send('GET', `Task?owner=Organization/${world.organizations.practice}&status=requested&_count=1000`, { token: world.tokens.practice });
  expect(list.entry.map(({ resource }: any) => resource.id)).toContain(body.id);
  const accepted = await change({ ...body, owner: byCode('Y02494') }, { status: 'accepted' });
  expect([accepted.status, accepted.text]).toEqual([200, expect.stringContaining('accepted')]);
  expectRefusal(await create({ owner: byCode('Y00001') }), 422, { code: 'business-rule', expression: 'Task.owner' });
  expectRefusal(await create({ owner: byCode('NOBODY') }), 422, { code: 'not-found', expression: 'Task.owner' });
});

test('a patient registered by the code of the practice is that practice\'s, also in one transaction with it', async () => {
  const organization = { resourceType: 'Organization', identifier: [{ system: ODS, value: 'Y77777' }], active: true, type: [coded('organization-role', 'gp-practice')], name: 'New practice' };
  const patient = { resourceType: 'Patient', birthDate: '1950-01-01', generalPractitioner: [byCode('Y77777')], managingOrganization: byCode('QWE') };
  const entry = [patient, organization].map((resource) => ({ resource, request: { method: 'POST', url: resource.resourceType } }));
  const { body: made } = await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type: 'transaction', entry } });
  const [patientId, practiceId] = made.entry.map(({ response }: any) => /([^/]+)\/_history/.exec(response.location)?.[1]);
  const seen = await server.send('GET', `Patient/${patientId}`, { token: await server.token('practice', { organization: 'Y77777' }) });
  expect([seen.status, seen.body.generalPractitioner]).toEqual([200, [{ reference: `Organization/${practiceId}`, ...byCode('Y77777') }]]);
  expect((await server.send('GET', `Patient/${patientId}`, { token: world.tokens.commissioner })).status).toBe(200);
  expect((await server.send('GET', `Patient/${patientId}`, { token: world.tokens.practice })).status).toBe(404);
  await put(server, teamBody(patientId, [`PractitionerRole/${world.roles.coordinator}`]));
  expect((await create({ for: { reference: `Patient/${patientId}` }, focus: undefined, owner: byCode('Y77777') })).status).toBe(201);
});

test('a code that nobody here has, or several have, stays as it was sent', async () => {
  for (let index = 0; index < 2; index += 1) await put(server, { resourceType: 'Organization', identifier: [{ system: ODS, value: 'Y88888' }], name: 'Twice' });
  expectRefusal(await server.send('POST', 'Patient', { token: server.tokens.admin, body: { resourceType: 'Patient', generalPractitioner: ['x', byCode('Y02494')] } }), 400, { code: 'structure', text: /'x'/ });
  for (const code of ['Y88888', 'Y99999']) {
    const { body } = await server.send('POST', 'Patient', { token: server.tokens.admin, body: { resourceType: 'Patient', generalPractitioner: [byCode(code)] } });
    expect(body.generalPractitioner).toEqual([byCode(code)]);
  }
});

test('another practice sees nothing, and other roles may not ask', async () => {
  const task = await created();
  expectRefusal(await server.send('GET', `Task/${task.id}`, { token: world.tokens.otherPractice }), 404, { code: 'not-found' });
  expectRefusal(await change(task, { status: 'accepted' }, world.tokens.otherPractice), 404, { code: 'not-found' });
  for (const token of [world.tokens.ada, world.tokens.provider, world.tokens.practice, server.tokens.ovm]) expectRefusal(await create({}, token), 403, { code: 'forbidden' });
});

test('what is asked stays, and a practice changes nothing but its answer', async () => {
  const task = await created();
  for (const rest of [{ code: coded('task-code', 'confirm-medical-history') }, { for: { reference: `Patient/${world.patients.bob}` } }, { focus: undefined }]) {
    const answer = await change(task, rest, world.tokens.admin);
    expectRefusal(answer, 422, { code: 'business-rule' });
    expect(answer.body.issue[0].details.coding[0].code).toBe('FORBIDDEN_UPDATE');
  }
  expectRefusal(await change(task, { input: [{ type: { text: 'question' }, valueString: 'Another' }] }), 422, { code: 'business-rule', expression: 'Task.input' });
});

test('a task begins as requested, is about one patient, and is not deleted', async () => {
  expectRefusal(await create({ status: 'completed' }), 422, { code: 'business-rule', expression: 'Task.status' });
  const bobs = await put(server, budgetBody({ patient: world.patients.bob, owner: world.organizations.otherIcb }));
  expectRefusal(await create({ focus: { reference: `Account/${bobs}` } }, world.tokens.admin), 422, { code: 'business-rule', expression: 'Task.focus' });
  const task = await created();
  expectRefusal(await server.send('DELETE', `Task/${task.id}`, { token: world.tokens.admin }), 422, { code: 'business-rule' });
});

test('reviews and proposals come from their operations only', async () => {
  for (const code of ['budget-review', 'budget-request']) expectRefusal(await create({ code: coded('task-code', code) }, world.tokens.admin), 422, { code: 'business-rule', text: /\$review|operation/ });
});

test('a code that is none of the workflow\'s is refused, whoever is to answer', async () => {
  for (const owner of ['practice', 'icb'] as const) {
    expectRefusal(await create({ meta: undefined, code: coded('task-code', 'no-such-task'), owner: { reference: `Organization/${world.organizations[owner]}` } }), 422, { code: 'code-invalid', text: /no-such-task/, expression: 'Task.code' });
  }
});

test('a request for an exception goes to who pays', async () => {
  const icb = { reference: `Organization/${world.organizations.icb}` };
  expect((await create({ code: coded('task-code', 'exceptional-request'), owner: icb })).status).toBe(201);
  expectRefusal(await create({ code: coded('task-code', 'exceptional-request') }), 422, { code: 'business-rule', expression: 'Task.owner' });
});
