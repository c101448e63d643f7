// What the matrix's letters do not say: withdrawn permission, broken glass, what is shown of a patient, proposals, and first relationships.
import { NHS, STATUS_EXTENSION, assessed } from '../domain/people.js';
import { budgetBody, makeWorld, neighbour, openBudget, planBody, put, purchaseBody, teamBody, type World } from '../domain/world.js';
import { startServer, type Answer, type TestServer } from '../server.js';

let server: TestServer;
let world: World;
const SUBSETTED = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' };

beforeAll(async () => {
  server = await startServer();
  world = await makeWorld(server);
  await assessed(server, world.patients.ada, 'F', '2026-05-10');
  await server.seed([
    { ...budgetBody({ patient: world.patients.ada, owner: world.organizations.icb, rest: { id: 'ada' } }) },
    { ...budgetBody({ patient: world.patients.bob, owner: world.organizations.otherIcb, rest: { id: 'bob' } }) },
    { ...purchaseBody({ patient: world.patients.ada, budget: 'ada', provider: world.organizations.provider, recordedBy: `Patient/${world.patients.ada}`, rest: { id: 'ada' } }) },
  ]);
});
afterAll(() => server.close());

const as = (bearer: keyof World['tokens'] | 'ovm', method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  server.send(method, path, { token: bearer === 'ovm' ? server.tokens.ovm : world.tokens[bearer], body, headers });
const entries = ({ body }: Answer): any[] => (body.entry ?? []).map((entry: any) => entry.resource);
const codeOf = (answer: Answer): string | undefined => answer.body.issue?.[0]?.details?.coding?.[0]?.code;

/** Every road on which a Patient comes out, each giving the resource. */
const roads: readonly (readonly [string, (bearer: keyof World['tokens'] | 'ovm', id: string) => Promise<any>])[] = [
  ['read', async (bearer, id) => (await as(bearer, 'GET', `Patient/${id}`)).body],
  ['vread', async (bearer, id) => (await as(bearer, 'GET', `Patient/${id}/_history/2`)).body],
  ['history', async (bearer, id) => entries(await as(bearer, 'GET', `Patient/${id}/_history`))[0]],
  ['batch', async (bearer, id) => (await as(bearer, 'POST', '', { resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url: `Patient/${id}` } }] })).body.entry[0].resource],
  ['transaction', async (bearer, id) => (await as(bearer, 'POST', '', { resourceType: 'Bundle', type: 'transaction', entry: [{ request: { method: 'GET', url: `Patient/${id}` } }] })).body.entry[0].resource],
  ['search', async (bearer, id) => entries(await as(bearer, 'GET', `Patient?_id=${id}`))[0]],
  ['include', async (bearer, id) => entries(await as(bearer, 'GET', 'Account?_id=ada&_include=Account:subject')).find((one) => one.id === id)],
];

describe.each(roads)('a Patient by %s', (road, ask) => {
  const searches = road === 'search';

  test.each(['ada', 'coordinator', 'manager', 'broker', 'practice'] as const)('has no chargeable status for %s', async (bearer) => {
    if ((searches && (bearer === 'ada' || bearer === 'practice')) || (road === 'include' && bearer === 'practice')) return;
    const patient = await ask(bearer, world.patients.ada);
    expect(JSON.stringify(patient)).not.toContain(STATUS_EXTENSION);
    expect(patient.meta.tag).toEqual([SUBSETTED]);
    expect(patient.address[0].city).toBe('City of ada');
  });

  test.each(['nominee', 'commissioner'] as const)('is masked for %s', async (bearer) => {
    if (bearer === 'nominee') {
      await server.seed([{ ...budgetBody({ patient: world.patients.ada, owner: world.organizations.icb, managers: [nominated()], rest: { id: 'ada' } }) }]);
      if (searches) return;
    }
    const patient = await ask(bearer, world.patients.ada);
    expect(Object.keys(patient).sort()).toEqual(['birthDate', 'gender', 'generalPractitioner', 'id', 'identifier', 'managingOrganization', 'meta', 'name', 'resourceType']);
    expect(patient.identifier).toEqual([{ system: NHS, value: world.nhsNumbers.ada }]);
    expect(patient.meta.tag).toEqual([SUBSETTED]);
  });

  test('is whole for an OVM, with the status', async () => {
    if (road === 'include') return;
    expect(JSON.stringify(await ask('ovm', world.patients.ada))).toContain(STATUS_EXTENSION);
  });
});

const nominated = (): object => ({
  url: 'https://fhir.entitle.example/StructureDefinition/ext-budget-manager',
  extension: [
    { url: 'party', valueReference: { reference: `RelatedPerson/${world.related.nominee}` } }, { url: 'role', valueCode: 'nominee' }, { url: 'state', valueCode: 'approved' },
    { url: 'period', valuePeriod: { start: '2020-01-01' } },
  ],
});

describe('a bulk export', () => {
  /** The resources of all files, as the caller is given them. */
  async function exported(token: string, path: string): Promise<{ resources: any[]; again: () => Promise<any[]> }> {
    const ask = (url: string): Promise<Answer> => server.send('GET', url, { token, headers: { prefer: 'respond-async', accept: '*/*' } });
    const job = (await ask(path)).headers['content-location']?.slice(server.base.length + 1) ?? '';
    let answer = await ask(job);
    for (; answer.status === 202; answer = await ask(job)) await new Promise((resolve) => setTimeout(resolve, 20));
    const again = async (): Promise<any[]> => {
      const files = await Promise.all(answer.body.output.map(({ url }: any) => ask(url.slice(server.base.length + 1))));
      return files.flatMap(({ text }) => text.split('\n').filter((line: string) => line !== '').map((line: string) => JSON.parse(line)));
    };
    return { resources: await again(), again };
  }
  const idsOf = (resources: readonly any[], type: string): string[] => resources.filter(({ resourceType }) => resourceType === type).map(({ id }) => id).sort();

  test.each([['commissioner', ['ada', 'eve']], ['otherCommissioner', ['bob']]] as const)('has the rows of a %s, each as the role sees it', async (bearer, names) => {
    const { resources } = await exported(world.tokens[bearer], '$export');
    expect(idsOf(resources, 'Patient')).toEqual(names.map((name) => world.patients[name]).sort());
    for (const found of resources) {
      const read = await as(bearer, 'GET', `${found.resourceType}/${found.id}`);
      expect([found.resourceType, found.id, read.status, read.body]).toEqual([found.resourceType, found.id, 200, found]);
    }
    const patients = JSON.stringify(resources.filter(({ resourceType }) => resourceType === 'Patient'));
    for (const hidden of [STATUS_EXTENSION, 'City of ada']) expect(patients.includes(hidden)).toBe(false);
  });

  test('of all patients or a Group reaches no further', async () => {
    const everybody = Object.values(world.patients).map((id) => ({ entity: { reference: `Patient/${id}` } }));
    await server.seed([{ resourceType: 'Group', id: 'all', type: 'person', actual: true, managingEntity: { reference: `Organization/${world.organizations.icb}` }, code: { text: 'x' }, member: everybody }]);
    const whole = await exported(world.tokens.commissioner, 'Patient/$export?_type=Patient,Account');
    expect([idsOf(whole.resources, 'Patient'), idsOf(whole.resources, 'Account')]).toEqual([[world.patients.ada, world.patients.eve].sort(), ['ada']]);
    const asAdmin = await exported(server.tokens.admin, 'Group/all/$export?_type=Patient');
    expect(idsOf(asAdmin.resources, 'Patient')).toEqual(Object.values(world.patients).sort());
  });

  test('gives nothing that its caller has lost by the time of the download', async () => {
    const { resources, again } = await exported(world.tokens.commissioner, '$export?_type=Account');
    expect(idsOf(resources, 'Account')).toEqual(['ada']);
    const { body: account } = await server.send('GET', 'Account/ada', { token: server.tokens.admin });
    await server.seed([{ ...account, owner: { reference: `Organization/${world.organizations.otherIcb}` } }]);
    expect(idsOf(await again(), 'Account')).toEqual([]);
    await server.seed([account]);
    expect(idsOf(await again(), 'Account')).toEqual(['ada']);
  });

  test.each(['ada', 'nominee', 'coordinator', 'manager', 'broker', 'practice', 'provider', 'isf', 'ovm'] as const)('is not for %s', async (bearer) => {
    for (const path of ['$export', 'Patient/$export', 'Group/all/$export']) expect((await as(bearer, 'GET', path, undefined, { prefer: 'respond-async' })).status).toBe(403);
  });
});

describe('what a view hides can not be asked for', () => {
  test.each([
    ['coordinator', 'Patient?chargeable-basic=Y'], ['coordinator', 'Patient?chargeable-category:missing=false'], ['coordinator', 'Patient?_sort=chargeable-updated'], ['coordinator', 'Account?subject:Patient.chargeable-basic=Y'],
    ['commissioner', 'Patient?address=City'], ['commissioner', 'Patient?address-city=City'], ['commissioner', 'Patient?telecom=0113'], ['commissioner', 'Patient?_sort=address'], ['commissioner', 'Account?subject:Patient.address=City'],
    ['commissioner', 'Patient?_include=Patient:link'], ['commissioner', 'Patient?_has:Account:subject:subject:Patient.address=City'], ['commissioner', 'Patient?identifier=urn:local|local-ada'], ['commissioner', 'Patient?identifier=local-ada'],
    ['commissioner', 'Account?subject:Patient.identifier=urn:local|local-ada'], ['commissioner', 'Patient?identifier:not=urn:local|local-ada'],
  ] as const)('%s: %s', async (bearer, query) => {
    const answer = await as(bearer, 'GET', query);
    expect([answer.status, answer.body.entry]).toEqual([403, undefined]);
  });

  test('what is shown can be', async () => {
    expect(entries(await as('commissioner', 'GET', `Patient?identifier=${NHS}|${world.nhsNumbers.ada}`))).toHaveLength(1);
    expect(entries(await as('commissioner', 'GET', 'Patient?family=Sampleada&birthdate=1980-02-29&_sort=family'))).toHaveLength(1);
    expect(entries(await as('coordinator', 'GET', 'Patient?address-city=City'))).toHaveLength(1);
    expect(entries(await as('ovm', 'GET', 'Patient?chargeable-basic=Y'))).toHaveLength(1);
  });
});

describe('entitlement and budgets are kept apart', () => {
  test('a care coordinator checks entitlement only with the scope for it, and only of those with a relationship', async () => {
    const scoped = await server.token('care-coordinator', { practitionerRole: world.roles.coordinator, organization: 'QWE', scope: 'B0259' });
    const ask = (token: string, id: string): Promise<Answer> => server.send('GET', `Patient/${id}/$chargeable-status`, { token });
    expect((await ask(scoped, world.patients.ada)).status).toBe(200);
    expect(JSON.stringify((await server.send('GET', `Patient/${world.patients.ada}`, { token: scoped })).body)).toContain(STATUS_EXTENSION);
    expect([(await ask(scoped, world.patients.bob)).status, codeOf(await ask(scoped, world.patients.bob))]).toEqual([403, 'NO_RELATIONSHIP']);
    expect((await server.send('GET', `Patient/$chargeable-status?identifier=${NHS}|${world.nhsNumbers.bob}`, { token: scoped })).status).toBe(403);
    expect((await ask(world.tokens.coordinator, world.patients.ada)).status).toBe(403);
    // The surface for suppliers knows no relationships.
    expect(entries(await server.send('GET', `Observation?subject:Patient.identifier=${NHS}|${world.nhsNumbers.bob}&code=https://fhir.nhs.uk/fhir-observation-code-1|0001`, { token: scoped }))).toEqual([]);
  });

  test.each(['ada', 'manager', 'commissioner', 'provider', 'isf', 'practice', 'broker', 'nominee'] as const)('%s may not ask who is chargeable', async (bearer) => {
    expect((await as(bearer, 'GET', `Patient/${world.patients.ada}/$chargeable-status`)).status).toBe(403);
    const surface = await as(bearer, 'GET', `Observation?subject:Patient.identifier=${NHS}|${world.nhsNumbers.ada}&code=https://fhir.nhs.uk/fhir-observation-code-1|0001`);
    expect([surface.status, entries(surface)]).toEqual([surface.status === 200 ? 200 : 403, []]);
  });
});

describe('a restricted patient', () => {
  test.each(['commissioner', 'practice', 'ovm'] as const)('shows %s no place', async (bearer) => {
    const { body } = await as(bearer, 'GET', `Patient/${world.patients.eve}`);
    expect(body.id).toBe(world.patients.eve);
    for (const member of ['address', 'telecom', 'generalPractitioner', 'managingOrganization', 'contact']) expect(body).not.toHaveProperty(member);
    expect(body.meta.tag).toEqual([SUBSETTED]);
  });

  test('can not be found by a place', async () => {
    expect(entries(await as('ovm', 'GET', 'Patient?address-city=City&_id=' + world.patients.eve))).toEqual([]);
    expect(entries(await as('ovm', 'GET', `Patient?general-practitioner=Organization/${world.organizations.practice}`)).map(({ id }) => id)).toEqual([world.patients.ada]);
    expect(entries(await as('ovm', 'GET', 'Patient?address-city=City')).map(({ id }) => id).sort()).toEqual([world.patients.ada, world.patients.bob].sort());
  });
});

describe('breaking the glass', () => {
  const REASON = 'Unconscious in A&E, no next of kin';
  const glass = { 'x-break-glass-reason': REASON };
  const tasks = async (): Promise<any[]> => entries(await server.send('GET', 'Task?code=https://fhir.entitle.example/CodeSystem/access-task|break-glass', { token: server.tokens.admin }));

  test('lets one request through, and leaves a Task to the patient\'s commissioner', async () => {
    const { ada, bob } = world.patients;
    expect([(await as('stranger', 'GET', `Patient/${bob}`)).status, codeOf(await as('stranger', 'GET', `Patient/${bob}`))]).toEqual([403, 'NO_RELATIONSHIP']);
    const before = (await tasks()).length;
    expect((await as('stranger', 'GET', `Patient/${bob}`, undefined, glass)).status).toBe(200);
    expect((await as('stranger', 'GET', 'Account/ada', undefined, glass)).status).toBe(200);
    const made = (await tasks()).slice();
    expect(made).toHaveLength(before + 2);
    const ofBob = made.find((task) => task.for.reference === `Patient/${bob}`);
    expect(ofBob).toMatchObject({ owner: { reference: `Organization/${world.organizations.otherIcb}` }, requester: { reference: `PractitionerRole/${world.roles.stranger}` } });
    expect(ofBob.description).toContain(REASON);
    expect(made.find((task) => task.for.reference === `Patient/${ada}`).owner.reference).toBe(`Organization/${world.organizations.icb}`);
    expect((await as('otherCommissioner', 'GET', `Task/${ofBob.id}`)).status).toBe(200);
    expect((await as('commissioner', 'GET', `Task/${ofBob.id}`)).status).toBe(404);
    expect((await as('stranger', 'GET', `Patient/${bob}`)).status).toBe(403);
  });

  test('leaves a Task also where the answer names nobody: a balance, a statement, a payment', async () => {
    const patient = await neighbour(server, world, { id: 'glassy' });
    const { id } = await openBudget(server, world, { patient });
    const bought = await server.send('POST', 'Claim', { token: server.tokens.admin, body: purchaseBody({ patient, budget: id, provider: world.organizations.provider, recordedBy: `Patient/${patient}` }) });
    const paying = { resourceType: 'Parameters', parameter: [{ name: 'amount', valueMoney: { value: 1, currency: 'GBP' } }] };
    for (const [method, path, body] of [['GET', `Account/${id}/$balance`], ['GET', `Account/${id}/$balance?byAllocation=true`], ['GET', `Account/${id}/$statement`], ['POST', `Claim/${bought.body.id}/$pay`, paying]] as const) {
      const before = (await tasks()).length;
      expect([path, (await as('stranger', method, path, body, glass)).status]).toEqual([path, 200]);
      const made = (await tasks()).filter((task) => task.for.reference === `Patient/${patient}`);
      expect([path, (await tasks()).length - before, made.length > 0]).toEqual([path, 1, true]);
    }
    const before = (await tasks()).length;
    expect((await as('stranger', 'GET', `Account/${id}/$statement`, undefined, { ...glass, accept: 'text/csv' })).status).toBe(200);
    const [notice] = entries(await as('stranger', 'GET', `PaymentNotice?budget=Account/${id}`, undefined, glass));
    expect((await as('stranger', 'GET', `PaymentNotice/${notice.id}`, undefined, glass)).status).toBe(200);
    expect((await tasks()).length - before).toBe(3);
  });

  test('of payments too, for one patient at a time', async () => {
    const paid = async (id: string): Promise<void> => {
      const patient = await neighbour(server, world, { id });
      const budget = await openBudget(server, world, { patient });
      const bought = await server.send('POST', 'Claim', { token: server.tokens.admin, body: purchaseBody({ patient, budget: budget.id, provider: world.organizations.provider, recordedBy: `Patient/${patient}` }) });
      const paying = { resourceType: 'Parameters', parameter: [{ name: 'amount', valueMoney: { value: 1, currency: 'GBP' } }] };
      expect((await server.send('POST', `Claim/${bought.body.id}/$pay`, { token: server.tokens.admin, body: paying })).status).toBe(200);
    };
    for (const id of ['glass-one', 'glass-two']) await paid(id);
    for (const type of ['PaymentNotice', 'PaymentReconciliation']) expect([type, (await as('stranger', 'GET', type, undefined, glass)).status]).toEqual([type, 403]);
  });

  test('shows no more than a relationship would', async () => {
    expect(JSON.stringify((await as('stranger', 'GET', `Patient/${world.patients.ada}`, undefined, glass)).body)).not.toContain(STATUS_EXTENSION);
    expect((await as('stranger', 'GET', `AuditEvent`, undefined, glass)).status).toBe(403);
  });

  test.each([
    ['stranger', { 'x-break-glass-reason': 'urgent' }, 400], ['stranger', { 'x-break-glass-reason': '              x' }, 400], ['manager', glass, 403], ['broker', glass, 403], ['ada', glass, 403],
  ] as const)('%s with %j: %d', async (bearer, headers, status) => {
    expect((await as(bearer, 'GET', `Patient/${world.patients.bob}`, undefined, headers)).status).toBe(status);
  });

  test('is refused in a Bundle, and for several patients at once', async () => {
    expect((await as('stranger', 'POST', '', { resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url: `Patient/${world.patients.bob}` } }] }, glass)).status).toBe(403);
    expect((await as('stranger', 'GET', 'Patient?family=Sample', undefined, glass)).status).toBe(403);
  });
});

describe('a write', () => {
  test('can not make its own relationship', async () => {
    const before = (await as('stranger', 'GET', `Patient/${world.patients.bob}`)).status;
    const team = await as('stranger', 'POST', 'CareTeam', teamBody(world.patients.bob, [`PractitionerRole/${world.roles.stranger}`]));
    expect([team.status, codeOf(team)]).toEqual([403, 'NO_RELATIONSHIP']);
    const nobody = await as('stranger', 'POST', 'CareTeam', teamBody('nobody', [`PractitionerRole/${world.roles.stranger}`]));
    expect(nobody.body.issue[0].details.text.replace('nobody', 'X')).toBe(team.body.issue[0].details.text.replace(world.patients.bob, 'X'));
    expect((await as('coordinator', 'POST', 'CarePlan', planBody(world.patients.bob, [`CareTeam/${world.team}`]))).status).toBe(403);
    expect((await as('manager', 'POST', 'Account', budgetBody({ patient: world.patients.bob, owner: world.organizations.icb }))).status).toBe(422);
    expect((await as('stranger', 'GET', `Patient/${world.patients.bob}`)).status).toBe(before);
  });

  test('naming somebody else\'s budget is answered as one that names none', async () => {
    const buy = (budget: string): Promise<Answer> => as('ada', 'POST', 'Claim', purchaseBody({ patient: world.patients.ada, budget, provider: world.organizations.provider, recordedBy: `Patient/${world.patients.ada}` }));
    const [others, nobodys] = [await buy('bob'), await buy('none')];
    expect([others.status, others.body.issue[0].code]).toEqual([422, 'not-found']);
    expect(others.body.issue[0].details.text.replace('bob', 'X')).toBe(nobodys.body.issue[0].details.text.replace('none', 'X'));
  });

  test('can not move a row out of sight, nor take one over', async () => {
    const task = await put(server, { resourceType: 'Task', status: 'requested', intent: 'order', for: { reference: `Patient/${world.patients.ada}` }, owner: { reference: `Organization/${world.organizations.practice}` } });
    const { body } = await as('practice', 'GET', `Task/${task}`);
    const moved = { ...body, owner: { reference: `Organization/${world.organizations.otherPractice}` } };
    expect((await as('practice', 'PUT', `Task/${task}`, moved)).status).toBe(403);
    expect((await as('otherPractice', 'PUT', `Task/${task}`, moved)).status).toBe(404);
    expect((await as('practice', 'PUT', `Task/${task}`, { ...body, status: 'accepted' })).status).toBe(200);
  });

  test('of a file is its sender\'s own until it is cited', async () => {
    const { body } = await as('ada', 'POST', 'Binary', { resourceType: 'Binary', contentType: 'application/pdf', data: 'JVBE' }, { prefer: 'return=representation' });
    expect(body.securityContext).toEqual({ reference: `Patient/${world.patients.ada}` });
    expect((await as('ada', 'GET', `Binary/${body.id}`)).status).toBe(200);
    for (const bearer of ['bob', 'nominee'] as const) expect((await as(bearer, 'GET', `Binary/${body.id}`)).status).toBe(404);
    expect((await as('ada', 'POST', 'Binary', { resourceType: 'Binary', contentType: 'application/pdf', data: 'JVBE', securityContext: { reference: `Patient/${world.patients.bob}` } })).status).toBe(422);
  });
});

describe('a third party', () => {
  beforeAll(() => server.seed([{
    ...budgetBody({
      patient: world.patients.ada, owner: world.organizations.icb, managers: [nominated()], plans: ['CarePlan/x'],
      lines: [{ model: 'notional', amount: 1, lineId: 'a' }, { model: 'third-party', amount: 2.50, lineId: 'b', holder: `Organization/${world.organizations.isf}` }, { model: 'third-party', amount: 3, lineId: 'c', holder: `Organization/${world.organizations.otherIsf}` }],
      rest: { id: 'shared' },
    }),
  }]));

  const roadsOfAccounts: readonly (readonly [string, () => Promise<any>])[] = [
    ['read', async () => (await as('isf', 'GET', 'Account/shared')).body],
    ['vread', async () => (await as('isf', 'GET', 'Account/shared/_history/1')).body],
    ['history', async () => entries(await as('isf', 'GET', 'Account/shared/_history'))[0]],
    ['search', async () => entries(await as('isf', 'GET', 'Account?_id=shared'))[0]],
    ['transaction', async () => (await as('isf', 'POST', '', { resourceType: 'Bundle', type: 'transaction', entry: [{ request: { method: 'GET', url: 'Account/shared' } }] })).body.entry[0].resource],
  ];
  test.each(roadsOfAccounts)('sees its own lines of a budget by %s', async (_road, ask) => {
    const account = await ask();
    expect(Object.keys(account).sort()).toEqual(['extension', 'id', 'meta', 'name', 'owner', 'resourceType', 'servicePeriod', 'status', 'subject', 'type']);
    expect(account.extension).toHaveLength(1);
    expect(JSON.stringify(account.extension)).toContain('"valueId":"b"');
    expect(account.meta.tag).toEqual([SUBSETTED]);
  });

  test.each(['manager=RelatedPerson/x', 'careplan=CarePlan/x', 'line-holder=Organization/x', 'held-line=x', '_include=Account:careplan', 'partof=Account/x'])('may not ask by %s', async (query) => {
    expect((await as('isf', 'GET', `Account?${query}`)).status).toBe(403);
  });
});

test('a provider proposes, and changes nothing by itself', async () => {
  const id = await put(server, { resourceType: 'HealthcareService', active: true, name: 'Gym', providedBy: { reference: `Organization/${world.organizations.provider}` } });
  expect((await as('provider', 'PUT', `HealthcareService/${id}`, { resourceType: 'HealthcareService', id, active: false })).status).toBe(403);
  expect((await as('provider', 'GET', `HealthcareService/${id}`)).body.active).toBe(true);
});

test('withdrawn permission ends with the next request', async () => {
  const practitioner = await put(server, { resourceType: 'Practitioner' });
  const role = { resourceType: 'PractitionerRole', active: true, practitioner: { reference: `Practitioner/${practitioner}` } };
  const id = await put(server, role);
  await put(server, teamBody(world.patients.ada, [`PractitionerRole/${id}`]));
  const token = await server.token('care-coordinator', { practitionerRole: id, organization: 'QWE' });
  const asks: [string, string, unknown?][] = [['GET', `Patient/${world.patients.ada}`], ['GET', 'Patient/none'], ['GET', 'Patient'], ['POST', 'CarePlan', planBody(world.patients.ada)], ['POST', '', { resourceType: 'Bundle', type: 'transaction', entry: [] }]];
  const statuses = async (): Promise<number[]> => Promise.all(asks.map(async ([method, path, body]) => (await server.send(method, path, { token, body })).status));
  expect(await statuses()).toEqual([200, 403, 200, 201, 200]);
  await put(server, { ...role, id, active: false });
  expect(await statuses()).toEqual([403, 403, 403, 403, 403]);
  await put(server, { ...role, id });
  expect((await statuses())[0]).toBe(200);
});

describe('a first budget', () => {
  const first = (token: string, patient: string, owner = world.organizations.icb) => server.send('POST', 'Account', { token, body: budgetBody({ patient, owner }) });
  const patient = (rest: object = {}) => put(server, { resourceType: 'Patient', birthDate: '1980-01-01', ...rest });

  test('may be opened by who pays for someone registered with it, or nowhere', async () => {
    for (const token of [world.tokens.commissioner, world.tokens.manager]) {
      for (const rest of [{}, { managingOrganization: { reference: `Organization/${world.organizations.icb}` } }, { generalPractitioner: [{ reference: `Organization/${world.organizations.practice}` }] }]) {
        const id = await patient(rest);
        expect((await first(token, id)).status).toBe(201);
        expect((await server.send('GET', `Patient/${id}`, { token })).status).toBe(200);
      }
    }
  });

  test('takes on nobody whom another organisation pays for, and opens nothing for another owner', async () => {
    const elsewhere = await patient({ managingOrganization: { reference: `Organization/${world.organizations.otherIcb}` } });
    for (const token of [world.tokens.commissioner, world.tokens.manager]) {
      expect((await first(token, elsewhere)).status).toBe(422);
      expect((await server.send('GET', `Patient/${elsewhere}`, { token })).status).toBe(404);
      const free = await patient();
      expect((await first(token, free, world.organizations.otherIcb)).status).toBeGreaterThanOrEqual(403);
      expect((await server.send('GET', `Patient/${free}`, { token })).status).toBe(404);
    }
  });

  test('does not make a patient visible who is only named', async () => {
    const free = await patient();
    const { status } = await server.send('POST', 'Observation', { token: world.tokens.commissioner, body: { resourceType: 'Observation', status: 'final', code: { coding: [{ system: 'https://fhir.entitle.example/CodeSystem/eligibility-basis', code: 'nhs-chc' }] }, subject: { reference: `Patient/${free}` }, effectiveDateTime: '2026-01-01', performer: [{ reference: `Organization/${world.organizations.icb}` }], valueCodeableConcept: { coding: [{ system: 'https://fhir.entitle.example/CodeSystem/eligibility-decision', code: 'eligible' }] } } });
    expect(status).toBe(422);
  });
});
