// The sums of domain.md section 6, by their numbers there, and any sequence of payments and refunds against a model of the rules.
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { examineBudgets } from '../../src/budgets/doctor.js';
import { post } from '../../src/budgets/ledger/ledger.js';
import { errorCode } from './people.js';
import { gbp, linesOf, made } from './budgets.js';
import { balanceOf, change, opened, parties, purchaseBody, recorded } from './purchases.js';
import { call, codeIn, directLine, linkPlan, paidIn, pay, refund } from './payments.js';
import { startServer, type Answer, type TestServer } from '../server.js';

let server: TestServer;
let known: { owner: string; provider: string };
beforeAll(async () => {
  server = await startServer();
  known = await parties(server);
});
afterAll(async () => {
  expect(await differences()).toEqual([]);
  await server.close();
});

/** What the doctor finds; that `spread` holds more on lines than the items of its Claims say is as it should be. */
async function differences(): Promise<readonly object[]> {
  const { differences: found } = await examineBudgets(server.database);
  return found.filter(({ text }) => !spreadClaims.some((claim) => text === `the items kept of Claim/${claim} do not come to what its ledger holds`));
}
const spreadClaims: string[] = [];

const available = async (account: string): Promise<number | undefined> => (await balanceOf(server, account))['available'];
const read = (path: string): Promise<Answer> => server.send('GET', path, { token: server.tokens.admin });
const cancel = async (id: string): Promise<Answer> => change(server, (await read(`Claim/${id}`)).body, { status: 'cancelled' });

test('6.6 preauthorisation, claim, payment and refund on 1000.00: available is 900.00, 910.00, 910.00, 930.00, and 1000.00 in the end', async () => {
  const on = await opened(server, known, { lines: [{ amount: gbp(1000) }] });
  const commitment = await recorded(server, purchaseBody({ ...on, amount: 100, use: 'preauthorization' }));
  expect(await available(on.account)).toBe(900);
  const claim = await recorded(server, purchaseBody({ ...on, amount: 90, fulfils: commitment.id }));
  expect(await available(on.account)).toBe(910);
  const { notice } = paidIn(await pay(server, claim.id, 90));
  expect(await available(on.account)).toBe(910);
  expect((await refund(server, notice.id, 20)).status).toBe(201);
  expect(await available(on.account)).toBe(930);
  expect((await cancel(claim.id)).status).toBe(409);
  expect((await refund(server, notice.id, 70)).status).toBe(201);
  expect((await cancel(claim.id)).status).toBe(200);
  expect(await balanceOf(server, on.account)).toMatchObject({ allocated: 1000, committed: 0, spent: 0, available: 1000 });
});

describe('a commitment that a purchase has taken over, whole or in part', () => {
  test.each([['in part', 40, false, 60], ['whole', 40, true, 0], ['to the penny', 100, false, 0]])('%s: sent again as it was, by any road, it reserves no more than what is left', async (_how, used, final, left) => {
    const on = await opened(server, known, { lines: [{ amount: gbp(1000) }] });
    const commitment = await recorded(server, purchaseBody({ ...on, amount: 100, use: 'preauthorization' }));
    await recorded(server, purchaseBody({ ...on, amount: used, fulfils: commitment.id, final }));
    const before = (await read(`Claim/${commitment.id}`)).body;
    const patch = [{ op: 'add', path: '/identifier', value: [{ value: 'note' }] }];
    const token = server.tokens.admin;
    expect((await change(server, before, {})).status).toBe(200);
    expect((await server.send('PATCH', `Claim/${commitment.id}`, { token, body: JSON.stringify(patch), headers: { 'content-type': 'application/json-patch+json' } })).status).toBe(200);
    expect((await server.send('POST', '', { token, body: { resourceType: 'Bundle', type: 'transaction', entry: [{ request: { method: 'PUT', url: `Claim/${commitment.id}` }, resource: before }] } })).status).toBe(200);
    expect(await balanceOf(server, on.account)).toMatchObject({ committed: used + left, available: 1000 - used - left });
  });

  it('keeps its amount and its line: what of it is used can\'t be told apart again', async () => {
    const on = await opened(server, known, { lines: [{ amount: gbp(1000) }, { amount: gbp(500) }] });
    const [line, other] = linesOf(on.body).map(({ lineId }) => lineId);
    const commitment = await recorded(server, purchaseBody({ ...on, line, amount: 100, use: 'preauthorization' }));
    expect((await change(server, commitment, purchaseBody({ ...on, line, amount: 120, use: 'preauthorization' }))).status).toBe(200);
    await recorded(server, purchaseBody({ ...on, line, amount: 40, fulfils: commitment.id, final: false }));
    for (const rest of [{ line, amount: 100 }, { line, amount: 80 }, { line: other, amount: 120 }]) {
      const answer = await change(server, (await read(`Claim/${commitment.id}`)).body, purchaseBody({ ...on, ...rest, use: 'preauthorization' }));
      expect([answer.status, errorCode(answer)]).toEqual([422, 'FORBIDDEN_UPDATE']);
    }
    expect((await cancel(commitment.id)).status).toBe(200);
    expect(await balanceOf(server, on.account)).toMatchObject({ committed: 40, available: 1460 });
  });
});

test('what a purchase takes over of a commitment asks for nobody\'s approval, though the line is overspent by another', async () => {
  const on = await opened(server, known, { lines: [{ amount: gbp(100) }], policy: 'approve' });
  const commitment = await recorded(server, purchaseBody({ ...on, amount: 60, use: 'preauthorization' }));
  const dear = await recorded(server, purchaseBody({ ...on, amount: 70 }));
  expect(dear.status).toBe('draft');
  expect((await call(server, `Claim/${dear.id}/$approve`, { reason: 'needed' })).status).toBe(200);
  expect(await available(on.account)).toBe(-30);
  const within = await recorded(server, purchaseBody({ ...on, amount: 60, fulfils: commitment.id }));
  expect(within.status).toBe('active');
  expect(JSON.stringify(within)).not.toContain('ext-overspend');
  expect(await available(on.account)).toBe(-30);
  expect((await recorded(server, purchaseBody({ ...on, amount: 0.01 }))).status).toBe('draft');
});

test('6.7 a direct payment is not spend: of 300.00 advanced 120.00 are spent, and 180.00 can be had back', async () => {
  const patient = (await made(server, { resourceType: 'Patient', name: [{ family: 'Sample' }] })).id;
  const on = await opened(server, known, { patient, lines: [await directLine(server, patient, 1000)] });
  await linkPlan(server, on.account, patient);
  const token = await server.token('patient', { patient });
  expect((await call(server, `Account/${on.account}/$pay`, { amount: 300, kind: 'advance' })).status).toBe(200);
  expect(await balanceOf(server, on.account)).toMatchObject({ available: 1000, spent: 0, heldByHolder: 300 });
  const claim = await recorded(server, purchaseBody({ ...on, amount: 120 }));
  expect((await pay(server, claim.id, 120, { token })).status).toBe(200);
  expect(await balanceOf(server, on.account)).toMatchObject({ available: 880, spent: 120, disbursed: 300, heldByHolder: 180 });
  const death = { reason: 'death', noticeDate: '2026-11-20' };
  const over = await call(server, `Account/${on.account}/$clawback`, { amount: 300, ...death });
  expect([over.status, errorCode(over)]).toEqual([422, 'INSUFFICIENT_FUNDS']);
  expect((await call(server, `Account/${on.account}/$clawback`, { amount: 180, ...death })).status).toBe(201);
  expect(await balanceOf(server, on.account)).toMatchObject({ allocated: 820, available: 700, spent: 120, disbursed: 120, heldByHolder: 0 });
});

/** A purchase whose money is on three lines, as that of a joint budget is: the Claim's own, and two added to the books. */
async function spread(pence: readonly [number, number, number]): Promise<{ account: string; claim: string; lines: readonly string[] }> {
  const on = await opened(server, known, { lines: [{ amount: gbp(4000) }, { amount: gbp(3000) }, { amount: gbp(5000) }] });
  const lines = linesOf(on.body).map(({ lineId }) => lineId);
  const { id: claim } = await recorded(server, purchaseBody({ ...on, amount: pence[0] / 100, line: lines[0] }));
  spreadClaims.push(claim);
  const caller = { role: 'admin', client: 'test', subject: 'test', scopes: [] } as const;
  await server.database.transaction((db) =>
    post([1, 2].map((index) => ({ id: randomUUID(), account: on.account, line: lines[index]!, kind: 'commit', amount: BigInt(pence[index]!), claim })), { db, caller, now: Date.now() }));
  return { account: on.account, claim, lines };
}

describe('a purchase on three lines of 33.34, 33.33 and 33.33', () => {
  it('is paid and refunded from each in proportion, to the penny', async () => {
    const { account, claim, lines } = await spread([3334, 3333, 3333]);
    const { notice } = paidIn(await pay(server, claim, 50));
    expect((await refund(server, notice.id, 0.02)).status).toBe(201);
    const { rows } = await server.database.query<{ line: string; kind: string; amount: number }>({ text: `select line, kind, amount from fhir.ledger where account = $1 and kind in ('spend', 'refund')`, values: [account] });
    const amounts = (kind: string): number[] => lines.map((line) => rows.filter((row) => row.line === line && row.kind === kind).reduce((sum, { amount }) => sum + amount, 0));
    expect(amounts('spend')).toEqual([1667, 1667, 1666].sort((a, b) => b - a));
    expect(amounts('refund').reduce((sum, one) => sum + one, 0)).toBe(2);
  });

  it('is paid from one of them where that is named', async () => {
    const { claim, lines } = await spread([3334, 3333, 3333]);
    expect((await call(server, `Claim/${claim}/$pay`, { amount: 33.34, allocationId: lines[1] })).status).toBe(422);
    expect((await call(server, `Claim/${claim}/$pay`, { amount: 33.33, allocationId: lines[1] })).status).toBe(200);
    expect((await pay(server, claim, 66.67)).status).toBe(200);
    expect((await pay(server, claim, 0.01)).status).toBe(422);
  });
});

const pounds = (pence: number): number => pence / 100;
const act = fc.oneof(
  fc.record({ kind: fc.constant('pay' as const), pence: fc.integer({ min: 1, max: 6000 }), again: fc.boolean() }),
  fc.record({ kind: fc.constant('refund' as const), pence: fc.integer({ min: 1, max: 4000 }), which: fc.nat(5), again: fc.boolean() }),
);

interface Payment {
  readonly id: string;
  readonly pence: number;
  refunded: number;
}

test('any sequence of payments and refunds keeps claim, lines, ledger and notices equal, and pays nothing twice', async () => {
  await fc.assert(fc.asyncProperty(fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 5000 })), fc.array(act, { minLength: 1, maxLength: 12 }), async (pence, acts) => {
    const { account, claim } = await spread(pence);
    const whole = pence.reduce((sum, one) => sum + one, 0);
    const payments: Payment[] = [];
    let outstanding = whole;
    for (const one of acts) {
      const payment = one.kind === 'refund' ? payments[one.which] : undefined;
      if (one.kind === 'refund' && !payment) continue;
      const requestId = randomUUID();
      const send = (): Promise<Answer> => (payment ? refund(server, payment.id, pounds(one.pence), { requestId }) : pay(server, claim, pounds(one.pence), { requestId }));
      const answer = await send();
      if (payment) {
        expect(answer.status).toBe(one.pence <= payment.pence - payment.refunded ? 201 : 422);
        if (answer.status === 201) payment.refunded += one.pence;
      } else {
        expect(answer.status).toBe(one.pence <= outstanding ? 200 : 422);
        if (answer.status === 200) {
          payments.push({ id: paidIn(answer).notice.id, pence: one.pence, refunded: 0 });
          outstanding -= one.pence;
        }
      }
      if (one.again && answer.status < 300) expect((await send()).text).toBe(answer.text);
    }
    await reconcile(account, claim, { outstanding, payments });
  }), { numRuns: 12 });
  expect(await differences()).toEqual([]);
});

/** Four ways to the same sums: the model, the totals, the rows of the claim, and the notices themselves. */
async function reconcile(account: string, claim: string, { outstanding, payments }: { readonly outstanding: number; readonly payments: readonly Payment[] }): Promise<void> {
  const paid = payments.reduce((sum, one) => sum + one.pence, 0);
  const refunded = payments.reduce((sum, one) => sum + one.refunded, 0);
  expect(await balanceOf(server, account)).toMatchObject({ allocated: 12000, committed: pounds(outstanding), spent: pounds(paid - refunded), available: pounds(1_200_000 - outstanding - paid + refunded) });
  const held = await server.database.query<Record<string, string>>({ text: 'select sum(committed)::text as committed, sum(paid)::text as paid, sum(refunded)::text as refunded from fhir.claim_commitment where claim = $1', values: [claim] });
  expect(held.rows).toEqual([{ committed: String(outstanding), paid: String(paid), refunded: String(refunded) }]);
  const { body } = await read(`PaymentNotice?request=Claim/${claim}&_count=100`);
  const notices = (body.entry ?? []).map(({ resource }: any) => resource);
  const total = (kind: string): number => notices.filter((notice: any) => codeIn(notice, 'payment-kind') === kind).reduce((sum: number, notice: any) => sum + Math.round(notice.amount.value * 100), 0);
  expect([total('payment'), total('refund')]).toEqual([paid, refunded]);
  const over = await server.database.query({ text: `select from fhir.ledger e where e.account = $1 and e.kind = 'spend' and e.amount < (select sum(r.amount) from fhir.ledger r where r.account = e.account and r.reverses = e.id)`, values: [account] });
  expect(over.count).toBe(0);
}
