// Random sequences of acts on budgets, over HTTP: each is taken or refused as the model of the rules says, and afterwards every figure of
// $balance, $statement and the MeasureReports is the model's, and what the resources come to by themselves.
import fc from 'fast-check';
import { examineBudgets } from '../../src/budgets/doctor.js';
import { linesOf, made, organizationBody } from '../domain/budgets.js';
import { startServer, type TestServer } from '../server.js';
import { EXAMPLES, setting } from './model-acts.js';
import { makeWorld, perform, type World } from './model-world.js';
import type { Line, Row } from './model-state.js';
import { penceOf, resourceSums, type Get } from './resource-sums.js';

const RUNS = 14;

let server: TestServer;
let provider: string;
beforeAll(async () => {
  server = await startServer();
  provider = (await made(server, organizationBody('GYM1', 'provider'))).id;
});
afterAll(() => server.close());

const get: Get = async (path) => {
  const { status, body, text } = await server.send('GET', path, { token: server.tokens.admin });
  if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
  return body;
};

const SUMS = ['allocated', 'committed', 'spent', 'disbursed', 'available'] as const;
type Told = Readonly<Record<(typeof SUMS)[number], number>>;
const told = (parts: readonly any[]): Told => Object.fromEntries(SUMS.map((name) => [name, penceOf(parts.find((part) => part.name === name)?.valueMoney)])) as Told;
const totalled = (list: readonly Told[]): Told => Object.fromEntries(SUMS.map((name) => [name, list.reduce((all, sums) => all + sums[name], 0)])) as Told;
const modelled = ({ allocated, committed, spent, disbursed }: Omit<Told, 'available'>): Told => ({ allocated, committed, spent, disbursed, available: allocated - committed - spent });
const heldIn = (lines: readonly Line[]): number => lines.reduce((held, { model, disbursed, spent }) => (model === 'direct-payment' ? held + disbursed - spent : held), 0);

async function statementOf(account: string): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (let path: string | undefined = `Account/${account}/$statement?_count=40`; path !== undefined; ) {
    const bundle: any = await get(path);
    for (const { search, extension } of bundle.entry ?? []) {
      if (search.mode !== 'match') continue;
      const value = (id: string): any => extension.find(({ url }: any) => url.endsWith(`/ext-${id}`));
      rows.push({ kind: value('ledger-kind').valueCode, line: value('allocation-id').valueId, amount: penceOf(value('ledger-amount').valueMoney), balance: penceOf(value('running-balance').valueMoney) });
    }
    const link: string | undefined = bundle.link.find(({ relation }: any) => relation === 'next')?.url;
    path = link?.slice(server.base.length + 1);
  }
  return rows;
}

/** What no line was given is told of while there is some. */
const isShown = ({ id, ...sums }: Line): boolean => id !== 'unallocated' || [sums.allocated, sums.committed, sums.spent, sums.disbursed].some((sum) => sum !== 0);

async function compare(world: World): Promise<void> {
  const { model, joint } = world;
  const all: Told[] = [];
  for (const { id, lines, rows, state } of model.accounts.values()) {
    const { parameter } = await get(`Account/${id}/$balance?byAllocation=true`);
    const shown = parameter.filter(({ name }: any) => name === 'line').map(({ part }: any) => [part[0].valueId, told(part)]);
    expect(shown).toEqual(lines.filter(isShown).map((line) => [line.id, modelled(line)]));
    expect(told(parameter)).toEqual(totalled(lines.map(modelled)));
    expect(penceOf(parameter.find(({ name }: any) => name === 'heldByHolder').valueMoney)).toBe(heldIn(lines));
    expect(await statementOf(id)).toEqual(rows);
    const account = await get(`Account/${id}`);
    expect([account.status, linesOf(account).map(({ lineId, amount }) => [lineId, Math.round(amount * 100)])]).toEqual([state, lines.filter((line) => line.id !== 'unallocated').map((line) => [line.id, line.allocated])]);
    all.push(told(parameter));
    await compareReports(id, world);
  }
  const parts = model.parts().flatMap(({ lines }) => lines.map(modelled));
  expect(told((await get(`Account/${joint}/$balance`)).parameter)).toEqual(totalled(parts));
  await compareResources(world, totalled(all));
}

/** By the resources alone; what a joint purchase takes of which budget they don't tell, so all together. What no line was given is in no resource. */
async function compareResources({ model, joint }: World, ledger: Told): Promise<void> {
  const accounts = [...model.accounts.values()];
  const byResources: Told[] = [];
  for (const id of [...accounts.map((account) => account.id), joint]) byResources.push(await resourceSums(get, id));
  const apart = accounts.flatMap(({ lines }) => lines.filter(({ id }) => id === 'unallocated').map(modelled));
  expect(totalled([...byResources, ...apart])).toEqual(ledger);
  for (const { id, status, overspent } of model.claims) {
    const claim = await get(`Claim/${id}`);
    expect([claim.status, claim.extension.some(({ url }: any) => url.endsWith('/ext-overspend'))]).toEqual([status, status === 'active' && overspent]);
  }
}

async function compareReports(account: string, { model, commissioners }: World): Promise<void> {
  const evaluate = async (measure: string): Promise<any[]> =>
    (await server.send('GET', `Measure/${measure}/$evaluate-measure?periodStart=2026-01-01&periodEnd=2026-12-31`, { token: commissioners.get(account) })).body.group;
  const expected = model.spend(account);
  for (const { code, measureScore, extension: [{ valueMoney }] } of await evaluate('phb-spend')) {
    const name = code.coding[0].code;
    const { net, paid } = expected.get(name) ?? { net: 0, paid: 0 };
    expect([name, penceOf(measureScore), penceOf(valueMoney)]).toEqual([name, net, paid]);
  }
  expect((await evaluate('phb-people')).find(({ code }) => code.coding[0].code === 'total').population[0].count).toBe(1);
}

test('acts are taken and refused as the rules say, and every figure is theirs', async () => {
  const outcomes = new Map<string, number>();
  await fc.assert(fc.asyncProperty(setting, async (chosen) => {
    const world = await makeWorld(server, provider, chosen);
    const done: unknown[] = [];
    for (const one of chosen.acts) {
      const fault = (text: string): Error => new Error(`${text}\n${JSON.stringify([chosen.policies, chosen.draw])}\n${done.map((line) => JSON.stringify(line)).join('\n')}`);
      const result = await perform(one, world).catch((error: unknown) => { throw fault(`${JSON.stringify(one)}: ${String(error)}`); });
      if (!result) continue;
      done.push([one, result.answered]);
      if (result.answered !== result.expected) throw fault(`answered ${result.answered}, expected ${result.expected}`);
      outcomes.set(`${one.act.act} ${result.answered}`, (outcomes.get(`${one.act.act} ${result.answered}`) ?? 0) + 1);
      await compare(world).catch((error: unknown) => { throw fault(String(error)); });
    }
  }), { numRuns: RUNS, endOnFailure: true, examples: EXAMPLES.map((one) => [one]) });
  // The sequences are worth something: each act was taken at some time, and most were refused.
  const acts = ['buy', 'amend', 'fulfil', 'pay', 'refund', 'cancel', 'approve', 'reject', 'advance', 'clawback', 'transfer', 'adjust', 'assign', 'suspend', 'close', 'reopen', 'join', 'leave'];
  expect(acts.filter((act) => ![...outcomes.keys()].some((name) => name.startsWith(`${act} ok`)))).toEqual([]);
  for (const name of ['buy ok draft', 'buy ok overspent', 'buy 422 INSUFFICIENT_FUNDS', 'amend 422 FORBIDDEN_UPDATE', 'advance 422 INSUFFICIENT_FUNDS', 'clawback 422 INSUFFICIENT_FUNDS', 'close 409 OUTSTANDING_CLAIMS', 'assign 422 ALLOCATION_EXCEEDED']) expect(outcomes.get(name)).toBeGreaterThan(0);
  expect((await examineBudgets(server.database)).differences).toEqual([]);
}, 180_000);
