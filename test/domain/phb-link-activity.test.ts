// C32E4 AC2: Claim/$link-activity says of a purchase that was made what it serves (domain.md 2.1 E4 AC2, 6.10).
import { expectRefusal } from '../api/refusal.js';
import { startServer, type Answer, type TestServer } from '../server.js';
import { gbp } from './budgets.js';
import { onAccount, pay } from './payments.js';
import { errorCode } from './people.js';
import { change, opened, purchaseBody, recorded, type Opened } from './purchases.js';
import { call, makeWorld, managerEntry, planBody, put, refers, type Sent, type World } from './world.js';

let server: TestServer;
let world: World;
beforeAll(async () => {
  server = await startServer();
  world = await makeWorld(server, 999_470_000);
});
afterAll(() => server.close());

const ACTIVITIES = [
  { id: 'a1', detail: { status: 'in-progress', description: 'Gym' } }, { id: 'a2', detail: { status: 'scheduled', description: 'Counselling' } },
  { id: 'a3', detail: { status: 'cancelled', description: 'Swimming' } },
];
const planFor = (patient: string, rest: object = {}): Promise<string> => put(server, planBody(patient, [], { activity: ACTIVITIES, ...rest }));
const read = async (path: string): Promise<any> => (await server.send('GET', path, { token: server.tokens.admin })).body;

interface Planned extends Opened {
  readonly plan: string;
}
let basis = 0;
async function budget(patient?: string): Promise<Planned> {
  const rest = patient === undefined ? {} : { patient, start: `20${10 + (basis += 1)}-01-01`, end: `20${10 + basis}-12-31` };
  const on = await opened(server, { owner: world.organizations.icb, provider: world.organizations.provider }, rest);
  const plan = await planFor(on.patient);
  await linkPlan(on, plan);
  return { ...on, plan };
}
const linkPlan = ({ account }: Opened, plan: string, more: readonly object[] = []): Promise<any> => onAccount(server, account, 'link-careplan', [{ name: 'carePlan', valueReference: { reference: `CarePlan/${plan}` } }, ...more]);

/** Of two items unless said otherwise. */
const bought = (on: Opened, amounts: readonly number[] = [30, 12.5], rest: object = {}): Promise<any> => recorded(server, purchaseBody({
  ...on, rest: { item: amounts.map((amount, at) => ({ sequence: at + 1, productOrService: { text: 'Something' }, net: gbp(amount) })), total: gbp(amounts.reduce((sum, one) => sum + one, 0)), ...rest },
}));
const activity = (id: string): Sent => ['activityId', { valueId: id }];
const item = (sequence: number): Sent => ['item', { valuePositiveInt: sequence }];
const plan = (id: string): Sent => refers('carePlan', `CarePlan/${id}`);
const link = (claim: string, parameters: readonly Sent[], token = server.tokens.admin): Promise<Answer> => call(server, token, `Claim/${claim}/$link-activity`, parameters);
const linksOf = (claim: any): string[][] => claim.item.map(({ extension: all = [] }: any) => all.filter(({ url }: any) => url.endsWith('/ext-careplan-activity'))
  .map(({ extension: [of, id] }: any) => `${of.valueReference.reference.slice('CarePlan/'.length)}#${id.valueId}`));
async function spentOn(id: string): Promise<Record<string, number>> {
  const { parameter } = await read(`CarePlan/${id}/$spend-by-activity`);
  return Object.fromEntries(parameter.map(({ part }: any) => [part[0].valueId, part.find(({ name }: any) => name === 'spent').valueMoney.value]));
}

describe('linking a purchase that was made', () => {
  test('its item is found by the activity and summed under it; asked again, nothing changes', async () => {
    const on = await budget();
    const claim = await bought(on);
    expect(await spentOn(on.plan)).toEqual({ a1: 0, a2: 0, a3: 0 });
    const answer = await link(claim.id, [activity('a1'), plan(on.plan), item(2)]);
    expect([answer.status, answer.headers['etag'], linksOf(answer.body)]).toEqual([200, 'W/"2"', [[], [`${on.plan}#a1`]]]);
    expect(await spentOn(on.plan)).toEqual({ a1: 12.5, a2: 0, a3: 0 });
    // Who said so is on record.
    const { entry } = await read(`Provenance?target=Claim/${claim.id}`);
    expect(entry.map(({ resource }: any) => [resource.activity.text, resource.target[0].reference])).toEqual([['link-activity', `Claim/${claim.id}/_history/2`]]);
    expect((await read(`Claim?careplan-activity=a1&budget=Account/${on.account}`)).entry.map(({ resource }: any) => resource.id)).toEqual([claim.id]);
    const again = await link(claim.id, [activity('a1'), item(2)]);
    expect([again.status, again.headers['etag']]).toEqual([200, 'W/"2"']);
    const both = await link(claim.id, [activity('a2'), activity('a1'), item(1), item(2)]);
    expect([both.status, linksOf(both.body)]).toEqual([200, [[`${on.plan}#a2`, `${on.plan}#a1`], [`${on.plan}#a1`, `${on.plan}#a2`]]]);
    expect(await read(`Account/${on.account}/$balance`)).toMatchObject({ parameter: expect.arrayContaining([{ name: 'committed', valueMoney: gbp(42.5) }]) });
  });

  test('takes the only item, and the primary plan of the budget', async () => {
    const on = await budget();
    const second = await planFor(on.patient);
    await linkPlan(on, second, [{ name: 'primary', valueBoolean: true }]);
    const claim = await bought(on, [30]);
    expect(linksOf((await link(claim.id, [activity('a2')])).body)).toEqual([[`${second}#a2`]]);
  });

  test('goes on when it was paid, is a draft, or reserves; amounts keep their digits', async () => {
    const on = await budget();
    const paid = await recorded(server, purchaseBody({ ...on, amount: 30 }));
    expect((await pay(server, paid.id, 30)).status).toBe(200);
    expect((await link(paid.id, [activity('a1')])).status).toBe(200);
    const draft = await bought(on, [1], { status: 'draft' });
    expect((await link(draft.id, [activity('a1')])).body.status).toBe('draft');
    const reserved = await recorded(server, purchaseBody({ ...on, amount: 5, use: 'preauthorization' }));
    expect((await link(reserved.id, [activity('a1')])).status).toBe(200);
    const text = JSON.stringify(purchaseBody({ ...on, amount: '£' })).replaceAll('"£"', '{"value":30.00,"currency":"GBP"}');
    const { body } = await server.send('POST', 'Claim', { token: server.tokens.admin, body: text });
    expect((await link(body.id, [activity('a1')])).text.match(/"value":30\.00/g)).toHaveLength(3);
  });
});

describe('is refused', () => {
  test('for an activity that is unknown or cancelled, and a plan that is not the budget\'s', async () => {
    const on = await budget();
    const claim = await bought(on, [30]);
    const unlinked = await planFor(on.patient);
    const refused = async (parameters: readonly Sent[], text: string): Promise<void> => {
      const answer = await link(claim.id, parameters);
      expectRefusal(answer, 422, { code: 'business-rule', text });
      expect(errorCode(answer)).toBe('CAREPLAN_MISMATCH');
    };
    await refused([activity('a9')], 'a1, a2, a3');
    await refused([activity('a1'), activity('a3')], 'cancelled');
    await refused([activity('a1'), plan(unlinked)], 'link-careplan');
    await refused([activity('a1'), plan('nobody')], 'link-careplan');
    const newer = await planFor(on.patient, { replaces: [{ reference: `CarePlan/${on.plan}` }] });
    await refused([activity('a1'), plan(on.plan)], `CarePlan/${newer}`);
    expect((await read(`Claim/${claim.id}`)).meta.versionId).toBe('1');
  });

  test('without the activity, without the item of several, for an item that is none', async () => {
    const on = await budget();
    const claim = await bought(on);
    expectRefusal(await link(claim.id, [item(1)]), 422, { code: 'required', text: 'activityId' });
    expectRefusal(await link(claim.id, [activity('a1')]), 422, { code: 'required', text: '1, 2' });
    expectRefusal(await link(claim.id, [activity('a1'), item(3)]), 422, { code: 'business-rule', text: '1, 2' });
    expectRefusal(await link(claim.id, [activity('a1'), ['item', { valueString: 'first' }]]), 400);
    expectRefusal(await link(claim.id, [activity('a1'), ['plan', { valueString: 'x' }]]), 400, { code: 'not-supported' });
    expectRefusal(await call(server, server.tokens.admin, `Claim/${claim.id}/$link-activity`, [activity('a1'), item(1)], '7'), 412);
    expect((await server.send('GET', `Claim/${claim.id}/$link-activity?activityId=a1&item=1`, { token: server.tokens.admin })).status).toBe(405);
  });

  test('where nothing was bought: a cancelled purchase, another Claim, a budget without a plan', async () => {
    const on = await budget();
    const claim = await bought(on, [30]);
    expect((await change(server, claim, { status: 'cancelled' })).status).toBe(200);
    expectRefusal(await link(claim.id, [activity('a1')]), 422, { text: 'cancelled' });
    const { extension: _extension, type: _type, ...plain } = purchaseBody(on);
    const other = await put(server, { ...plain, type: { text: 'something else' }, insurance: [{ sequence: 1, focal: true, coverage: { reference: on.coverage } }] });
    expectRefusal(await link(other, [activity('a1')]), 422, { text: 'no purchase' });
    expect((await link('nobody', [activity('a1')])).status).toBe(404);
    const bare = await opened(server, { owner: world.organizations.icb, provider: world.organizations.provider });
    expectRefusal(await link((await bought(bare, [30])).id, [activity('a1')]), 422, { code: 'required', text: 'link-careplan' });
  });
});

test('the patient, the nominee and the care team link what they see; nobody else does', async () => {
  const on = await budget(world.patients.ada);
  const account = await read(`Account/${on.account}`);
  const limited = managerEntry(`RelatedPerson/${world.related.nominee}`, 'approved') as any;
  limited.extension.push({ url: 'maxPerPurchase', valueMoney: gbp(1) });
  await server.seed([{ ...account, extension: [...account.extension, limited] }]);
  for (const bearer of ['ada', 'nominee', 'coordinator', 'broker', 'manager'] as const) {
    const { id } = await bought(on, [30]);
    expect([bearer, (await link(id, [activity('a1')], world.tokens[bearer])).status]).toEqual([bearer, 200]);
  }
  const { id } = await bought(on, [30]);
  for (const [bearer, status] of [['bob', 404], ['proposed', 404], ['stranger', 403], ['commissioner', 403], ['provider', 403], ['isf', 403], ['practice', 403]] as const) {
    expect([bearer, (await link(id, [activity('a1')], world.tokens[bearer])).status]).toEqual([bearer, status]);
  }
  expect((await read(`Claim/${id}`)).meta.versionId).toBe('1');
});
