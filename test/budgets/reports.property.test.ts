// Whatever is done with budgets, $balance, $statement, $purchases and the MeasureReports say what the resources come to, to the penny.
import fc from 'fast-check';
import { examineBudgets } from '../../src/budgets/doctor.js';
import { extension, gbp, made, organization, organizationBody } from '../domain/budgets.js';
import { pay, refund } from '../domain/payments.js';
import { parametersOf, BASE } from '../domain/people.js';
import { change, opened, purchaseBody, record, type Opened } from '../domain/purchases.js';
import { startServer, type TestServer } from '../server.js';
import { allOf, parted, penceOf, resourceSums, type Get, type ResourceSums } from './resource-sums.js';

const ACCOUNTS = 2;
const RUNS = 5;

let server: TestServer;
let provider: string;
let token: string;
let services: readonly string[];
const get: Get = async (path) => {
  const { status, body, text } = await server.send('GET', path, { token: server.tokens.admin });
  if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
  return body;
};

beforeAll(async () => {
  server = await startServer();
  provider = await organization(server, 'GYM1', 'provider');
  token = await server.token('provider', { organization: 'GYM1' });
  const list = await made(server, {
    resourceType: 'List', status: 'current', mode: 'working', code: { coding: [{ system: `${BASE}/CodeSystem/list-code`, code: 'phb-directory' }] },
    extension: [extension('directory-owner', { valueReference: { reference: `Organization/${provider}` } })],
  });
  const entry = async (category: string): Promise<string> => (await made(server, {
    resourceType: 'HealthcareService', active: true, name: category, providedBy: { reference: `Organization/${provider}` },
    category: [{ coding: [{ system: `${BASE}/CodeSystem/directory-category`, code: category }] }], extension: [extension('directory', { valueReference: { reference: `List/${list.id}` } })],
  })).id;
  services = [await entry('equipment'), await entry('activity')];
});
afterAll(() => server.close());

/** Amounts in pence; `on` and `of` choose among what there is. */
type Act =
  | { readonly act: 'buy' | 'reserve'; readonly on: number; readonly nets: readonly number[]; readonly draft: boolean }
  | { readonly act: 'fulfil' | 'pay' | 'refund' | 'cancel'; readonly of: number; readonly pence: number };

const pence = fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 9000 }) }, { weight: 1, arbitrary: fc.integer({ min: 9000, max: 60_000 }) });
const index = fc.nat({ max: 50 });
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ act: fc.constant('buy' as const), on: index, nets: fc.array(pence, { minLength: 1, maxLength: 4 }), draft: fc.nat({ max: 5 }).map((one) => one === 0) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('reserve' as const), on: index, nets: fc.array(pence, { minLength: 1, maxLength: 1 }), draft: fc.constant(false) }) },
  { weight: 5, arbitrary: fc.record({ act: fc.constantFrom('pay' as const, 'refund' as const, 'fulfil' as const), of: index, pence }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('cancel' as const), of: index, pence }) },
);

interface World {
  readonly budgets: readonly Opened[];
  readonly owner: string;
  readonly commissioner: string;
  readonly claims: { claim: any; on: Opened }[];
  readonly notices: string[];
}

async function world(): Promise<World> {
  const ods = `Q${Math.floor(Math.random() * 1e9)}`;
  const owner = (await made(server, organizationBody(ods, 'icb'))).id;
  const budgets = [];
  for (let one = 0; one < ACCOUNTS; one += 1) budgets.push(await opened(server, { owner, provider }, { lines: [{ amount: gbp(500) }] }));
  return { budgets, owner, commissioner: await server.token('commissioner', { organization: ods }), claims: [], notices: [] };
}

const chosen = <T>(list: readonly T[], at: number): T | undefined => (list.length === 0 ? undefined : list[at % list.length]);
const pounds = (amount: number): object => gbp(amount / 100);
/** Every third item is in no directory. */
const items = (nets: readonly number[]): object[] => nets.map((net, at) => ({
  sequence: at + 1, productOrService: { text: 'Something' }, net: pounds(net),
  ...(at % 3 < 2 && { extension: [extension('directory-entry', { valueReference: { reference: `HealthcareService/${services[at % 3]}` } })] }),
}));

/** Does it; whatever is refused is refused with words, never by failing. */
async function perform(one: Act, { budgets, claims, notices }: World): Promise<void> {
  const answer = await ((): Promise<{ status: number; body: any; text: string }> | undefined => {
    if ('nets' in one) {
      const on = chosen(budgets, one.on) as Opened;
      const amount = pounds(one.nets.reduce((all, net) => all + net, 0));
      return record(server, purchaseBody({ ...on, amount, status: one.draft ? 'draft' : 'active', use: one.act === 'buy' ? 'claim' : 'preauthorization', rest: { item: items(one.nets) } }));
    }
    if (one.act === 'refund') return notices.length === 0 ? undefined : refund(server, chosen(notices, one.of) ?? '', one.pence / 100);
    const fulfilling = claims.filter(({ claim }) => (one.act === 'fulfil') === (claim.use === 'preauthorization'));
    const found = chosen(one.act === 'cancel' ? claims.filter(({ claim }) => claim.related === undefined) : fulfilling, one.of);
    if (!found) return undefined;
    if (one.act === 'pay') return pay(server, found.claim.id, one.pence / 100);
    if (one.act === 'fulfil') return record(server, purchaseBody({ ...found.on, amount: pounds(one.pence), fulfils: found.claim.id, rest: { item: items([one.pence]) } }));
    return get(`Claim/${found.claim.id}`).then((now) => change(server, now, { status: 'cancelled' }));
  })();
  if (!answer) return;
  if (answer.status >= 500) throw new Error(answer.text);
  if (answer.status >= 300) return;
  if (answer.body.resourceType === 'Claim') remember(answer.body, budgets, claims);
  for (const notice of answer.body.resourceType === 'Bundle' ? answer.body.entry.map(({ resource }: any) => resource) : []) if (notice.resourceType === 'PaymentNotice') notices.push(notice.id);
}

function remember(claim: any, budgets: readonly Opened[], claims: World['claims']): void {
  if (claims.some((one) => one.claim.id === claim.id)) return;
  const on = budgets.find(({ account }) => JSON.stringify(claim.extension).includes(`Account/${account}"`));
  if (on) claims.push({ claim, on });
}

async function checkBudget({ account }: Opened): Promise<ResourceSums> {
  const sums = await resourceSums(get, account);
  const balance = parametersOf(await get(`Account/${account}/$balance`));
  const shown = Object.fromEntries(['allocated', 'committed', 'spent', 'disbursed', 'available'].map((name) => [name, penceOf(balance[name])]));
  const { purchases: _purchases, ...expected } = sums;
  expect(shown).toEqual(expected);
  await checkStatement(account, sums);
  return sums;
}

async function checkStatement(account: string, sums: ResourceSums): Promise<void> {
  const entries: any[] = [];
  for (let path: string | undefined = `Account/${account}/$statement?_count=7`; path !== undefined; ) {
    const bundle: any = await get(path);
    entries.push(...(bundle.entry ?? []).filter(({ search }: any) => search.mode === 'match'));
    const link: string | undefined = bundle.link.find(({ relation }: any) => relation === 'next')?.url;
    path = link?.slice(server.base.length + 1);
  }
  const value = (entry: any, id: string): any => { const found = entry.extension.find(({ url }: any) => url.endsWith(`/ext-${id}`)); return found.valueMoney ? penceOf(found.valueMoney) : found.valueCode; };
  expect(value(entries.at(-1), 'running-balance')).toBe(sums.available);
  const of = (kind: string): number => entries.filter((entry) => value(entry, 'ledger-kind') === kind).reduce((all: number, entry) => all + Number(value(entry, 'ledger-amount')), 0);
  expect([of('allocation'), of('spend') - of('refund'), of('commit') - of('release') - of('spend')]).toEqual([sums.allocated, sums.spent, sums.committed]);
}

/** Net and paid of each category, by the items of the purchases. */
function spendOf(all: readonly ResourceSums[]): ReadonlyMap<string, { spend: number; paid: number }> {
  const found = new Map<string, { spend: number; paid: number }>();
  const add = (category: string, spend: number, paid: number): void => { const before = found.get(category) ?? { spend: 0, paid: 0 }; found.set(category, { spend: before.spend + spend, paid: before.paid + paid }); };
  for (const { claim, total, paid, refunded } of all.flatMap(({ purchases }) => [...purchases.values()])) {
    const nets = claim.item.map(({ net }: any) => penceOf(net));
    const spends = parted(total - refunded, nets);
    const paids = parted(paid - refunded, nets);
    for (const [at, one] of claim.item.entries()) {
      const reference: string | undefined = one.extension?.find(({ url }: any) => url.endsWith('/ext-directory-entry'))?.valueReference.reference;
      const category = reference === undefined ? 'uncategorised' : reference.endsWith(services[0] ?? '') ? 'equipment' : 'activity';
      for (const key of [category, 'total']) add(key, spends[at] ?? 0, paids[at] ?? 0);
    }
  }
  return found;
}

async function checkReports({ commissioner }: World, all: readonly ResourceSums[]): Promise<void> {
  const evaluate = async (measure: string): Promise<any[]> => {
    const { body } = await server.send('GET', `Measure/${measure}/$evaluate-measure?periodStart=2026-01-01&periodEnd=2026-12-31`, { token: commissioner });
    return body.group;
  };
  const expected = spendOf(all);
  const groups = await evaluate('phb-spend');
  for (const { code, measureScore, extension: [{ valueMoney }] } of groups) {
    const { spend, paid } = expected.get(code.coding[0].code) ?? { spend: 0, paid: 0 };
    expect([code.coding[0].code, penceOf(measureScore), penceOf(valueMoney)]).toEqual([code.coding[0].code, spend, paid]);
  }
  expect((await evaluate('phb-people')).find(({ code }) => code.coding[0].code === 'total').population[0].count).toBe(ACCOUNTS);
}

/** What the provider is shown of all worlds is what all purchases of its entries come to. */
async function checkProvider(): Promise<void> {
  const accounts = [...new Set((await allOf(get, 'Account?type=phb&_count=200')).map(({ id }) => id as string))];
  const sums = [];
  for (const account of accounts) sums.push(await resourceSums(get, account));
  const expected = spendOf(sums);
  // The acts did something: without payments and refunds this test would hold of anything.
  expect(sums.some(({ spent }) => spent > 0) && sums.some(({ purchases }) => [...purchases.values()].some(({ refunded }) => refunded > 0))).toBe(true);
  const { body } = await server.send('GET', `Organization/${provider}/$purchases?groupBy=service`, { token });
  const shown = new Map((body.parameter ?? []).map(({ part }: any) => { const { service, net, paid } = parametersOf({ parameter: part }); return [service.reference, [penceOf(net), penceOf(paid)]]; }));
  for (const [at, category] of ['equipment', 'activity'].entries()) {
    const { spend, paid } = expected.get(category) ?? { spend: 0, paid: 0 };
    expect(shown.get(`HealthcareService/${services[at]}`) ?? [0, 0]).toEqual([spend, paid]);
  }
}

/** Chance may make no refund in all its runs. */
const PAID_AND_REFUNDED: Act[] = [{ act: 'buy', on: 0, nets: [1000], draft: false }, { act: 'pay', of: 0, pence: 800 }, { act: 'refund', of: 0, pence: 300 }];

it('agrees with the resources after any acts', async () => {
  await fc.assert(fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 25 }), async (acts) => {
    const here = await world();
    for (const one of acts) await perform(one, here);
    const sums = [];
    for (const budget of here.budgets) sums.push(await checkBudget(budget));
    await checkReports(here, sums);
  }), { numRuns: RUNS, examples: [[PAID_AND_REFUNDED]] });
  await checkProvider();
  expect((await examineBudgets(server.database)).differences).toEqual([]);
}, 180_000);

it('parts an amount as it must be', () => {
  expect(parted(1000, [2000, 1000])).toEqual([667, 333]);
  expect(parted(10_000, [1, 1, 1])).toEqual([3334, 3333, 3333]);
});
