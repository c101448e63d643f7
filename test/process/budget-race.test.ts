// A budget is never overspent and nothing is paid twice, whoever asks at the same time and whatever dies: 64 clients, two servers on one
// database, one of them killed in the middle (domain.md rulings 12, 13, 14). `npm run bench -- race` sends 10,000 requests.
import type { Database } from '../../src/db/database.js';
import { openDatabase } from '../../src/db/pool.js';
import { allOf, penceOf, resourceSums, type ResourceSums } from '../budgets/resource-sums.js';
import { gbp, organization } from '../domain/budgets.js';
import { balanceOf, opened, parties, purchaseBody } from '../domain/purchases.js';
import { errorCode } from '../domain/people.js';
import { close, openRace, run, type Act, type Race } from './budget-race.js';
import { runCommand } from './server-process.js';
import { startTwoServers, type TwoServers } from './two-servers.js';

/** The bench hands in a longer race by jest's own `globals`. */
const REQUESTS = (globalThis as { raceRequests?: number }).raceRequests ?? 1500;
const CLIENTS = 64;

jest.setTimeout(120_000 + REQUESTS * 100);

let servers: TwoServers;
let database: Database;
beforeAll(async () => {
  servers = await startTwoServers();
  database = openDatabase({ url: servers.clone.url, size: 1, prepared: false });
});
afterAll(async () => {
  await database.close();
  await servers.end();
});

const rows = async <Row>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> => (await database.query<Row>({ text, values })).rows;

async function get(path: string): Promise<any> {
  const { status, body, text } = await servers.send(0, 'GET', path);
  if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
  return body;
}

const resources = (search: string): Promise<any[]> => allOf(get, `${search}&_count=200`);

/** The last movement that the statement shows, on its last page. */
async function lastOfStatement(account: string): Promise<any> {
  for (let page = await get(`Account/${account}/$statement?_count=1000`); ; ) {
    const next: string | undefined = page.link?.find(({ relation }: any) => relation === 'next')?.url;
    if (next === undefined) return page.entry.filter(({ search }: any) => search.mode === 'match').at(-1);
    page = await get(next.slice(next.indexOf('/R4/') + '/R4/'.length));
  }
}

test.each(['notional', 'third-party'])('of 20 purchases for the last 10.00 of a %s line, at two servers at once, one is made', async (model) => {
  const known = await parties(servers.front);
  const holder = model === 'notional' ? {} : { holder: `Organization/${await organization(servers.front, 'ISF9', 'third-party')}` };
  const on = await opened(servers.front, known, { lines: [{ model, amount: gbp(10), ...holder }] });
  const answers = await Promise.all(Array.from({ length: 20 }, (_, client) => servers.send(client, 'POST', 'Claim', { body: purchaseBody({ ...on, amount: 10 }) })));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 19 }, () => 422)]);
  expect(new Set(answers.filter(({ status }) => status === 422).map(errorCode))).toEqual(new Set(['INSUFFICIENT_FUNDS']));
  expect(await balanceOf(servers.front, on.account)).toMatchObject({ committed: 10, available: 0 });
});

describe('64 clients on six budgets with little money, while one server is killed', () => {
  let race: Race;
  let closed: boolean[][];
  beforeAll(async () => {
    race = await openRace(servers);
    const closing = race.budgets.filter(({ review }) => review !== undefined);
    let restarted: Promise<void> | undefined;
    const closers: Promise<boolean[]>[] = [];
    const at = (begun: number): void => {
      if (begun === Math.floor(REQUESTS * 0.4)) restarted = servers.killAndRestart(0);
      // Two ask for each close at the same time, one at each server.
      if (begun === Math.floor(REQUESTS * 0.6)) for (const budget of closing) closers.push(Promise.all([0, 1].map((client) => close(race, budget, servers, client))));
    };
    await run(race, servers, { requests: REQUESTS, clients: CLIENTS, at });
    closed = await Promise.all(closers);
    await restarted;
  });

  it('answers each act with success or a refusal that says why, and never fails', () => {
    const allowed: Record<Act, readonly number[]> = { purchase: [201, 422], pay: [200, 422], refund: [201, 422], transfer: [200, 412, 422], advance: [200, 422], cancel: [200, 409, 422], close: [200, 409, 412, 422] };
    expect(servers.failures).toEqual([]);
    for (const [act, statuses] of Object.entries(allowed)) {
      const counts = race.counts.get(act as Act) ?? new Map<number, number>();
      expect([act, [...counts.keys()].filter((status) => !statuses.includes(status))]).toEqual([act, []]);
      expect([act, counts.has(statuses[0] ?? 0)]).toEqual([act, true]);
    }
    for (const act of ['purchase', 'pay', 'refund'] as const) expect(race.counts.get(act)?.get(422) ?? 0).toBeGreaterThan(0);
    // Otherwise nothing was killed in the middle.
    expect(servers.lost.connections).toBeGreaterThan(0);
  });

  it('lets no notional or third-party line go below zero, at no moment', async () => {
    const lowest = await rows<{ model: string; lowest: number }>(`select model, min(available)::int as lowest from (
      select l.model, sum(e.allocated - e.committed - e.spent) over (partition by e.account, e.line order by e.number) as available
      from fhir.ledger e join fhir.budget_line l on l.account = e.account and l.line = e.line) after_each group by model`);
    expect(lowest.map(({ model }) => model).sort()).toEqual(['direct-payment', 'notional', 'third-party']);
    expect(lowest.filter(({ model, lowest: pence }) => model !== 'direct-payment' && pence < 0)).toEqual([]);
  });

  it('flags every purchase by which a direct payment was overspent, as long as it stands', async () => {
    const overspent = await rows<{ claim: string }>(`select claim from (
      select e.kind, e.claim, l.model, sum(e.allocated - e.committed - e.spent) over (partition by e.account, e.line order by e.number) as available
      from fhir.ledger e join fhir.budget_line l on l.account = e.account and l.line = e.line) after_each where model = 'direct-payment' and kind = 'commit' and available < 0`);
    for (const { claim } of overspent) {
      const { body } = await servers.send(0, 'GET', `Claim/${claim}/_history/1`);
      expect(body.extension.find(({ url }: any) => url.endsWith('/ext-overspend'))?.valueBoolean).toBe(true);
    }
  });

  it('makes one payment for each X-Request-ID that was answered with one, and none besides', async () => {
    expect(race.differing).toEqual([]);
    const stored = (await Promise.all(race.budgets.map(({ account }) => resources(`PaymentNotice?budget=Account/${account}`)))).flat().map(({ id }) => id);
    expect(stored.sort()).toEqual([...race.notices.values()].sort());
    expect(new Set(stored).size).toBe(stored.length);
  });

  it('makes one purchase for each that was answered with one', async () => {
    for (const { account, claims } of race.budgets) expect((await resources(`Claim?budget=Account/${account}`)).map(({ id }) => id).sort()).toEqual(claims.map(({ id }) => id).sort());
  });

  it('closes a budget once, and nothing is bought on it afterwards', async () => {
    expect(closed.map((winners) => winners.filter(Boolean).length)).toEqual([1, 1]);
    for (const budget of race.budgets.filter(({ review }) => review !== undefined)) {
      expect(await balanceOf(servers.front, budget.account)).toMatchObject({ committed: 0, available: 0 });
      const late = await servers.send(0, 'POST', 'Claim', { body: purchaseBody({ ...budget, amount: 0.01, line: budget.lines[0]?.lineId }) });
      expect([late.status, errorCode(late)]).toEqual([422, 'ACCOUNT_NOT_ACTIVE']);
    }
  });

  it('keeps ledger, balance, statement, report and resources equal to the penny', async () => {
    const all: ResourceSums[] = [];
    for (const { account } of race.budgets) {
      const { purchases, available, ...told } = await resourceSums(get, account);
      all.push({ purchases, available, ...told });
      const ledger = await rows(`select sum(allocated)::int as allocated, sum(committed)::int as committed, sum(spent)::int as spent, sum(disbursed)::int as disbursed from fhir.ledger where account = $1`, [account]);
      expect(ledger).toEqual([told]);
      const balance = Object.entries(await balanceOf(servers.front, account)).map(([name, value]) => [name, Math.round(value * 100)]);
      expect(Object.fromEntries(balance)).toMatchObject({ ...told, available });
      const last = await lastOfStatement(account);
      expect(penceOf(last.extension.find(({ url }: any) => url.endsWith('/ext-running-balance')).valueMoney)).toBe(available);
    }
    const report = await get(`Measure/phb-spend/$evaluate-measure?periodStart=2026-10-01&periodEnd=2026-12-31&reporter=${race.budgets[0]?.body.owner.reference}`);
    const whole = report.group.find(({ code }: any) => code.coding[0].code === 'total');
    expect(penceOf(whole.extension[0].valueMoney)).toBe(all.reduce((sum, { spent }) => sum + spent, 0));
  });

  it('leaves nothing that the doctor would find', async () => {
    expect(await runCommand(['doctor'], { DATABASE_URL: servers.clone.url, DATA_DIR: servers.dataDir })).toMatchObject({ code: 0, stdout: expect.stringContaining('The ledger agrees with every total') });
  });
});
