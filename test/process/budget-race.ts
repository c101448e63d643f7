// Many clients who spend, pay, refund, move, advance, cancel and close on few budgets with little money, all at once, over two servers.
import { randomUUID } from 'node:crypto';
import { directLine, linkPlan, onAccount, parametersBody } from '../domain/payments.js';
import { gbp, linesOf, organization, person, type LineBody } from '../domain/budgets.js';
import { opened, parties, purchaseBody, type Opened } from '../domain/purchases.js';
import type { Sent, TwoServers } from './two-servers.js';

export type Act = 'purchase' | 'pay' | 'refund' | 'transfer' | 'advance' | 'cancel' | 'close';

interface Money {
  readonly id: string;
  readonly pence: number;
}

export interface RacedBudget extends Opened {
  readonly lines: readonly { readonly lineId: string; readonly model: string }[];
  /** The completed review that allows to close it; undefined where nobody tries. */
  readonly review: string | undefined;
  readonly claims: Money[];
  readonly payments: Money[];
}

export interface Race {
  readonly budgets: readonly RacedBudget[];
  /** How often each act got each status. */
  readonly counts: Map<Act, Map<number, number>>;
  /** The notice that each request made, by its X-Request-ID, as the first answer told it. */
  readonly notices: Map<string, string>;
  /** What a repeated request was answered otherwise than before. */
  readonly differing: string[];
}

export const pounds = (pence: number): number => pence / 100;
const MAX_TRIES = 1000;

/** Six budgets of all models and mixes, two of them to be closed. */
export async function openRace(servers: TwoServers): Promise<Race> {
  const { front } = servers;
  const known = await parties(front);
  const holder = `Organization/${await organization(front, 'ISF1', 'third-party')}`;
  const notional = (amount: number): LineBody => ({ amount: gbp(amount) });
  const third = (amount: number): LineBody => ({ model: 'third-party', amount: gbp(amount), holder });
  const budgets: RacedBudget[] = [];
  const add = async (lines: (patient: string) => Promise<readonly LineBody[]>, closes = false): Promise<void> => {
    const patient = await person(front);
    const on = await opened(front, known, { patient, lines: await lines(patient) });
    await linkPlan(front, on.account, patient);
    const review = closes ? `Task/${(await onAccount(front, on.account, 'review', [{ name: 'outcome', valueCode: 'close' }])).id}` : undefined;
    budgets.push({ ...on, lines: linesOf(on.body), review, claims: [], payments: [] });
  };
  await add(async () => [notional(150)]);
  await add(async () => [third(150)]);
  await add(async (patient) => [await directLine(front, patient, 150)]);
  await add(async (patient) => [notional(80), third(80), await directLine(front, patient, 80)]);
  await add(async () => [notional(90), notional(60)], true);
  await add(async () => [third(90), notional(60)], true);
  return { budgets, counts: new Map(), notices: new Map(), differing: [] };
}

const below = (count: number): number => Math.floor(Math.random() * count);
const oneOf = <T>(list: readonly T[]): T | undefined => list[below(list.length)];

/** `requests` acts by `clients` at a time; `at` is told how many have been begun before each. Each client has a server of its own. */
export async function run(race: Race, servers: TwoServers, { requests, clients, at }: { readonly requests: number; readonly clients: number; readonly at: (begun: number) => void }): Promise<void> {
  let begun = 0;
  const client = async (_: unknown, number: number): Promise<void> => {
    while (begun < requests) {
      at((begun += 1));
      await actOnce(race, servers, number);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
}

async function actOnce(race: Race, servers: TwoServers, client: number): Promise<void> {
  const budget = oneOf(race.budgets) as RacedBudget;
  const turn = below(100);
  if (turn < 40) return purchase(race, budget, servers, client);
  if (turn < 68) return pay(race, budget, servers, client, turn < 46);
  if (turn < 80) return refund(race, budget, servers, client);
  if (turn < 88) return transfer(race, budget, servers, client);
  if (turn < 94) return advance(race, budget, servers, client);
  return cancel(race, budget, servers, client);
}

function count({ counts }: Race, act: Act, { status }: Sent): void {
  const of = counts.get(act) ?? new Map<number, number>();
  counts.set(act, of.set(status, (of.get(status) ?? 0) + 1));
}

async function purchase(race: Race, budget: RacedBudget, servers: TwoServers, client: number): Promise<void> {
  const pence = 1 + below(3000);
  const answer = await servers.send(client, 'POST', 'Claim', { body: purchaseBody({ ...budget, amount: pounds(pence), line: oneOf(budget.lines)?.lineId }) });
  count(race, 'purchase', answer);
  if (answer.status === 201) budget.claims.push({ id: answer.body.id, pence });
}

/** Pays all or a part; `twice`: both servers are asked at the same time, with one X-Request-ID. */
async function pay(race: Race, budget: RacedBudget, servers: TwoServers, client: number, twice = false): Promise<void> {
  const claim = oneOf(budget.claims);
  if (!claim) return purchase(race, budget, servers, client);
  const pence = below(2) === 0 ? claim.pence : 1 + below(claim.pence);
  const ask = { body: parametersBody({ amount: pounds(pence) }) };
  const path = `Claim/${claim.id}/$pay`;
  const requestId = randomUUID();
  const [answer, again] = await Promise.all([servers.send(client, 'POST', path, { ...ask, requestId }), ...(twice ? [servers.send(client + 1, 'POST', path, { ...ask, requestId })] : [])]);
  count(race, 'pay', answer);
  const made = [answer, again].find((one) => one?.status === 200);
  if (!made) return;
  // A refusal leaves no row: of two that are judged one after the other, the later may find what the first did not.
  if (again?.status === 200 && answer.status === 200 && again.text !== answer.text) race.differing.push(requestId);
  budget.payments.push({ id: noted(race, made, made.body.entry.find(({ resource }: any) => resource.resourceType === 'PaymentNotice').resource.id), pence });
}

/** Remembers the notice that a request made. */
function noted({ notices }: Race, { requestId }: Sent, notice: string): string {
  notices.set(requestId, notice);
  return notice;
}

async function refund(race: Race, budget: RacedBudget, servers: TwoServers, client: number): Promise<void> {
  const payment = oneOf(budget.payments);
  if (!payment) return purchase(race, budget, servers, client);
  const answer = await servers.send(client, 'POST', `PaymentNotice/${payment.id}/$refund`, { body: parametersBody({ amount: pounds(1 + below(payment.pence)), reason: 'returned' }) });
  count(race, 'refund', answer);
  if (answer.status === 201) noted(race, answer, answer.body.id);
}

/** As one who reads the Account, changes it, and reads it again after 412. */
async function onCurrent(race: Race, act: 'transfer' | 'close', { account }: RacedBudget, body: object, servers: TwoServers, client: number): Promise<Sent> {
  const operation = act === 'transfer' ? 'transfer-allocation' : 'close';
  for (let tried = 0; ; tried += 1) {
    const { headers } = await servers.send(client, 'GET', `Account/${account}`);
    const answer = await servers.send(client, 'POST', `Account/${account}/$${operation}`, { body, headers: { 'if-match': headers['etag'] ?? '' } });
    count(race, act, answer);
    if (answer.status !== 412 || tried === MAX_TRIES) return answer;
  }
}

async function transfer(race: Race, budget: RacedBudget, servers: TwoServers, client: number): Promise<void> {
  const [from, to] = [oneOf(budget.lines), oneOf(budget.lines)];
  if (!from || !to || from === to) return purchase(race, budget, servers, client);
  const parameter = [{ name: 'from', valueString: from.lineId }, { name: 'to', valueString: to.lineId }, { name: 'amount', valueMoney: gbp(pounds(1 + below(4000))) }, { name: 'reason', valueString: 'needed there' }];
  await onCurrent(race, 'transfer', budget, { resourceType: 'Parameters', parameter }, servers, client);
}

async function advance(race: Race, budget: RacedBudget, servers: TwoServers, client: number): Promise<void> {
  const line = budget.lines.find(({ model }) => model === 'direct-payment');
  if (!line) return purchase(race, budget, servers, client);
  const answer = await servers.send(client, 'POST', `Account/${budget.account}/$pay`, { body: parametersBody({ amount: pounds(1 + below(2000)), kind: 'advance', allocationId: line.lineId }) });
  count(race, 'advance', answer);
  if (answer.status === 200) noted(race, answer, answer.body.entry.find(({ resource }: any) => resource.resourceType === 'PaymentNotice').resource.id);
}

async function cancel(race: Race, budget: RacedBudget, servers: TwoServers, client: number): Promise<void> {
  const claim = oneOf(budget.claims);
  if (!claim) return purchase(race, budget, servers, client);
  const { body } = await servers.send(client, 'GET', `Claim/${claim.id}`);
  count(race, 'cancel', await servers.send(client, 'PUT', `Claim/${claim.id}`, { body: { ...body, status: 'cancelled' } }));
}

/** Pays what is outstanding and closes, until the budget is closed; others go on buying meanwhile. True where this client closed it. */
export async function close(race: Race, budget: RacedBudget, servers: TwoServers, client: number): Promise<boolean> {
  const body = { resourceType: 'Parameters', parameter: [{ name: 'review', valueReference: { reference: budget.review } }, { name: 'reason', valueCode: 'review' }] };
  for (let tried = 0; tried < MAX_TRIES; tried += 1) {
    const answer = await onCurrent(race, 'close', budget, body, servers, client);
    if (answer.status !== 409) return answer.status === 200;
    await Promise.all((answer.body.issue as any[]).map(async ({ details }) => {
      const [, claim, amount] = /^Claim\/(\S+): £([\d.]+)/.exec(details.text) ?? [];
      if (claim === undefined) return;
      const paid = await servers.send(client, 'POST', `Claim/${claim}/$pay`, { body: parametersBody({ amount: Number(amount) }) });
      count(race, 'pay', paid);
      if (paid.status === 200) noted(race, paid, paid.body.entry.find(({ resource }: any) => resource.resourceType === 'PaymentNotice').resource.id);
    }));
  }
  return false;
}
