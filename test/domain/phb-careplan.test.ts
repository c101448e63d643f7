// C32E4: a budget is linked to its patient's care plan, and what is bought to the plan's activities (domain.md 2.1 E4, rulings 15, 46, 51, 64;
// edge case 6.10).
import { readFileSync } from 'node:fs';
import { expectRefusal } from '../api/refusal.js';
import { startServer, type Answer, type TestServer } from '../server.js';
import { extension, gbp, person } from './budgets.js';
import { BASE, parametersOf } from './people.js';
import { balanceOf, change, opened, purchaseBody, record, recorded, type Opened } from './purchases.js';
import { coded, makeWorld, put, planBody, type World } from './world.js';

const BUSINESS_ERROR = `${BASE}/CodeSystem/business-error`;
const wire = (name: string): any => JSON.parse(readFileSync(new URL(`wire/${name}.json`, import.meta.url), 'utf8'));

let server: TestServer;
let world: World;
let organizations: { owner: string; provider: string };
beforeAll(async () => {
  server = await startServer();
  world = await makeWorld(server);
  organizations = { owner: world.organizations.icb, provider: world.organizations.provider };
});
afterAll(() => server.close());

const admin = (): string => server.tokens.admin;
const codeOf = (answer: Answer): unknown => answer.body.issue[0].details.coding?.[0];
const mismatch = { system: BUSINESS_ERROR, code: 'CAREPLAN_MISMATCH' };
const ACTIVITIES = [
  { id: 'a1', detail: { status: 'in-progress', description: 'Gym' } },
  { id: 'a2', detail: { status: 'scheduled', description: 'Counselling' } },
  { id: 'a3', detail: { status: 'cancelled', description: 'Swimming' } },
];
const planFor = (patient: string, rest: object = {}): Promise<string> => put(server, planBody(patient, [], { activity: ACTIVITIES, ...rest }));
const read = async (path: string): Promise<any> => (await server.send('GET', path, { token: admin() })).body;
const ids = async (path: string): Promise<string[]> => ((await read(path)).entry ?? []).map(({ resource }: any) => resource.id);

interface Linking {
  readonly version?: string | undefined;
  readonly token?: string;
  readonly parameters?: readonly object[];
}

async function link(account: string, plan: string, { token = admin(), parameters = [], ...rest }: Linking = {}, operation = '$link-careplan'): Promise<Answer> {
  const version = 'version' in rest ? rest.version : `W/"${(await read(`Account/${account}`)).meta.versionId}"`;
  return server.send('POST', `Account/${account}/${operation}`, {
    token, headers: version === undefined ? {} : { 'if-match': version },
    body: { resourceType: 'Parameters', parameter: [{ name: 'carePlan', valueReference: { reference: `CarePlan/${plan}` } }, ...parameters] },
  });
}

const onWhole = async (account: string, reference: string): Promise<Answer> => server.send('POST', `Account/${account}/$link-careplan`, {
  token: admin(), headers: { 'if-match': `W/"${(await read(`Account/${account}`)).meta.versionId}"` }, body: { resourceType: 'Parameters', parameter: [{ name: 'carePlan', valueReference: { reference } }] },
});

async function linked(account: string, plan: string, parameters: readonly object[] = []): Promise<any> {
  const answer = await link(account, plan, { parameters });
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.body;
}

const linksOf = (account: any): any[] => account.extension.filter(({ url }: any) => url.endsWith('ext-budget-careplan'))
  .map(({ extension: parts }: any) => Object.fromEntries(parts.map(({ url, ...value }: any) => [url, Object.values(value)[0]])));

const citing = (plan: string, ...activities: string[]): object[] => activities.map((activity) =>
  extension('careplan-activity', { extension: [{ url: 'plan', valueReference: { reference: `CarePlan/${plan}` } }, { url: 'activityId', valueId: activity }] }));

interface Bought {
  readonly amount: number;
  readonly links?: readonly object[];
}
const purchaseOf = ({ patient, account, provider }: Opened, items: readonly Bought[], rest: object = {}): any => purchaseBody({
  patient, account, provider, rest: {
    item: items.map(({ amount, links = [] }, index) => ({ ...(links.length > 0 && { extension: links }), sequence: index + 1, productOrService: { text: 'Something' }, net: gbp(amount) })),
    total: gbp(items.reduce((sum, { amount }) => sum + amount, 0)), ...rest,
  },
});

describe('linking a budget to a care plan', () => {
  test('the plan and the call as printed: 200, found by the plan, and again without a change', async () => {
    const budget = await opened(server, organizations);
    const made = await server.send('POST', 'CarePlan', { token: admin(), body: JSON.stringify(wire('phb-careplan')).replace('[id]', budget.patient) });
    expect(made.status).toBe(201);
    const body = JSON.stringify(wire('link-careplan')).replace('[plan]', made.body.id);
    const call = (headers: Record<string, string>): Promise<Answer> => server.send('POST', `Account/${budget.account}/$link-careplan`, { token: admin(), headers, body });
    const first = await call({ 'if-match': 'W/"1"' });
    expect([first.status, first.body.meta.versionId, linksOf(first.body)]).toEqual([200, '2', [expect.objectContaining({ plan: { reference: `CarePlan/${made.body.id}` }, primary: true })]]);
    expect((await server.send('GET', `CarePlan/${made.body.id}`, { token: admin() })).status).toBe(200);
    expect(await ids(`Account?careplan=CarePlan/${made.body.id}`)).toEqual([budget.account]);
    expect(await ids(`CarePlan?_has:Account:careplan:_id=${budget.account}`)).toEqual([made.body.id]);
    expect(await ids(`CarePlan?_has:Account:careplan:_id=${made.body.id}`)).toEqual([]);
    const included = await read(`Account?_id=${budget.account}&_include=Account:careplan`);
    expect(included.entry.map(({ resource }: any) => resource.resourceType)).toEqual(['Account', 'CarePlan']);
    for (const headers of [{}, { 'if-match': 'W/"1"' }, { 'if-match': 'W/"2"' }] as Record<string, string>[]) {
      const again = await call(headers);
      expect([again.status, again.body.meta.versionId, again.headers['etag']]).toEqual([200, '2', 'W/"2"']);
    }
  });

  test('the patient, a manager and a coordinator link; others may not', async () => {
    const patient = world.patients.ada;
    const budget = await opened(server, organizations, { patient });
    for (const bearer of ['ada', 'manager', 'coordinator', 'broker'] as const) {
      expect([bearer, (await link(budget.account, await planFor(patient), { token: world.tokens[bearer] })).status]).toEqual([bearer, 200]);
    }
    const plan = await planFor(patient);
    for (const bearer of ['commissioner', 'provider'] as const) expect([bearer, (await link(budget.account, plan, { token: world.tokens[bearer] })).status]).toEqual([bearer, 403]);
    for (const bearer of ['bob', 'nominee'] as const) expect([bearer, (await link(budget.account, plan, { token: world.tokens[bearer] })).status]).toEqual([bearer, 404]);
    expect((await link(budget.account, plan, { token: world.tokens.stranger })).status).toBe(403);
  });

  test('the plan by its whole URL is the plan', async () => {
    const budget = await opened(server, organizations);
    const plan = await planFor(budget.patient);
    const answer = await onWhole(budget.account, `${server.base}/CarePlan/${plan}`);
    expect([answer.status, linksOf(answer.body)[0].plan]).toEqual([200, { reference: `CarePlan/${plan}` }]);
  });

  test('a plan of another patient, a withdrawn one, an unknown one, a stale or missing version', async () => {
    const budget = await opened(server, organizations);
    const plan = await planFor(budget.patient);
    const other = await link(budget.account, await planFor(await person(server)));
    expectRefusal(other, 422, { code: 'business-rule', text: 'another patient' });
    expect(codeOf(other)).toMatchObject(mismatch);
    for (const status of ['revoked', 'entered-in-error']) expectRefusal(await link(budget.account, await planFor(budget.patient, { status })), 422, { code: 'business-rule', text: status });
    expectRefusal(await link(budget.account, 'nobody'), 422, { code: 'not-found' });
    expectRefusal(await link(budget.account, plan, { version: 'W/"7"' }), 412, { code: 'conflict' });
    expectRefusal(await link(budget.account, plan, { version: undefined }), 412, { code: 'required' });
    expectRefusal(await link(budget.account, plan, { parameters: [{ name: 'activities', valueId: 'a9' }] }), 422, { text: 'a1, a2, a3' });
    expectRefusal(await link(budget.account, plan, { parameters: [{ name: 'activities', valueId: 'a3' }] }), 422, { text: 'cancelled' });
    expectRefusal(await link('nobody', plan, { version: 'W/"1"' }), 404);
    expect((await read(`Account/${budget.account}`)).meta.versionId).toBe('1');
    const body = { resourceType: 'Account', status: 'active', name: 'Ward account' };
    expectRefusal(await link(await put(server, body), plan), 422, { text: 'no budget' });
    expectRefusal(await server.send('POST', `Account/${budget.account}/$link-careplan`, { token: admin(), body: { resourceType: 'Parameters', parameter: [{ name: 'primary', valueBoolean: true }] } }), 422, { code: 'required' });
  });

  test('a client that writes the Account itself links nothing', async () => {
    const budget = await opened(server, organizations);
    const plan = await planFor(budget.patient);
    const body = { ...budget.body, extension: [...budget.body.extension, extension('budget-careplan', { extension: [{ url: 'plan', valueReference: { reference: `CarePlan/${plan}` } }] })] };
    expectRefusal(await server.send('PUT', `Account/${budget.account}`, { token: admin(), headers: { 'if-match': 'W/"1"' }, body }), 422, { text: /link-careplan/ });
  });

  test('one plan is the primary one: the first, the one that says so, and the one that replaces it', async () => {
    const budget = await opened(server, organizations);
    const [a, b] = [await planFor(budget.patient), await planFor(budget.patient)];
    const primaries = (account: any): string[] => linksOf(account).filter(({ primary }) => primary).map(({ plan }) => plan.reference);
    expect(primaries(await linked(budget.account, a))).toEqual([`CarePlan/${a}`]);
    expect(primaries(await linked(budget.account, b))).toEqual([`CarePlan/${a}`]);
    expect(primaries(await linked(budget.account, b, [{ name: 'primary', valueBoolean: true }]))).toEqual([`CarePlan/${b}`]);
    const c = await planFor(budget.patient, { replaces: [{ reference: `CarePlan/${b}` }] });
    const account = await linked(budget.account, c);
    expect([primaries(account), linksOf(account).length]).toEqual([[`CarePlan/${c}`], 3]);
  });
});

test('who linked a plan is told by a Provenance of the version, and a link that is there already makes none', async () => {
  const budget = await opened(server, organizations);
  const plan = await planFor(budget.patient);
  const { meta } = await linked(budget.account, plan);
  const told = async (): Promise<any[]> => (await read(`Provenance?target=Account/${budget.account}`)).entry.map(({ resource }: any) => resource).filter(({ activity }: any) => activity.text === 'link-careplan');
  expect(await told()).toMatchObject([{ target: [{ reference: `Account/${budget.account}/_history/${meta.versionId}` }], agent: [{ type: { text: 'admin' } }] }]);
  await linked(budget.account, plan);
  expect(await told()).toHaveLength(1);
});

describe('ending a link', () => {
  const reason = { name: 'reason', valueString: 'A new plan was agreed' };
  const unlink = (account: string, plan: string, parameters: readonly object[] = [reason], rest: Linking = {}): Promise<Answer> => link(account, plan, { ...rest, parameters }, '$unlink-careplan');

  test('unlinked, with a reason on record; the plan that is left is the primary one', async () => {
    const budget = await opened(server, organizations);
    const [a, b] = [await planFor(budget.patient), await planFor(budget.patient)];
    await linked(budget.account, a);
    await linked(budget.account, b);
    const answer = await unlink(budget.account, a);
    expect([answer.status, linksOf(answer.body)]).toEqual([200, [expect.objectContaining({ plan: { reference: `CarePlan/${b}` }, primary: true })]]);
    expect(await ids(`Account?careplan=CarePlan/${a}`)).toEqual([]);
    const { entry } = await read(`Provenance?target=Account/${budget.account}`);
    expect(entry.map(({ resource }: any) => resource.reason?.[0].text)).toContain('A new plan was agreed');
  });

  test('409 while purchases cite it, unless they are kept as they are', async () => {
    const budget = await opened(server, organizations);
    const plan = await planFor(budget.patient);
    await linked(budget.account, plan);
    const claim = await recorded(server, purchaseOf(budget, [{ amount: 30, links: citing(plan, 'a1') }]));
    expectRefusal(await unlink(budget.account, plan), 409, { code: 'business-rule', text: `Claim/${claim.id}` });
    expect((await unlink(budget.account, plan, [reason, { name: 'keepHistory', valueBoolean: true }])).status).toBe(200);
    expect((await read(`Claim/${claim.id}`)).item[0].extension).toEqual(citing(plan, 'a1'));
    expect(parametersOf(await read(`CarePlan/${plan}/$spend-by-activity`))).toBeDefined();
    expectRefusal(await record(server, purchaseOf(budget, [{ amount: 30, links: citing(plan, 'a1') }])), 422, { text: 'link-careplan' });
    // What was bought stays what it was: its other elements may still change.
    expect((await change(server, await read(`Claim/${claim.id}`), { identifier: [{ system: 'urn:shop', value: `till-${claim.id}` }] })).status).toBe(200);
  });

  test('a cancelled purchase keeps nothing; without a reason, version or link it is refused', async () => {
    const budget = await opened(server, organizations);
    const plan = await planFor(budget.patient);
    await linked(budget.account, plan);
    const claim = await recorded(server, purchaseOf(budget, [{ amount: 30, links: citing(plan, 'a1') }]));
    expect((await change(server, claim, { status: 'cancelled' })).status).toBe(200);
    expectRefusal(await unlink(budget.account, plan, []), 422, { code: 'required' });
    expectRefusal(await unlink(budget.account, plan, [reason], { version: undefined }), 412);
    expectRefusal(await unlink(budget.account, await planFor(budget.patient)), 422, { text: 'not linked' });
    expect((await unlink(budget.account, plan)).status).toBe(200);
  });
});

describe('linking a purchase to activities', () => {
  test('found by the activity, and summed by it less what came back', async () => {
    const budget = await opened(server, organizations);
    const plan = await planFor(budget.patient);
    await linked(budget.account, plan);
    const one = await recorded(server, purchaseOf(budget, [{ amount: 30, links: citing(plan, 'a1') }, { amount: 10.01, links: citing(plan, 'a1', 'a2') }, { amount: 5 }]));
    const two = await recorded(server, purchaseOf(budget, [{ amount: 20.5, links: citing(plan, 'a2') }]));
    await recorded(server, purchaseOf(budget, [{ amount: 99, links: citing(plan, 'a2') }], { status: 'draft' }));
    const cancelled = await recorded(server, purchaseOf(budget, [{ amount: 7, links: citing(plan, 'a2') }]));
    expect((await change(server, cancelled, { status: 'cancelled' })).status).toBe(200);
    expect(await ids(`Claim?careplan-activity=a1&patient=Patient/${budget.patient}`)).toEqual([one.id]);
    expect((await ids(`Claim?careplan-activity=a2&status=active&patient=Patient/${budget.patient}`)).sort()).toEqual([one.id, two.id].sort());
    expect(await ids(`Claim?careplan=CarePlan/${plan}&careplan-activity=a9`)).toEqual([]);
    const spend = await server.send('GET', `CarePlan/${plan}/$spend-by-activity`, { token: admin() });
    const rows = spend.body.parameter.map(({ part }: any) => part.map(({ name, ...value }: any) => [name, Object.values(value)[0]]));
    expect(rows).toEqual([
      [['activityId', 'a1'], ['spent', gbp(35.01)], ['paid', gbp(0)]],
      [['activityId', 'a2'], ['spent', gbp(25.5)], ['paid', gbp(0)]],
      [['activityId', 'a3'], ['spent', gbp(0)], ['paid', gbp(0)]],
    ]);
    expect(spend.text).toContain('35.01');
    expect(spend.text).toContain('25.50');
    expect((await balanceOf(server, budget.account))['committed']).toBe(65.51);
  });

  test('what the caller does not see is not summed, and nobody else sees the plan', async () => {
    const budget = await opened(server, organizations);
    const plan = await planFor(budget.patient);
    for (const bearer of ['bob', 'nominee'] as const) expect((await server.send('GET', `CarePlan/${plan}/$spend-by-activity`, { token: world.tokens[bearer] })).status).toBe(404);
    expect((await server.send('GET', `CarePlan/${plan}/$spend-by-activity`, { token: world.tokens.provider })).status).toBe(403);
    expect((await server.send('GET', 'CarePlan/nobody/$spend-by-activity', { token: admin() })).status).toBe(404);
    expectRefusal(await server.send('GET', `CarePlan/${plan}/$spend-by-activity?start=2026-01-01`, { token: admin() }), 400, { code: 'not-supported' });
  });

  test('an activity that is not in the plan or was cancelled, a plan that is not the budget\'s', async () => {
    const budget = await opened(server, organizations);
    const [plan, unlinked] = [await planFor(budget.patient), await planFor(budget.patient)];
    await linked(budget.account, plan);
    const attempt = (...links: readonly object[][]): Promise<Answer> => record(server, purchaseOf(budget, links.map((one) => ({ amount: 3, links: one }))));
    const unknown = await attempt(citing(plan, 'a1'), citing(plan, 'a9'));
    expectRefusal(unknown, 422, { code: 'business-rule', text: 'a1, a2, a3', expression: 'Claim.item[1].extension[0]' });
    expect(codeOf(unknown)).toMatchObject(mismatch);
    expectRefusal(await attempt(citing(plan, 'a3')), 422, { text: 'cancelled' });
    expectRefusal(await attempt(citing(unlinked, 'a1')), 422, { text: 'not linked' });
    expectRefusal(await attempt(citing('nobody', 'a1')), 422);
    const halves: any[] = citing(plan, 'a1');
    expectRefusal(await attempt([{ ...halves[0], extension: [halves[0].extension[0]] }]), 422, { text: 'names the activity: send the part activityId, one of a1, a2, a3' });
    expectRefusal(await attempt([{ ...halves[0], extension: [halves[0].extension[1]] }]), 422, { text: 'names the plan: send the part plan' });
    const several = await attempt(citing(plan, 'a3'), citing(unlinked, 'a1'), citing(plan, 'a2'));
    expect(several.body.issue.length).toBe(2);
    expect((await balanceOf(server, budget.account))['committed']).toBe(0);
  });

  test('a budget that pays for some activities takes purchases for those alone', async () => {
    const budget = await opened(server, organizations);
    const plan = await planFor(budget.patient);
    const account = await linked(budget.account, plan, [{ name: 'activities', valueId: 'a2' }]);
    expect(linksOf(account)).toEqual([expect.objectContaining({ activityId: 'a2' })]);
    expect((await record(server, purchaseOf(budget, [{ amount: 3, links: citing(plan, 'a2') }]))).status).toBe(201);
    expectRefusal(await record(server, purchaseOf(budget, [{ amount: 3, links: citing(plan, 'a1') }])), 422, { text: 'a2' });
  });
});

describe('the plan itself', () => {
  const putPlan = async (id: string, rest: object, headers?: Record<string, string>): Promise<Answer> => {
    const plan = await read(`CarePlan/${id}`);
    return server.send('PUT', `CarePlan/${id}`, { token: admin(), headers: headers ?? { 'if-match': `W/"${plan.meta.versionId}"` }, body: { ...plan, ...rest } });
  };

  test('each activity has an id of its own, though the plan claims no profile', async () => {
    const patient = await person(server);
    const attempt = (activity: object[]): Promise<Answer> => server.send('POST', 'CarePlan', { token: admin(), body: planBody(patient, [], { activity }) });
    const detail = { status: 'scheduled' };
    expect((await attempt([{ id: 'a1', detail }, { id: 'a2', detail }])).status).toBe(201);
    expectRefusal(await attempt([{ id: 'a1', detail }, { id: 'a1', detail }]), 422);
    expectRefusal(await attempt([{ detail }]), 422);
    // Of plans that are none of ours nothing of the sort is asked.
    const plain = { resourceType: 'CarePlan', status: 'active', intent: 'plan', subject: { reference: `Patient/${patient}` }, activity: [{ detail }] };
    const { status, body } = await server.send('POST', 'CarePlan', { token: admin(), body: plain });
    expect(status).toBe(201);
    expect((await server.send('PUT', `CarePlan/${body.id}`, { token: admin(), body: { ...body, status: 'completed' } })).status).toBe(200);
    expect((await server.send('DELETE', `CarePlan/${body.id}`, { token: admin() })).status).toBe(204);
  });

  test('is changed with If-Match only, and stays what it is', async () => {
    const budget = await opened(server, organizations);
    const plan = await planFor(budget.patient);
    await linked(budget.account, plan);
    expectRefusal(await putPlan(plan, { title: 'New' }, {}), 412, { code: 'required' });
    expectRefusal(await putPlan(plan, { title: 'New' }, { 'if-match': 'W/"9"' }), 412, { code: 'conflict' });
    const patch = (headers: Record<string, string>): Promise<Answer> => server.send('PATCH', `CarePlan/${plan}`, { token: admin(), body: JSON.stringify([{ op: 'add', path: '/title', value: 'New' }]), headers: { 'content-type': 'application/json-patch+json', ...headers } });
    expectRefusal(await patch({}), 412);
    expect((await patch({ 'if-match': 'W/"1"' })).status).toBe(200);
    expectRefusal(await putPlan(plan, { category: [coded('http://example.org/category', 'x')] }), 422, { expression: 'CarePlan.category' });
    expectRefusal(await putPlan(plan, { subject: { reference: `Patient/${await person(server)}` } }), 422, { expression: 'CarePlan.subject' });
  });

  test('is not taken from under a budget, nor an activity from under a purchase', async () => {
    const budget = await opened(server, organizations);
    const plan = await planFor(budget.patient);
    await linked(budget.account, plan);
    expectRefusal(await server.send('DELETE', `CarePlan/${plan}`, { token: admin() }), 409, { text: 'unlink-careplan' });
    expectRefusal(await putPlan(plan, { status: 'entered-in-error' }), 409);
    await recorded(server, purchaseOf(budget, [{ amount: 3, links: citing(plan, 'a1') }]));
    expectRefusal(await putPlan(plan, { activity: ACTIVITIES.slice(1) }), 422, { expression: 'CarePlan.activity', text: 'a1' });
    expect((await putPlan(plan, { activity: ACTIVITIES.slice(0, 2) })).status).toBe(200);
    // Cancelled, it takes nothing new.
    expect((await putPlan(plan, { activity: [{ id: 'a1', detail: { status: 'cancelled' } }] })).status).toBe(200);
    expectRefusal(await record(server, purchaseOf(budget, [{ amount: 3, links: citing(plan, 'a1') }])), 422, { text: 'cancelled' });
    expect((await putPlan(plan, { status: 'revoked' })).status).toBe(200);
  });

  test('a superseded plan keeps its history, its links and its purchases; new ones cite the new plan', async () => {
    const budget = await opened(server, organizations);
    const old = await planFor(budget.patient);
    await linked(budget.account, old);
    const before = await recorded(server, purchaseOf(budget, [{ amount: 30, links: citing(old, 'a1') }]));
    const draft = await planFor(budget.patient, { status: 'draft', replaces: [{ reference: `CarePlan/${old}` }] });
    expect((await record(server, purchaseOf(budget, [{ amount: 1, links: citing(old, 'a1') }]))).status).toBe(201);
    const next = await putPlan(draft, { status: 'active' });
    expect(next.status).toBe(200);
    await linked(budget.account, draft);
    expectRefusal(await record(server, purchaseOf(budget, [{ amount: 4, links: citing(old, 'a1') }])), 422, { text: `CarePlan/${draft}` });
    expect((await record(server, purchaseOf(budget, [{ amount: 4, links: citing(draft, 'a1') }]))).status).toBe(201);
    expect((await read(`Claim/${before.id}`)).item[0].extension).toEqual(citing(old, 'a1'));
    expect((await read(`CarePlan/${old}`)).activity.length).toBe(3);
    const spent = async (plan: string): Promise<number> => (await read(`CarePlan/${plan}/$spend-by-activity`)).parameter[0].part.find(({ name }: any) => name === 'spent').valueMoney.value;
    expect([await spent(old), await spent(draft)]).toEqual([31, 4]);
    expectRefusal(await server.send('POST', 'CarePlan', { token: admin(), body: planBody(await person(server), [], { replaces: [{ reference: `CarePlan/${old}` }] }) }), 422, { expression: 'CarePlan.replaces' });
  });
});
