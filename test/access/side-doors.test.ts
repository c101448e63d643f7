// The side doors, one by one (domain.md 6.9): whatever leads to a row must lead to no hidden one, and tell none from one that never was.
// Each is asked as a caller who may not see, and beside it as one who may, so that it can't hold by chance.
import pg from 'pg';
import { assessed, BASE, deliver, evidence, extension, register, statementBody, vmPath, vmSearch, TRACED, covered, NHS, numbers } from '../domain/people.js';
import { ODS, makeWorld, neighbour, planBody, purchaseBody, teamBody, type World } from '../domain/world.js';
import { plainBody, openReceiver, subscribe, subscribed, topicBody, until } from '../domain/subscribers.js';
import { askToken, assertion, exchange, keyPair, origin, registerClient, supplier, type KeyPair } from '../api/client-fixture.js';
import { startServer, type Answer, type TestServer } from '../server.js';
import { rowsOf } from './rows.js';

let server: TestServer;
let world: World;
type Bearer = keyof World['tokens'] | 'ovm' | 'supplier' | 'homeOffice';

beforeAll(async () => {
  server = await startServer();
  world = await makeWorld(server);
  const { ada, bob } = world.patients;
  await server.seed([
    ...rowsOf(world),
    // Lists of people that nobody but an administrator sees.
    { resourceType: 'List', id: 'secret', status: 'current', mode: 'working', entry: [{ item: { reference: `Patient/${ada}` } }, { item: { reference: 'Account/ada' } }] },
    { resourceType: 'Composition', id: 'of-ada', status: 'final', type: { text: 'x' }, subject: { reference: `Patient/${ada}` }, date: '2026-11-20', author: [{ reference: `Organization/${world.organizations.icb}` }], title: 'x', section: [{ title: 'x', entry: [{ reference: 'Observation/lab' }] }] },
    { resourceType: 'GraphDefinition', id: 'around', url: 'urn:around', status: 'active', name: 'Around', start: 'Patient', link: [{ target: [{ type: 'Observation', params: 'patient={ref}' }] }] },
    { resourceType: 'Claim', id: 'gone-bob', ...purchaseBody({ patient: bob, budget: 'bob', provider: world.organizations.provider, recordedBy: `Patient/${bob}` }) },
    { resourceType: 'CarePlan', id: 'gone-bob', ...planBody(bob) }, { resourceType: 'CarePlan', id: 'gone-ada', ...planBody(ada) },
  ]);
  for (const plan of ['gone-bob', 'gone-ada']) expect((await as('admin', 'DELETE', `CarePlan/${plan}`)).status).toBe(204);
});
/** What is open besides, whatever fails. */
const closing: (() => Promise<void>)[] = [];
afterAll(async () => {
  await Promise.all(closing.map((close) => close()));
  await server.close();
});

const tokenOf = (bearer: Bearer): string => (bearer in world.tokens ? world.tokens[bearer as keyof World['tokens']] : server.tokens[bearer as 'ovm']);
const as = (bearer: Bearer, method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => server.send(method, path, { token: tokenOf(bearer), body, headers });
const get = (bearer: Bearer, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => as(bearer, 'GET', path, undefined, headers);
const idsOf = ({ body }: Answer): string[] => (body.entry ?? []).filter(({ search }: any) => search?.mode !== 'outcome').map(({ resource }: any) => `${resource.resourceType}/${resource.id}`);
const bundle = (type: 'batch' | 'transaction', ...entry: object[]): object => ({ resourceType: 'Bundle', type, entry });
const entry = (method: string, url: string, resource?: object): object => ({ ...(resource && { resource }), request: { method, url } });

/** What an answer says, without what differs between any two answers; `at` is the name that was asked for. */
const SAID = ['etag', 'last-modified', 'location', 'content-location', 'allow', 'retry-after', 'www-authenticate', 'content-type'];
function said({ status, headers, text, body }: Answer, at: string): string {
  const words = body?.resourceType === 'OperationOutcome' ? JSON.stringify(body.issue) : text.replace(/"id":"[0-9a-f-]{36}"/g, '"id":""');
  return JSON.stringify([status, SAID.map((name) => headers[name]), words]).replaceAll(at, 'NAME');
}

/** The answers for a hidden name and for one that never was are one and the same; gives the status. */
async function alike(bearer: Bearer, hidden: string, ask: (name: string) => Promise<Answer>, never = 'never'): Promise<number> {
  const [of, none] = [await ask(hidden), await ask(never)];
  expect([bearer, said(of, hidden)]).toEqual([bearer, said(none, never)]);
  return of.status;
}

/** Is what was found on another road read by the same caller? Asked once of each. */
const reads = new Map<string, Promise<number>>();
function isRead(bearer: Bearer, path: string): Promise<number> {
  const key = `${bearer} ${path}`;
  let status = reads.get(key);
  if (!status) reads.set(key, (status = as(bearer, 'HEAD', path).then((answer) => answer.status)));
  return status;
}
async function expectAllRead(bearer: Bearer, road: string, found: readonly string[]): Promise<void> {
  for (const one of new Set(found)) expect([bearer, road, one, await isRead(bearer, one)]).toEqual([bearer, road, one, 200]);
}

describe('_include and _revinclude', () => {
  test.each([
    ['nominee', 'Account?_id=ada&_include=Account:*', ['Account/joint', 'RelatedPerson/PROPOSED']],
    ['nominee', 'Account?_id=ada&_include=Account:partof&_include:iterate=Account:partof', ['Account/joint']],
    ['authority', 'Account?_id=joint&_revinclude=Account:partof', ['Account/ada']],
    ['commissioner', 'Account?_id=joint&_revinclude=Claim:budget', ['Claim/joint']],
    ['isf', 'Claim?_include=Claim:*&_revinclude=PaymentNotice:request', ['Coverage/ada', 'PaymentNotice/ada']],
  ] as const)('%s: %s', async (bearer, query, hidden) => {
    const hiddenOnes = hidden.map((one) => one.replace('PROPOSED', world.related.proposed));
    const ofAdmin = idsOf(await get('admin', query.replace(/^Claim\?/, 'Claim?_id=own,isf&')));
    expect(ofAdmin).toEqual(expect.arrayContaining(hiddenOnes));
    const answer = await get(bearer, query);
    expect(answer.status).toBe(200);
    expect(idsOf(answer).length).toBeGreaterThan(0);
    expect(idsOf(answer).filter((one) => hiddenOnes.includes(one))).toEqual([]);
  });
});

describe('_has, chains, _filter, _list, _text and _content as oracles', () => {
  // The row that is asked for is seen; what is said of it is true, by a row that is not.
  test.each([
    ['commissioner', 'Patient?_has:Account:patient:_id=care'], ['commissioner', 'Patient?_has:Observation:patient:_id=lab'], ['commissioner', 'Patient?_has:Account:patient:owner=Organization/LA'],
    ['commissioner', 'Patient?_has:Group:member:_id=people'], ['commissioner', 'Patient?_has:Account:subject:_has:Claim:budget:_id=joint'],
    ['nominee', 'Account?partof:Account.type=joint-budget'], ['nominee', 'Account?partof.name=Personal'], ['nominee', 'Account?partof:missing=false&partof:Account._id=joint'],
    ['nominee', 'Account?_filter=partof.type eq "joint-budget"'], ['commissioner', 'Account?_id=ada&_list=secret'], ['commissioner', 'Patient?_list=secret'],
    ['commissioner', 'Observation?_content=HIV'], ['coordinator', 'Observation?_content=HIV'], ['commissioner', 'Claim?_content=Gym&_id=joint'],
  ] as const)('%s: %s', async (bearer, query) => {
    const asked = query.replace('Organization/LA', `Organization/${world.organizations.authority}`);
    expect([asked, idsOf(await get('admin', asked)).length > 0]).toEqual([asked, true]);
    const answer = await get(bearer, asked);
    expect([asked, [200, 400, 403, 404].includes(answer.status), answer.body.total ?? 0, idsOf({ ...answer, body: { entry: answer.body.entry ?? [] } })]).toEqual([asked, true, 0, []]);
    const counted = await get(bearer, `${asked}&_summary=count`);
    expect(counted.body.total ?? 0).toBe(0);
  });

  test('a list that is hidden is answered as one that never was', async () => {
    expect(await alike('commissioner', 'secret', (name) => get('commissioner', `Patient?_list=${name}&_summary=count`))).toBeLessThan(500);
    expect(await alike('nominee', 'secret', (name) => get('nominee', `Account?_list=${name}&_elements=id`))).toBeLessThan(500);
  });
});

describe('sort by what is hidden', () => {
  test.each(['chargeable-category', '-chargeable-updated', 'chargeable-basic'])('%s is refused to who sees no status', async (sort) => {
    for (const bearer of ['commissioner', 'coordinator', 'manager', 'broker'] as const) expect((await get(bearer, `Patient?_sort=${sort}`)).status).toBe(403);
    expect((await get('ovm', `Patient?_sort=${sort}`)).status).toBe(200);
  });
});

describe('Bundle.total', () => {
  const totals = ['_summary=count', '_total=accurate', '_total=estimate', '_total=accurate&_count=1', '_count=0', '_total=estimate&_count=0'];

  test.each(totals)('by %s counts what is seen, and nothing else', async (how) => {
    await server.database.query({ text: 'analyze', values: [] });
    for (const bearer of ['commissioner', 'nominee', 'isf', 'coordinator'] as const) {
      for (const type of ['Claim', 'Account', 'List']) {
        const [{ body }, all] = [await get(bearer, `${type}?${how}`), idsOf(await get(bearer, `${type}?_count=500`))];
        if (body.total !== undefined) expect([bearer, type, body.total]).toEqual([bearer, type, all.length]);
      }
      // Of rows that none of them sees at all, by what only those have.
      const { status, body } = await get(bearer, `Claim?_has:PaymentNotice:request:_id=nothing&${how}`);
      expect([status, body.total ?? 0]).toEqual([200, 0]);
    }
    expect(idsOf(await get('admin', 'Claim?_count=500')).length).toBeGreaterThan(idsOf(await get('commissioner', 'Claim?_count=500')).length);
  });

  test('by _total=estimate tells nothing of the values of hidden rows, which the planner guesses from', async () => {
    const { provider } = world.organizations;
    const hidden = Array.from({ length: 300 }, (_one, index) => ({ ...purchaseBody({ patient: world.patients.bob, budget: 'bob', provider, recordedBy: `Patient/${world.patients.bob}` }), id: `many-${index}`, status: 'cancelled' }));
    await server.seed(hidden);
    await server.database.query({ text: 'analyze', values: [] });
    expect((await get('admin', 'Claim?status=cancelled&_total=estimate&_count=0')).body.total).toBeGreaterThan(100);
    for (const bearer of ['commissioner', 'nominee', 'coordinator', 'isf'] as const) {
      expect([bearer, (await get(bearer, 'Claim?status=cancelled&_total=estimate&_count=0')).body.total]).toEqual([bearer, 0]);
      expect([bearer, (await get(bearer, 'Organization?_has:Claim:provider:status=cancelled&_total=estimate&_count=0')).body.total]).toEqual([bearer, 0]);
    }
  });
});

describe('403 against 404', () => {
  const hiddenFrom: readonly (readonly [Bearer, string, string, number])[] = [
    ['ada', 'Claim', 'bob', 404], ['nominee', 'Account', 'joint', 404], ['commissioner', 'Account', 'bob', 404], ['isf', 'Claim', 'own', 404], ['ovm', 'Observation', 'lab', 404],
    ['practice', 'Task', 'bob', 404], ['supplier', 'Observation', 'lab', 404], ['stranger', 'Account', 'ada', 403], ['broker', 'Claim', 'bob', 403],
    // Of types that the role may not read at all.
    ['practice', 'Account', 'ada', 403], ['homeOffice', 'Observation', 'lab', 403], ['provider', 'Claim', 'own', 403], ['ada', 'Provenance', 'ada', 403], ['supplier', 'Patient', 'ADA', 403],
  ];
  test.each(hiddenFrom)('%s and %s/%s: %d, in the words for one that never was', async (bearer, type, name, status) => {
    const id = name === 'ADA' ? world.patients.ada : name;
    for (const [method, rest] of [['GET', ''], ['HEAD', ''], ['GET', '/_history'], ['GET', '/_history/1'], ['GET', '?_summary=true'], ['GET', '/$meta'], ['GET', '/$validate']] as const) {
      const found = await alike(bearer, id, (one) => as(bearer, method, `${type}/${one}${rest}`));
      if (!rest.includes('$')) expect([rest, found]).toEqual([rest, status]);
    }
    for (const kind of ['batch', 'transaction'] as const) await alike(bearer, id, (one) => as(bearer, 'POST', '', bundle(kind, entry('GET', `${type}/${one}`))));
  });

  test('a write to a hidden row, by any method and with any condition, is answered as one to nothing', async () => {
    const patch = { 'content-type': 'application/json-patch+json' };
    for (const [bearer, type, name] of [['ada', 'Claim', 'bob'], ['manager', 'Account', 'bob'], ['practice', 'Task', 'bob'], ['commissioner', 'Group', 'criteria-bob'], ['coordinator', 'CarePlan', 'bob']] as const) {
      const { body } = await get('admin', `${type}/${name}`);
      for (const headers of [{}, { 'if-match': 'W/"1"' }, { 'if-none-match': '*' }] as const) {
        await alike(bearer, name, (one) => as(bearer, 'PUT', `${type}/${one}`, { ...body, id: one }, headers));
        await alike(bearer, name, (one) => as(bearer, 'PATCH', `${type}/${one}`, '[{"op":"test","path":"/status","value":"x"}]', { ...patch, ...headers }));
        await alike(bearer, name, (one) => as(bearer, 'PATCH', `${type}/${one}`, '[{"op":"replace","path":"/status","value":"active"}]', { ...patch, ...headers }));
        await alike(bearer, name, (one) => as(bearer, 'DELETE', `${type}/${one}`, undefined, headers));
      }
    }
  });

  test('an id that a client chooses tells nothing of rows that the role never sees', async () => {
    const assessment = (id: string): object => ({ ...statementLike(id) });
    await alike('ovm', 'lab', (one) => as('ovm', 'PUT', `Observation/${one}`, assessment(one)), 'never-lab');
    const other = await subscribe(server, plainBody('Patient', 'http://127.0.0.1:9/'), server.tokens.admin);
    const own = (id: string): object => ({ ...topicBody('http://127.0.0.1:9/', 'empty', `Observation?patient.identifier=${NHS}|${world.nhsNumbers.ada}`), id });
    await alike('supplier', other, (one) => as('supplier', 'PUT', `Subscription/${one}`, own(one)), 'never-subscription');
    await alike('supplier', other, (one) => as('supplier', 'DELETE', `Subscription/${one}`), 'never-subscription');
  });
});

const statementLike = (id: string): any => ({
  resourceType: 'Observation', id, status: 'final', code: { coding: [{ system: 'https://fhir.entitle.example/CodeSystem/status-assertion', code: 'ovm-assessment' }] }, subject: { reference: `Patient/${world.patients.ada}` },
  effectiveDateTime: '2026-05-10', performer: [{ identifier: { system: ODS, value: 'RR8' }, type: 'Organization' }], valueCodeableConcept: { coding: [{ system: 'https://fhir.nhs.uk/spine-category-status-1', code: 'F' }] },
});

describe('410 against 404', () => {
  test('what was deleted is gone to who saw it, and never was to who did not', async () => {
    for (const rest of ['', '/_history/2', '/$meta']) expect((await get('admin', `CarePlan/gone-bob${rest}`)).status).toBe(410);
    for (const bearer of ['ada', 'nominee', 'commissioner', 'coordinator', 'stranger', 'manager', 'isf'] as const) {
      for (const [method, rest] of [['GET', ''], ['HEAD', ''], ['GET', '/_history'], ['GET', '/_history/1'], ['GET', '/_history/2'], ['GET', '/$validate?mode=delete']] as const) {
        await alike(bearer, 'gone-bob', (one) => as(bearer, method, `CarePlan/${one}${rest}`));
      }
      expect(idsOf(await get(bearer, `CarePlan?_id=gone-bob`))).toEqual([]);
      expect((await get(bearer, 'CarePlan/_history?_count=500')).text).not.toContain('gone-bob');
    }
  });
});

describe('what unknown and forbidden cost', () => {
  /** The statements that name this id, in order; the record of accesses is written later, of both alike. */
  async function statementsFor(id: string, ask: () => Promise<Answer>): Promise<string[]> {
    const sent: string[] = [];
    const spy = jest.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...given: any[]): unknown {
      const { text, values } = given[0] as { text?: string; values?: unknown[] };
      if (typeof text === 'string' && !/audit/.test(text) && JSON.stringify(values ?? []).includes(id)) sent.push(text);
      const answer: unknown = Reflect.apply(original, this, given);
      return answer;
    } as never);
    try {
      await ask();
    } finally {
      spy.mockRestore();
    }
    return sent;
  }
  const original = pg.Client.prototype.query;

  test.each([
    ['ada', 'GET', 'Claim', 'bob'], ['commissioner', 'GET', 'Account', 'bob'], ['stranger', 'GET', 'Account', 'ada'], ['isf', 'GET', 'Claim', 'own'], ['ovm', 'GET', 'Observation', 'lab'], ['manager', 'PUT', 'Account', 'bob'],
    ['practice', 'PUT', 'Task', 'bob'], ['commissioner', 'SEARCH', 'Account', 'bob'], ['ada', 'HISTORY', 'Claim', 'bob'],
  ] as const)('%s, %s %s/%s: the same statements', async (bearer, method, type, hidden) => {
    const never = `nev-${hidden}`;
    const { body } = await get('admin', `${type}/${hidden}`);
    const ask = (id: string) => (): Promise<Answer> => {
      if (method === 'SEARCH') return get(bearer, `${type}?_id=${id}`);
      return method === 'HISTORY' ? get(bearer, `${type}/${id}/_history`) : as(bearer, method, `${type}/${id}`, method === 'PUT' ? { ...body, id } : undefined);
    };
    const named = (id: string): string => `"${id}"`;
    const [of, none] = [await statementsFor(named(hidden), ask(hidden)), await statementsFor(named(never), ask(never))];
    expect(none.length).toBeGreaterThan(0);
    expect(of).toEqual(none);
  });
});

describe('error texts and references', () => {
  test('a write that names a hidden row is refused in the words for one that never was', async () => {
    const { ada } = world.patients;
    await alike('ada', 'bob', (one) => as('ada', 'POST', 'Claim', purchaseBody({ patient: ada, budget: one, provider: world.organizations.provider, recordedBy: `Patient/${ada}` })));
    await alike('stranger', world.patients.bob, (one) => as('stranger', 'POST', 'CarePlan', planBody(one)));
    await alike('coordinator', world.patients.bob, (one) => as('coordinator', 'POST', 'CareTeam', teamBody(one, [`PractitionerRole/${world.roles.coordinator}`])));
    await alike('ada', 'bob', (one) => as('ada', 'POST', 'DocumentReference', { resourceType: 'DocumentReference', status: 'current', subject: { reference: `Patient/${ada}` }, content: [{ attachment: { contentType: 'application/pdf', url: `Binary/${one}` } }] }));
    await alike('coordinator', 'CarePlan/bob', (one) => as('coordinator', 'POST', 'Task', { resourceType: 'Task', status: 'requested', intent: 'order', for: { reference: `Patient/${ada}` }, focus: { reference: one } }), 'CarePlan/never');
  });

  test('the same by the whole URL of this server', async () => {
    const whole = (id: string): string => `${server.base}/Patient/${id}`;
    const plan = (id: string): any => ({ ...planBody(id), subject: { reference: whole(id) } });
    expect(await alike('stranger', world.patients.bob, (one) => as('stranger', 'POST', 'CarePlan', plan(one)))).toBeGreaterThanOrEqual(400);
  });

  test('nothing of anybody hidden is in any refusal', async () => {
    const asked = await Promise.all([
      as('stranger', 'POST', 'Patient', { resourceType: 'Patient', identifier: [{ system: NHS, value: world.nhsNumbers.bob }] }), as('stranger', 'POST', 'CarePlan', planBody(world.patients.bob)),
      get('stranger', `Patient/${world.patients.bob}`), get('commissioner', 'Account/bob'), get('ada', 'Claim/bob'),
    ]);
    for (const { text, status } of asked) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(text).not.toMatch(/Samplebob|City of bob|0113 496/);
    }
  });
});

describe('conditional interactions and conditional references', () => {
  const unlike = (resource: object): object => ({ ...resource, nothing: 'that FHIR knows' });

  test('criteria that match a hidden row match nothing', async () => {
    const { body: plan } = await get('admin', 'CarePlan/bob');
    const { id: _id, meta: _meta, ...anonymous } = plan;
    await alike('coordinator', 'bob', (one) => as('coordinator', 'POST', 'CarePlan', unlike(anonymous), { 'if-none-exist': `_id=${one}` }));
    await alike('coordinator', 'bob', (one) => as('coordinator', 'POST', 'CarePlan', { ...anonymous, subject: { reference: `Patient/${world.patients.ada}` }, status: 'nothing' }, { 'if-none-exist': `_id=${one}` }));
    await alike('coordinator', 'bob', (one) => as('coordinator', 'PUT', `CarePlan?_id=${one}`, unlike(anonymous)));
    await alike('coordinator', 'bob', (one) => as('coordinator', 'PATCH', `CarePlan?_id=${one}`, '[{"op":"test","path":"/status","value":"x"}]', { 'content-type': 'application/json-patch+json' }));
    await alike('coordinator', 'bob', (one) => as('coordinator', 'DELETE', `HealthcareService?_has:CarePlan:performer:_id=${one}`));
    for (const kind of ['batch', 'transaction'] as const) {
      await alike('coordinator', 'bob', (one) => as('coordinator', 'POST', '', bundle(kind, entry('PUT', `CarePlan?_id=${one}`, unlike(anonymous)))));
      await alike('coordinator', 'bob', (one) => as('coordinator', 'POST', '', bundle(kind, { resource: unlike(anonymous), request: { method: 'POST', url: 'CarePlan', ifNoneExist: `_id=${one}` } })));
      await alike('coordinator', 'bob', (one) => as('coordinator', 'POST', '', bundle(kind, entry('GET', `CarePlan?_id=${one}&_summary=count`))));
    }
  });

  test('a reference by criteria leads to no hidden row', async () => {
    const plan = (number: string): object => ({ ...planBody('x'), subject: { reference: `Patient?identifier=${NHS}|${number}` } });
    const never = numbers(999_650_000)();
    for (const bearer of ['stranger', 'coordinator'] as const) {
      const status = await alike(bearer, world.nhsNumbers.bob, (number) => as(bearer, 'POST', '', bundle('transaction', entry('POST', 'CarePlan', plan(number)))), never);
      expect(status).toBeGreaterThanOrEqual(400);
    }
    expect((await as('coordinator', 'POST', '', bundle('transaction', entry('POST', 'CarePlan', plan(world.nhsNumbers.ada))))).status).toBe(200);
    expect(await alike('coordinator', world.nhsNumbers.bob, (number) => as('coordinator', 'POST', 'CarePlan', plan(number)), never)).toBe(412);
    expect((await as('coordinator', 'POST', 'CarePlan', plan(world.nhsNumbers.ada))).status).toBe(201);
  });

  test('what a view hides is no criterion of theirs either', async () => {
    const { ada } = world.patients;
    await assessed(server, ada, 'F', '2026-05-10');
    for (const hidden of ['chargeable-basic=Y', 'chargeable-category:not=A', 'chargeable-updated:missing=false', '_content=spine-category-status-1']) {
      const plan = { ...planBody('x'), subject: { reference: `Patient?_id=${ada}&${hidden}` } };
      const asked = [
        as('coordinator', 'POST', 'CarePlan', plan), as('coordinator', 'POST', '', bundle('transaction', entry('POST', 'CarePlan', plan))),
        as('coordinator', 'POST', 'Patient', { resourceType: 'Patient' }, { 'if-none-exist': `_id=${ada}&${hidden}` }),
        as('coordinator', 'PUT', `CarePlan?_id=ada&subject:Patient.${hidden}`, { resourceType: 'CarePlan' }), as('coordinator', 'DELETE', `HealthcareService?_has:CarePlan:performer:subject:Patient.${hidden}`),
        get('coordinator', `Patient?_filter=_id eq ${ada} and ${hidden.replace('=', ' eq ').replace(/:\w+/, '')}`),
      ];
      for (const answer of await Promise.all(asked)) expect([hidden, answer.status >= 400, answer.status < 500, answer.status !== 412]).toEqual([hidden, true, true, true]);
    }
  });
});

describe('_elements and _summary', () => {
  test.each(['_elements=extension', '_elements=address,telecom,contact,identifier', '_summary=true', '_summary=data', '_summary=false', '_elements=*', '_summary=text'])('%s show no more than a plain read', async (how) => {
    await assessed(server, world.patients.ada, 'F', '2026-05-10');
    for (const path of [`Patient/${world.patients.ada}?${how}`, `Patient/${world.patients.ada}/_history?${how}`]) {
      expect((await get('admin', path.replace(how, '_summary=false'))).text).toMatch(/ext-chargeable-status/);
      expect((await get('commissioner', path)).text).not.toMatch(/ext-chargeable-status|City of ada|0113 496|local-ada/);
      expect((await get('ada', path)).text).not.toMatch(/ext-chargeable-status/);
      expect((await get('nominee', path)).text).not.toMatch(/ext-chargeable-status|City of ada|local-ada/);
    }
    expect((await get('commissioner', `Patient?_id=${world.patients.ada}&${how}`)).text).not.toMatch(/ext-chargeable-status|City of ada|local-ada/);
    expect((await get('isf', `Account/ada?${how}`)).text).not.toMatch(/line-own|line-other/);
  });
});

describe('ETag and 304', () => {
  test.each([['ada', 'Claim', 'bob'], ['commissioner', 'Account', 'bob'], ['isf', 'Claim', 'own'], ['stranger', 'Account', 'ada'], ['ovm', 'Observation', 'lab']] as const)('%s: no version of %s/%s is confirmed', async (bearer, type, hidden) => {
    for (const headers of [{ 'if-none-match': 'W/"1"' }, { 'if-none-match': '*' }, { 'if-modified-since': 'Fri, 01 Jan 2100 00:00:00 GMT' }]) {
      expect((await get('admin', `${type}/${hidden}`, headers)).status).toBe(304);
      expect([403, 404]).toContain(await alike(bearer, hidden, (one) => get(bearer, `${type}/${one}`, headers)));
      await alike(bearer, hidden, (one) => as(bearer, 'HEAD', `${type}/${one}`, undefined, headers));
    }
    const { body } = await as(bearer, 'POST', '', bundle('batch', { request: { method: 'GET', url: `${type}/${hidden}`, ifNoneMatch: 'W/"1"' } }));
    expect(body.entry[0].response.status).toMatch(/^40[34]/);
  });
});

describe('the X-Request-ID of another caller', () => {
  test('is another request: neither its answer nor that it was used is told', async () => {
    const { ada, bob } = world.patients;
    const consent = (patient: string, text: string): object => ({ resourceType: 'Consent', status: 'active', scope: { text }, category: [{ text: 'x' }], patient: { reference: `Patient/${patient}` }, policyRule: { text: 'x' } });
    const id = { 'x-request-id': 'side-door-1', prefer: 'return=representation' };
    const first = await as('ada', 'POST', 'Consent', consent(ada, 'of ada alone'), id);
    expect(first.status).toBe(201);
    expect((await as('ada', 'POST', 'Consent', consent(ada, 'of ada alone'), id)).body.id).toBe(first.body.id);
    // Somebody else with the same id and the same words; and with others, which to the first would be 422.
    const copied = await as('bob', 'POST', 'Consent', consent(ada, 'of ada alone'), id);
    expect([copied.status, copied.text.includes('of ada alone'), copied.text.includes(first.body.id)]).toEqual([422, false, false]);
    const other = await as('bob', 'POST', 'Consent', consent(bob, 'of bob'), id);
    expect([other.status, other.body.scope.text]).toEqual([201, 'of bob']);
  });

  test('of one client and subject, in another role, patient, organisation or PractitionerRole, is another request as well', async () => {
    const { ada, bob } = world.patients;
    const shared = { client: 'an-app', subject: 'a-person' };
    const consent = { resourceType: 'Consent', status: 'active', scope: { text: 'told once' }, category: [{ text: 'x' }], patient: { reference: `Patient/${ada}` }, policyRule: { text: 'x' } };
    const headers = { 'x-request-id': 'side-door-2', prefer: 'return=representation' };
    const [ofAda, ofBob] = await Promise.all([ada, bob].map((patient) => server.token('patient', { ...shared, patient })));
    expect((await server.send('POST', 'Consent', { token: ofAda, body: consent, headers })).status).toBe(201);
    const answer = await server.send('POST', 'Consent', { token: ofBob, body: consent, headers });
    expect([answer.status, answer.text.includes('told once')]).toEqual([422, false]);
    const [ofQwe, ofQxx] = await Promise.all(['QWE', 'QXX'].map((organization) => server.token('commissioner', { ...shared, organization })));
    const group = { resourceType: 'Group', type: 'person', actual: false, managingEntity: { reference: `Organization/${world.organizations.icb}` }, name: 'criteria of QWE', characteristic: [{ code: { coding: [{ system: 'https://fhir.entitle.example/CodeSystem/criterion', code: 'active-budget' }] }, valueBoolean: true, exclude: false }] };
    const made = await server.send('POST', 'Group', { token: ofQwe, body: group, headers });
    expect(made.status).toBe(201);
    const copied = await server.send('POST', 'Group', { token: ofQxx, body: group, headers });
    expect([copied.status, copied.text.includes('criteria of QWE'), copied.text.includes(made.body.id)]).toEqual([403, false, false]);
  });
});

describe('another caller\'s job', () => {
  const job = (answer: Answer): string => (answer.headers['content-location'] ?? '').slice(server.base.length + 1);
  async function done(path: string, token: string): Promise<Answer> {
    return until('the job', async () => {
      const answer = await server.send('GET', path, { token, headers: { accept: '*/*' } });
      return answer.status !== 202 && answer;
    });
  }

  test('is neither polled, taken, downloaded nor called off', async () => {
    const later = { prefer: 'respond-async' };
    const search = job(await get('commissioner', 'Account?_id=ada', later));
    const exported = job(await get('commissioner', '$export?_type=Account', later));
    expect((await done(search, tokenOf('commissioner'))).text).toContain('"ada"');
    const manifest = await done(exported, tokenOf('commissioner'));
    const files: string[] = manifest.body.output.map(({ url }: any) => url.slice(server.base.length + 1));
    expect(files.length).toBeGreaterThan(0);
    const anotherPerson = await server.token('commissioner', { organization: 'QWE', subject: 'another' });
    const anotherPlace = await server.token('commissioner', { organization: 'QXX' });
    const strangers = [anotherPerson, anotherPlace, tokenOf('ada'), tokenOf('coordinator'), tokenOf('supplier'), tokenOf('practice'), tokenOf('ovm')];
    for (const token of strangers) {
      for (const path of [search, exported, ...files]) {
        const never = path.replace(/_jobs\/[^/]+/, '_jobs/00000000-0000-7000-8000-000000000000');
        for (const method of ['GET', 'HEAD', ...(path === search || path === exported ? ['DELETE'] : [])]) {
          const [of, none] = [await server.send(method, path, { token, headers: { accept: '*/*' } }), await server.send(method, never, { token, headers: { accept: '*/*' } })];
          expect([method, path, of.status, said(of, path)]).toEqual([method, path, 404, said(none, never)]);
        }
      }
    }
    expect((await done(search, tokenOf('commissioner'))).status).toBe(200);
    expect((await server.send('GET', files[0] ?? '', { token: tokenOf('commissioner'), headers: { accept: '*/*' } })).status).toBe(200);
  });
});

describe('another caller\'s page link', () => {
  const next = ({ body }: Answer): string => body.link.find(({ relation }: any) => relation === 'next').url.slice(server.base.length).replace(/^\//, '');

  test('shows its new bearer no more than the search would', async () => {
    for (const path of ['Account?_count=1&_sort=_id', 'Claim?_count=1&_total=accurate', `?_type=Account,Claim&_count=1`, `Patient/${world.patients.ada}/*?_count=1`, 'Account/_history?_count=1', '_history?_count=1', 'Claim?_count=1&_include=Claim:*&_revinclude=PaymentNotice:request']) {
      let link: string | undefined = next(await get('admin', path));
      for (let page = 0; page < 3 && link; page += 1) {
        for (const bearer of ['otherCommissioner', 'nominee', 'supplier'] as const) {
          const answer: Answer = await get(bearer, link);
          if (answer.status !== 200) continue;
          await expectAllRead(bearer, path, idsOf(answer));
          if (answer.body.total !== undefined && path.includes('accurate')) expect(answer.body.total).toBeLessThanOrEqual(idsOf(await get(bearer, 'Claim?_count=500')).length);
        }
        const { body }: Answer = await get('admin', link);
        link = body.link.find(({ relation }: any) => relation === 'next')?.url.slice(server.base.length).replace(/^\//, '');
      }
    }
  });

  test('of candidates is asked anew under its bearer\'s Grant', async () => {
    await server.seed([{ resourceType: 'Group', id: 'everyone', type: 'person', actual: false, managingEntity: { reference: `Organization/${world.organizations.icb}` }, characteristic: [{ code: { coding: [{ system: 'https://fhir.entitle.example/CodeSystem/criterion', code: 'age' }] }, valueRange: { low: { value: 1 } }, exclude: false }] }]);
    await neighbour(server, world);
    const first = await get('commissioner', 'Group/everyone/$candidates?_count=1');
    expect(first.body.total).toBeGreaterThan(1);
    const answer = await get('otherCommissioner', next(first));
    expect(idsOf(answer).filter((one) => one !== `Patient/${world.patients.bob}`)).toEqual([]);
    expect(answer.body.total ?? 0).toBeLessThanOrEqual(1);
  });
});

describe('$everything', () => {
  test('of a hidden patient is as of none, and of one that is seen has no hidden row', async () => {
    expect(await alike('stranger', world.patients.ada, (one) => get('stranger', `Patient/${one}/$everything`))).toBe(403);
    const { ada } = world.patients;
    const everything = idsOf(await get('coordinator', `Patient/${ada}/$everything?_count=500`));
    expect(everything).toEqual(expect.arrayContaining([`Patient/${ada}`, 'Account/ada']));
    for (const hidden of ['Observation/lab', 'Condition/ada', 'Flag/ada', 'Provenance/ada', 'List/problems', 'Observation/assessment']) expect([hidden, everything.includes(hidden)]).toEqual([hidden, false]);
    await expectAllRead('coordinator', '$everything', everything);
    for (const bearer of ['ada', 'commissioner', 'manager', 'nominee', 'ovm', 'supplier', 'practice'] as const) expect((await get(bearer, `Patient/${ada}/$everything`)).status).toBe(403);
  });
});

describe('Binary receipts', () => {
  const raw = (bearer: Bearer, path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Response> => fetch(`${server.base}/${path}`, { method, headers: { authorization: `Bearer ${tokenOf(bearer)}`, accept: '*/*', ...headers } });

  test('are given, as a file or a resource, to nobody but those who see what cites them', async () => {
    const shown = await raw('admin', 'Binary/cited');
    expect([shown.status, shown.headers.get('content-type')]).toEqual([200, 'application/pdf']);
    expect((await raw('nominee', 'Binary/cited')).status).toBe(200);
    for (const [bearer, hidden, status] of [['nominee', 'mine', 404], ['bob', 'cited', 404], ['stranger', 'cited', 403], ['commissioner', 'mine', 404], ['provider', 'cited', 403], ['ovm', 'cited', 404]] as const) {
      for (const headers of [{}, { accept: 'application/fhir+json' }, { accept: 'application/fhir+xml', 'if-none-match': 'W/"1"' }] as const) {
        for (const [path, method] of [['', 'GET'], ['/_history/1', 'GET']] as const) {
          const [of, none] = [await raw(bearer, `Binary/${hidden}${path}`, headers, method), await raw(bearer, `Binary/never${path}`, headers, method)];
          expect([bearer, of.status, of.headers.get('etag'), of.headers.get('content-type')]).toEqual([bearer, status, null, none.headers.get('content-type')]);
          expect((await of.text()).replace(/"id":"[^"]*"|<id value="[^"]*"\/>/, '').replaceAll(hidden, 'X')).toBe((await none.text()).replace(/"id":"[^"]*"|<id value="[^"]*"\/>/, '').replaceAll('never', 'X'));
        }
      }
    }
  });
});

describe('a provider\'s mixed claims', () => {
  test('tell each provider of its own items, and nobody of the patient', async () => {
    const { provider, isf } = world.organizations;
    const list = await as('admin', 'POST', 'List', {
      resourceType: 'List', status: 'current', mode: 'working', title: 'Directory', code: { coding: [{ system: `${BASE}/CodeSystem/list-code`, code: 'phb-directory' }] },
      extension: [extension('directory-owner', { valueReference: { reference: `Organization/${world.organizations.icb}` } })],
    });
    const service = async (id: string, of: string): Promise<number> => (await as('admin', 'PUT', `HealthcareService/${id}`, {
      resourceType: 'HealthcareService', id, active: true, name: id, providedBy: { reference: `Organization/${of}` }, category: [{ coding: [{ system: `${BASE}/CodeSystem/directory-category`, code: 'activity' }] }],
      extension: [extension('directory', { valueReference: { reference: `List/${list.body.id}` } })],
    })).status;
    expect([await service('gym-class', provider), await service('respite', isf)]).toEqual([201, 201]);
    const account = await server.send('POST', 'Account', { token: server.tokens.admin, body: budgetOf() });
    expect(account.status).toBe(201);
    const item = (sequence: number, entryOf: string, value: number): object => ({ sequence, productOrService: { text: `For Sampleeve, ${entryOf}` }, net: { value, currency: 'GBP' }, extension: [extension('directory-entry', { valueReference: { reference: `HealthcareService/${entryOf}` } })] });
    const body = purchaseBody({ patient: world.patients.eve, budget: account.body.id, provider, recordedBy: `Patient/${world.patients.eve}`, amount: 50, rest: { item: [item(1, 'gym-class', 20), item(2, 'respite', 30)] } });
    const bought = await as('admin', 'POST', 'Claim', body);
    expect([bought.status, bought.body.issue]).toEqual([201, undefined]);
    const own = await get('provider', `Organization/${provider}/$purchases`);
    expect(own.text).toContain('HealthcareService/gym-class');
    expect(own.text).not.toMatch(/respite|"value":30|Sampleeve|Patient\/|Account\/|Claim\//);
    await alike('provider', isf, (one) => get('provider', `Organization/${one}/$purchases`));
    await alike('provider', 'respite', (one) => get('provider', `HealthcareService/${one}/$purchases`));
    for (const path of ['Claim', 'Account', `Patient/${world.patients.eve}`, 'Claim?provider=Organization/x', '?_type=Claim']) expect((await get('provider', path)).text).not.toMatch(/respite|Sampleeve/);
  });

  const budgetOf = (): object => ({
    resourceType: 'Account', status: 'active', type: { coding: [{ system: 'https://fhir.entitle.example/CodeSystem/account-type', code: 'phb' }] }, name: 'Of eve', subject: [{ reference: `Patient/${world.patients.eve}` }], servicePeriod: { start: '2026-11-01' },
    owner: { reference: `Organization/${world.organizations.icb}` },
    extension: [
      extension('allocation', { extension: [{ url: 'model', valueCode: 'notional' }, { url: 'amount', valueMoney: { value: 1000, currency: 'GBP' } }] }),
      extension('eligibility', { extension: [{ url: 'basis', valueCode: 'nhs-chc' }, { url: 'decidedBy', valueReference: { reference: `Organization/${world.organizations.icb}` } }, { url: 'decidedOn', valueDate: '2026-10-01' }] }),
      extension('funding-source', { valueCode: 'nhs' }), extension('overspend-policy', { valueCode: 'block' }),
    ],
  });
});

describe('the Home Office\'s receipts', () => {
  const next = numbers(999_660_000);

  test('are the same for whom we know and whom we do not, one by one, in a batch, a transaction and a withdrawal', async () => {
    const receipt = ({ status, headers, text, body }: Answer): unknown => [status, Object.keys(headers).filter((name) => name !== 'x-correlation-id').sort(), body === undefined ? text : JSON.stringify(body.entry?.map(({ response }: any) => ({ ...response, location: typeof response.location, lastModified: typeof response.lastModified })) ?? body.issue)];
    const [known, unknown] = [next(), next()];
    await register(server, known);
    const asked = async (number: string): Promise<unknown[]> => {
      const one = statementBody(number, 'likely-chargeable', '2026-04-01T00:00:00Z');
      const single = await deliver(server, one);
      const again = await deliver(server, one);
      const bundled = await Promise.all((['batch', 'transaction'] as const).map((kind) => as('homeOffice', 'POST', '', bundle(kind, entry('POST', 'Observation', statementBody(number, 'british-citizen', '2026-04-02T00:00:00Z'))))));
      const taken = await as('homeOffice', 'PUT', `Observation?identifier=${(one as any).identifier[0].system}|${(one as any).identifier[0].value}`, { ...one, status: 'entered-in-error' });
      return [single, again, ...bundled, taken].map(receipt);
    };
    const [of, none] = [await asked(known), await asked(unknown)];
    expect(of).toEqual(none);
    expect(JSON.stringify(of)).not.toMatch(/Patient/);
    for (const path of ['Observation', `Patient?identifier=${NHS}|${known}`, '_history', 'Observation/_history', 'AuditEvent', 'Task']) expect(idsOf({ ...(await get('homeOffice', path)), body: {} })).toEqual([]);
    expect((await get('homeOffice', 'Observation')).status).toBe(403);
  });
});

describe('a supplier\'s three facts', () => {
  test('about one named patient, and nothing of where a restricted one was assessed', async () => {
    const number = numbers(999_670_000)();
    const id = await register(server, number, { meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }] }, address: [{ city: 'Hidden Town' }] });
    await assessed(server, id, 'C', '2026-05-10', { extension: [evidence(await covered(server, id, 'EHIC', '2030-01-01'))] });
    const shown = await vmSearch(server, number);
    expect([shown.status, shown.body.total]).toEqual([200, 1]);
    expect(shown.text).not.toMatch(/RR8|performer|Coverage|evidence|Hidden Town/);
    expect(JSON.stringify(shown.body.link)).not.toContain(number);
    const operation = await get('supplier', `Patient/$chargeable-status?identifier=${NHS}|${number}`);
    expect(operation.text).not.toMatch(/RR8|performer|Coverage|Hidden Town/);
    for (const more of ['_include=Observation:subject', '_include=*', '_revinclude=Provenance:target', '_elements=performer', '_summary=true', '_has:Provenance:target:agent=x', '_sort=date', '_count=5']) expect([more, (await get('supplier', `${vmPath(number)}&${more}`, TRACED)).status]).toEqual([more, 400]);
    expect((await get('ovm', `Patient/${id}`)).text).not.toContain('Hidden Town');
    for (const path of ['Observation?code=ovm-assessment', `Observation?patient=${id}`, 'Observation', 'Patient']) expect((await get('supplier', path, TRACED)).status).toBeGreaterThanOrEqual(400);
  });
});

describe('Subscriptions', () => {
  test('of others are not there, and none is told of more than its subscriber may ask', async () => {
    const other = await subscribe(server, topicBody('http://127.0.0.1:9/', 'full-resource'));
    for (const bearer of ['ovm', 'supplier'] as const) {
      for (const [method, rest] of [['GET', ''], ['GET', '/_history'], ['GET', '/$status'], ['GET', '/$events'], ['GET', '/$dead-letters'], ['DELETE', '']] as const) await alike(bearer, other, (one) => as(bearer, method, `Subscription/${one}${rest}`));
      expect(idsOf(await get(bearer, 'Subscription'))).not.toContain(`Subscription/${other}`);
      expect(idsOf(await get(bearer, `Subscription?url=http://127.0.0.1:9/`))).toEqual([]);
    }
    for (const [bearer, criteria] of [['supplier', 'Patient'], ['supplier', 'Observation?code=ovm-assessment'], ['supplier', 'Observation?code=https://fhir.nhs.uk/fhir-observation-code-1|0001'], ['ovm', 'Claim'], ['ovm', 'Account?owner=x'], ['ovm', 'Task']] as const) {
      expect([criteria, [403, 422].includes((await as(bearer, 'POST', 'Subscription', plainBody(criteria, 'http://127.0.0.1:9/'))).status)]).toEqual([criteria, true]);
    }
    for (const bearer of ['provider', 'practice', 'homeOffice'] as const) expect((await as(bearer, 'POST', 'Subscription', plainBody('Account', 'http://127.0.0.1:9/'))).status).toBe(403);
    expect((await as('supplier', 'POST', 'Subscription', { ...plainBody('Account', 'http://127.0.0.1:9/'), meta: { tag: [{ system: 'https://fhir.entitle.example/CodeSystem/subscriber', code: 'admin' }] } })).status).toBeGreaterThanOrEqual(400);
  });

  test('of Observations tell an OVM of assessments and of no laboratory result', async () => {
    const receiver = await openReceiver();
    closing.push(receiver.close);
    await subscribed(server, plainBody('Observation', receiver.endpoint), server.tokens.ovm);
    const lab = await as('admin', 'POST', 'Observation', { resourceType: 'Observation', status: 'final', code: { text: 'a laboratory result' }, subject: { reference: `Patient/${world.patients.bob}` } });
    const { id } = await assessed(server, world.patients.bob, 'F', '2026-05-11');
    await until('a notification', () => receiver.received.some(({ url }) => url.endsWith(`Observation/${id}`)));
    expect(receiver.received.filter(({ url, body }) => url.includes(lab.body.id) || body.includes('laboratory'))).toEqual([]);
  });
});

describe('CDS Hooks', () => {
  const call = async (bearer: Bearer, patientId: string, number?: string): Promise<{ status: number; text: string }> => {
    const body = { hook: 'patient-view', hookInstance: 'x', context: { userId: 'Practitioner/1', patientId }, ...(number !== undefined && { prefetch: { patient: { resourceType: 'Patient', identifier: [{ system: NHS, value: number }] } } }) };
    const response = await fetch(`${new URL(server.base).origin}/cds-services/chargeable-status`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${tokenOf(bearer)}` }, body: JSON.stringify(body) });
    return { status: response.status, text: await response.text() };
  };

  test('answers whoever may not ask for a status the same of anybody', async () => {
    expect((await call('supplier', world.patients.ada)).text).toContain('summary');
    for (const bearer of ['commissioner', 'ada', 'practice', 'coordinator', 'homeOffice', 'nominee'] as const) {
      const answers = [await call(bearer, world.patients.ada), await call(bearer, 'never'), await call(bearer, 'x', world.nhsNumbers.ada), await call(bearer, 'x', numbers(999_680_000)())];
      expect(new Set(answers.map((one) => JSON.stringify(one)))).toEqual(new Set([JSON.stringify(answers[0])]));
      expect(answers[0]).toMatchObject({ status: 403 });
    }
  });

  test('a coordinator with the scope is told the same of a stranger\'s patient and of none', async () => {
    const token = await server.token('care-coordinator', { practitionerRole: world.roles.stranger, organization: 'QWE', scope: 'B0259' });
    const ask = async (path: string): Promise<Answer> => server.send('GET', path, { token });
    const words = ({ status, body }: Answer, at: string): string => JSON.stringify([status, body.issue]).replaceAll(at, 'NAME');
    const number = numbers(999_690_000)();
    expect(words(await ask(`Patient/${world.patients.bob}/$chargeable-status`), world.patients.bob)).toBe(words(await ask('Patient/never/$chargeable-status'), 'never'));
    expect(words(await ask(`Patient/$chargeable-status?identifier=${NHS}|${world.nhsNumbers.bob}`), world.nhsNumbers.bob)).toBe(words(await ask(`Patient/$chargeable-status?identifier=${NHS}|${number}`), number));
  });
});

describe('export', () => {
  test('has nothing hidden, by any of its narrowings', async () => {
    const types = '_type=Patient,Account,Claim,CarePlan,AuditEvent';
    for (const query of [types, `${types}&_since=2020-01-01T00:00:00Z`, `${types}&_elements=id,extension&_typeFilter=Account%3Fname%3DPersonal`, '_type=Patient&_typeFilter=Patient%3F_has:Account:patient:_id%3Dcare']) {
      const accepted = await get('commissioner', `$export?${query}`, { prefer: 'respond-async' });
      if (accepted.status !== 202) {
        expect([400, 403]).toContain(accepted.status);
        continue;
      }
      const path = (accepted.headers['content-location'] ?? '').slice(server.base.length + 1);
      const manifest = await until('the export', async () => {
        const answer = await get('commissioner', path, { accept: '*/*' });
        return answer.status !== 202 && answer;
      });
      for (const { url } of [...manifest.body.output, ...(manifest.body.deleted ?? [])]) {
        const { text } = await get('commissioner', url.slice(server.base.length + 1), { accept: '*/*' });
        for (const { resourceType, id, ...rest } of text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line))) {
          if (resourceType === 'Bundle') expect(JSON.stringify(rest)).not.toContain('gone-bob');
          else await expectAllRead('commissioner', query, [`${resourceType}/${id}`]);
        }
        if (text.startsWith('{"resourceType":"Patient"')) expect(text).not.toMatch(/ext-chargeable-status|City of/);
        if (query.includes('_has')) expect(text).toBe('');
      }
    }
  });
});

/** Definitions are public knowledge, and many. */
const OPEN = /^(SearchParameter|StructureDefinition|OperationDefinition|CodeSystem|ValueSet|ConceptMap|NamingSystem|CompartmentDefinition|Measure)\//;

describe('history', () => {
  test('of a type and of everything, at any moment, counts and shows what is seen', async () => {
    for (const bearer of ['commissioner', 'nominee', 'ovm', 'supplier'] as const) {
      for (const path of ['_history?_count=500', 'Account/_history?_count=500', 'Claim/_history?_count=500&_since=2020-01-01', 'CarePlan/_history?_count=500&_at=2026', '_history?_summary=count', 'Account/_history?_summary=count', '_history?_type=Claim&_count=500', '_history?_list=secret&_count=500']) {
        const answer = await get(bearer, path);
        if (answer.status !== 200) expect([400, 403, 404]).toContain(answer.status);
        else {
          await expectAllRead(bearer, path, idsOf(answer).filter((one) => !OPEN.test(one)));
          if (path === 'Account/_history?_summary=count') expect(answer.body.total).toBe(idsOf(await get(bearer, 'Account/_history?_count=500')).length);
        }
      }
    }
  });

  test('of one that moved away ends for who saw it', async () => {
    const { body } = await get('admin', 'Task/practice');
    await server.seed([{ ...body, id: 'moving' }]);
    expect((await get('practice', 'Task/moving/_history')).status).toBe(200);
    await server.seed([{ ...body, id: 'moving', owner: { reference: `Organization/${world.organizations.otherPractice}` } }]);
    for (const rest of ['', '/_history', '/_history/1', '/_history/2']) expect(await alike('practice', 'moving', (one) => get('practice', `Task/${one}${rest}`))).toBe(404);
  });
});

describe('$document, $graph, $lastn, $diff and $meta', () => {
  test('are an administrator\'s, and reach no further than the scopes of the token', async () => {
    const { ada } = world.patients;
    for (const bearer of ['ada', 'commissioner', 'coordinator', 'manager', 'ovm', 'supplier', 'practice', 'isf'] as const) {
      for (const path of ['Composition/of-ada/$document', `Patient/${ada}/$graph?graph=urn:around`, `Observation/$lastn?patient=${ada}`, `Patient/${ada}/$diff`, `Patient/${ada}/$meta`, '$meta', `$diff?from=Patient/${ada}&to=Patient/${world.patients.bob}`]) expect([bearer, path, (await get(bearer, path)).status]).toEqual([bearer, path, 403]);
    }
    const token = await server.token('admin', { scope: 'user/Patient.rs user/Composition.rs user/GraphDefinition.rs' });
    const ask = (path: string): Promise<Answer> => server.send('GET', path, { token });
    expect((await get('admin', `Patient/${ada}/$graph?graph=urn:around`)).text).toContain('HIV');
    expect((await ask(`Patient/${ada}/$graph?graph=urn:around`)).text).not.toMatch(/HIV|Observation\/lab/);
    expect((await get('admin', 'Composition/of-ada/$document')).text).toContain('HIV');
    expect((await ask('Composition/of-ada/$document')).text).not.toMatch(/HIV/);
    expect((await get('admin', `Observation/$lastn?patient=${ada}&max=9`)).text).toContain('HIV');
    expect((await ask(`Observation/$lastn?patient=${ada}&max=9`)).text).not.toContain('HIV');
    for (const path of ['Observation/lab/$diff?fromVersion=1', '$diff?from=Observation/lab&to=Observation/decision', 'Observation/lab/$meta', 'Observation/$meta', 'Observation/lab/$graph?graph=urn:around']) {
      const [of, none] = [await ask(path), await ask(path.replace('Observation/lab', 'Observation/never'))];
      expect([path, of.status >= 400, said(of, 'lab')]).toEqual([path, true, said(none, 'never')]);
    }
    await server.seed([{ resourceType: 'Flag', id: 'tagged', meta: { tag: [{ system: 'urn:secret', code: 'tag' }] }, status: 'active', code: { text: 'x' }, subject: { reference: `Patient/${ada}` } }]);
    expect((await get('admin', '$meta')).text).toContain('urn:secret');
    expect((await ask('$meta')).text).not.toContain('urn:secret');
  });
});

describe('_explain', () => {
  test('is for administrators whose scopes leave nothing out', async () => {
    expect((await get('admin', 'Patient?_explain=true')).status).toBe(200);
    for (const bearer of ['commissioner', 'coordinator', 'ovm', 'ada', 'manager'] as const) expect((await get(bearer, 'Organization?_explain=true')).status).toBe(403);
    const token = await server.token('admin', { scope: 'user/Patient.rs?gender=female' });
    expect((await server.send('GET', 'Patient?_explain=true', { token })).status).toBe(403);
  });
});

describe('another client\'s token', () => {
  let keys: readonly KeyPair[];
  beforeAll(async () => {
    keys = await Promise.all(['one', 'two'].map((kid) => keyPair('ES384', kid)));
    for (const [index, name] of ['owner', 'rival'].entries()) await registerClient(server, name, supplier(keys[index] as KeyPair));
  });

  test('is told to be none, and is not revoked', async () => {
    const [key, other] = keys as [KeyPair, KeyPair];
    const { body: { access_token: token } } = await exchange(server, assertion(server, 'owner', key));
    const by = async (endpoint: string, of: string): Promise<Response> => fetch(`${origin(server)}/oauth2/${endpoint}`, {
      method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token: of, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: await assertion(server, 'rival', other, { claims: { aud: `${origin(server)}/oauth2/${endpoint}` } }) }).toString(),
    });
    const [of, none] = [await by('introspect', token), await by('introspect', 'a.b.c')];
    expect([of.status, await of.text()]).toEqual([none.status, await none.text()]);
    const [revoked, nothing] = [await by('revoke', token), await by('revoke', 'a.b.c')];
    // RFC 7009 has the owner of another token told that it is not theirs; it is not revoked, and nothing is said of whose it is.
    expect([revoked.status, await revoked.text(), nothing.status]).toEqual([400, '{"error":"invalid_grant","error_description":"The token was given to another client"}', 200]);
    expect((await server.send('GET', 'Organization', { token })).status).not.toBe(401);
    expect((await askToken(server, { grant_type: 'refresh_token', refresh_token: token })).status).toBeGreaterThanOrEqual(400);
  });
});
