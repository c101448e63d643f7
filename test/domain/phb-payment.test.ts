// C32E7: a purchase is paid, money comes back, and the books show it to the penny (domain.md 2.1, 3.8; rulings 14, 36, 37, 50; section 4).
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { BASE, errorCode } from './people.js';
import { closeBalanced, gbp, made } from './budgets.js';
import { balanceOf, change, ledgerOf, opened, purchaseBody, recorded, type Opened } from './purchases.js';
import { call, close, codeIn, linkPlan, onAccount, paidIn, parametersBody, pay, refund, startPaying } from './payments.js';
import type { Answer, TestServer } from '../server.js';

let server: TestServer;
let known: { owner: string; provider: string };
let manager: string;
beforeAll(async () => void ({ server, known, manager } = await startPaying()));
afterAll(() => closeBalanced(server));

const budget = (rest: object = {}): Promise<Opened> => opened(server, known, rest);
const purchase = ({ patient, account, provider }: Opened, amount = 30, rest: object = {}): Promise<any> => recorded(server, purchaseBody({ patient, account, provider, amount, ...rest }));
const text = ({ body }: Answer): string => body.issue[0].details.text;
const read = (path: string, token = server.tokens.admin): Promise<Answer> => server.send('GET', path, { token });
const ledger = (account: string): Promise<[string, number][]> => ledgerOf(server, account);
const wire = readFileSync('test/domain/wire/pay.json', 'utf8');

it('when something was paid, then what each item costs stays as it is, also where the total would be the same', async () => {
  const on = await budget();
  const items = (...nets: number[]): object => ({ item: nets.map((net, index) => ({ sequence: index + 1, productOrService: { text: 'Something' }, net: gbp(net) })) });
  const claim = await purchase(on, 30, { rest: items(20, 10) });
  expect((await change(server, claim, items(15, 15))).status).toBe(200);
  expect((await pay(server, claim.id, 5)).status).toBe(200);
  const { body: paid } = await read(`Claim/${claim.id}`);
  for (const rest of [items(20, 10), items(30), { ...items(15, 15), total: gbp(30), item: [...paid.item].reverse().map((one: any, index) => ({ ...one, sequence: index + 1, net: gbp(index === 0 ? 14 : 16) })) }]) {
    const answer = await change(server, paid, rest);
    expect([answer.status, errorCode(answer)]).toEqual([422, 'FORBIDDEN_UPDATE']);
  }
  expect((await change(server, paid, items(15, 15))).status).toBe(200);
});

describe('given a purchase of 30.00 on a notional line', () => {
  it('when the manager pays 30.00 as the wire example has it, then it is spent, and notice and reconciliation say so', async () => {
    const on = await budget();
    const claim = await purchase(on);
    const answer = await server.send('POST', `Claim/${claim.id}/$pay`, { token: manager, body: wire });
    expect(answer.status).toBe(200);
    expect([answer.body.resourceType, answer.body.type]).toEqual(['Bundle', 'collection']);
    const { reconciliation, notice } = paidIn(answer);
    expect(notice).toMatchObject({
      resourceType: 'PaymentNotice', status: 'active', request: { reference: `Claim/${claim.id}` }, payment: { reference: `PaymentReconciliation/${reconciliation.id}` },
      recipient: { reference: `Organization/${known.owner}` }, payee: { reference: `Organization/${known.provider}` }, paymentDate: '2026-11-21', amount: gbp(30), paymentStatus: { coding: [{ code: 'paid' }] },
    });
    expect([codeIn(notice, 'payment-kind'), notice.modifierExtension]).toEqual(['payment', undefined]);
    expect(reconciliation).toMatchObject({ resourceType: 'PaymentReconciliation', status: 'active', outcome: 'complete', paymentDate: '2026-11-21', paymentAmount: gbp(30), detail: [{ request: { reference: `Claim/${claim.id}` }, amount: gbp(30) }] });
    expect(answer.text).toContain('"paymentAmount":{"value":30.00,"currency":"GBP"}');
    expect(await balanceOf(server, on.account)).toMatchObject({ allocated: 12000, committed: 0, spent: 30, available: 11970 });
    expect(await ledger(on.account)).toEqual([['allocation', 1200000], ['commit', 3000], ['spend', 3000]]);
    for (const { fullUrl, resource } of answer.body.entry) expect((await read(fullUrl.slice(server.base.length + 1))).body).toEqual(resource);
  });

  it('then what is stored meets its profiles', async () => {
    const on = await budget();
    const { reconciliation, notice } = paidIn(await pay(server, (await purchase(on)).id, 30));
    const back = (await refund(server, notice.id, 5)).body;
    for (const resource of [reconciliation, notice, back]) {
      const { body } = await server.send('POST', `${resource.resourceType}/$validate`, { token: server.tokens.admin, body: resource });
      expect(body.issue.filter(({ severity }: any) => severity === 'error')).toEqual([]);
    }
  });

  it('when it is paid whole, then it is outstanding no more; in part, then it still is', async () => {
    const claim = await purchase(await budget());
    const outstanding = async (): Promise<unknown> => (await read(`Claim/${claim.id}`)).body.extension.find(({ url }: any) => url === `${BASE}/StructureDefinition/ext-outstanding`).valueBoolean;
    expect((await pay(server, claim.id, 10)).status).toBe(200);
    expect(await outstanding()).toBe(true);
    expect((await pay(server, claim.id, 20)).status).toBe(200);
    expect(await outstanding()).toBe(false);
    expect((await read(`Claim/${claim.id}`)).text).toContain('30');
  });

  it('when more is paid than is outstanding, then 422 with what is, and nothing has moved', async () => {
    const on = await budget();
    const claim = await purchase(on);
    const over = await pay(server, claim.id, 30.01);
    expect([over.status, text(over)]).toEqual([422, expect.stringContaining('£30.00 outstanding')]);
    await pay(server, claim.id, 30);
    const again = await pay(server, claim.id, 0.01);
    expect([again.status, text(again)]).toEqual([422, expect.stringContaining('nothing is outstanding')]);
    expect(await balanceOf(server, on.account)).toMatchObject({ spent: 30, committed: 0 });
  });

  it('when the payment is no amount of whole pence in pounds, or of a day to come, or to nobody, then 422', async () => {
    const claim = await purchase(await budget());
    const refused: readonly [object, string?][] = [
      [{ amount: { value: 30, currency: 'USD' } }, 'CURRENCY_MISMATCH'], [{ amount: 0.005 }], [{ amount: 0 }], [{ amount: -1 }], [{ kind: 'payment' }],
      [{ amount: 30, paymentDate: '2999-01-01' }], [{ amount: 30, paymentDate: '2026-11' }], [{ amount: 30, payee: 'Organization/nobody' }],
      [{ amount: 30, payee: 'Device/1' }], [{ amount: 30, kind: 'advance' }], [{ amount: 30, kind: 'gift' }], [{ amount: 30, allocationId: 'other' }],
    ];
    for (const [values, code] of refused) {
      const answer = await call(server, `Claim/${claim.id}/$pay`, values as Record<string, unknown>);
      expect([values, answer.status]).toEqual([values, 422]);
      if (code !== undefined) expect(errorCode(answer)).toBe(code);
    }
    expect((await call(server, `Claim/${claim.id}/$pay`, { sum: '30' })).status).toBe(400);
    expect((await read(`Claim/${claim.id}/$pay?kind=payment`)).status).toBe(405);
  });

  it('when it is more than the budget could ever pay, then 422 INSUFFICIENT_FUNDS with what is available', async () => {
    const on = await budget();
    const claim = await purchase(on);
    const [over, beyond] = [await pay(server, claim.id, 12000), await pay(server, claim.id, 12000.01)];
    expect([over.status, errorCode(over), text(over)]).toEqual([422, undefined, expect.stringContaining('£30.00 outstanding, and £12000.00')]);
    expect([beyond.status, errorCode(beyond), text(beyond)]).toEqual([422, 'INSUFFICIENT_FUNDS', expect.stringContaining('£11970.00 available')]);
  });

  it('when a person is paid, then that is the patient of the budget or someone related to them', async () => {
    const on = await budget();
    const other = await budget();
    const claim = await purchase(on);
    const related = async (patient: string): Promise<string> => (await made(server, { resourceType: 'RelatedPerson', patient: { reference: `Patient/${patient}` } })).id;
    for (const payee of [`Patient/${on.patient}`, `RelatedPerson/${await related(on.patient)}`]) expect((await pay(server, claim.id, 1, { values: { payee } })).status).toBe(200);
    for (const payee of [`Patient/${other.patient}`, `RelatedPerson/${await related(other.patient)}`]) {
      const answer = await pay(server, claim.id, 1, { values: { payee } });
      expect([answer.status, text(answer)]).toEqual([422, expect.stringContaining('not the patient of this budget')]);
    }
    expect(await balanceOf(server, on.account)).toMatchObject({ spent: 2 });
  });

  it('then the record says whom each payment, refund and look at the balance was about', async () => {
    const on = await budget();
    const claim = await purchase(on);
    const { notice } = paidIn(await pay(server, claim.id, 10));
    expect((await refund(server, notice.id, 4)).status).toBe(201);
    const commissioner = await server.token('commissioner', { organization: 'QWE' });
    for (const query of ['', '?byAllocation=true']) expect((await read(`Account/${on.account}/$balance${query}`, commissioner)).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const { body } = await read(`AuditEvent?patient=Patient/${on.patient}&_count=100`);
    const operations = body.entry.map(({ resource }: any) => resource).filter(({ subtype }: any) => subtype.some(({ code }: any) => code === 'operation'));
    expect(operations.map(({ entity }: any) => entity[0].what.reference).sort()).toEqual([`Account/${on.account}`, `Account/${on.account}`, `Claim/${claim.id}`, `PaymentNotice/${notice.id}`]);
  });

  it('when the same X-Request-ID comes twice, then there is one payment and the first answer byte for byte; with another body 422', async () => {
    const on = await budget();
    const claim = await purchase(on);
    const requestId = '3f0f3f6a-6b0a-4f4e-9a53-1f1b6f6f7a01';
    const first = await pay(server, claim.id, 10, { requestId });
    const second = await pay(server, claim.id, 10, { requestId });
    expect([second.status, second.text]).toEqual([200, first.text]);
    expect((await pay(server, claim.id, 11, { requestId })).status).toBe(422);
    expect(await balanceOf(server, on.account)).toMatchObject({ spent: 10, committed: 20 });
  });

  it('when it is a draft, a commitment, cancelled or no purchase at all, then 422; not there, then 404', async () => {
    const on = await budget();
    const draft = await purchase(on, 30, { status: 'draft' });
    const commitment = await purchase(on, 30, { use: 'preauthorization' });
    const cancelled = await purchase(on);
    expect((await change(server, cancelled, { status: 'cancelled' })).status).toBe(200);
    const { extension: _extension, ...body } = purchaseBody(on);
    const plain = await made(server, { ...body, type: { text: 'plain' }, insurance: [{ sequence: 1, focal: true, coverage: { display: 'other' } }] });
    for (const { id } of [draft, commitment, cancelled, plain]) expect((await pay(server, id, 30)).status).toBe(422);
    expect((await pay(server, 'not-there', 30)).status).toBe(404);
  });

  it('when the budget is suspended or closed, then 422 ACCOUNT_NOT_ACTIVE', async () => {
    const [suspended, closed] = [await budget(), await budget()];
    const claim = await purchase(suspended);
    await onAccount(server, suspended.account, 'suspend', [{ name: 'reason', valueString: 'under inquiry' }]);
    const paidClaim = await purchase(closed);
    await pay(server, paidClaim.id, 30);
    await close(server, closed.account, closed.patient);
    for (const { id } of [claim, paidClaim]) {
      const answer = await pay(server, id, 30);
      expect([answer.status, errorCode(answer)]).toEqual([422, 'ACCOUNT_NOT_ACTIVE']);
    }
  });

  it('when two pay the whole at the same moment, then exactly one does', async () => {
    const on = await budget();
    const claim = await purchase(on);
    const answers = await Promise.all([pay(server, claim.id, 30, { token: manager }), pay(server, claim.id, 30), pay(server, claim.id, 30)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 422, 422]);
    expect(await balanceOf(server, on.account)).toMatchObject({ spent: 30, committed: 0, available: 11970 });
  });

  it('when 40 pay 1.00 each at the same moment, with X-Request-IDs of which ten come twice, then 30 different ones do, and nothing fails', async () => {
    const on = await budget();
    const claim = await purchase(on);
    const ids = Array.from({ length: 40 }, () => randomUUID());
    const answers = await Promise.all([...ids, ...ids.slice(0, 10)].map((requestId) => pay(server, claim.id, 1, { requestId })));
    expect(answers.filter(({ status }) => status !== 200 && status !== 422)).toEqual([]);
    const notices = new Set(answers.flatMap((answer) => (answer.status === 200 ? [paidIn(answer).notice.id] : [])));
    expect(notices.size).toBe(30);
    expect(await balanceOf(server, on.account)).toMatchObject({ spent: 30, committed: 0, available: 11970 });
  });

  it('when payments are entries of a transaction, then all are made or none', async () => {
    const on = await budget();
    const [first, second] = [await purchase(on), await purchase(on)];
    const entry = (claim: any, amount: number): object => ({ request: { method: 'POST', url: `Claim/${claim.id}/$pay` }, resource: parametersBody({ amount }) });
    const send = (...entries: readonly object[]): Promise<Answer> => server.send('POST', '', { token: manager, body: { resourceType: 'Bundle', type: 'transaction', entry: entries } });
    expect((await send(entry(first, 30), entry(second, 31))).status).toBe(422);
    expect(await balanceOf(server, on.account)).toMatchObject({ spent: 0, committed: 60 });
    expect((await send(entry(first, 30), entry(second, 30))).status).toBe(200);
    expect(await balanceOf(server, on.account)).toMatchObject({ spent: 60, committed: 0 });
  });

  it('then the first payment, and no later one, has a review due three months after it', async () => {
    const on = await budget();
    const [first, second] = [await purchase(on), await purchase(on)];
    const reviews = async (): Promise<any[]> => ((await read(`Task?focus=Account/${on.account}&code=budget-review`)).body.entry ?? []).map(({ resource }: any) => resource);
    expect(await reviews()).toEqual([]);
    await Promise.all([first, second].map(({ id }) => pay(server, id, 10, { values: { paymentDate: '2026-11-21' } })));
    await pay(server, first.id, 20);
    expect(await reviews()).toEqual([expect.objectContaining({ status: 'requested', for: { reference: `Patient/${on.patient}` }, owner: { reference: `Organization/${known.owner}` }, restriction: { period: { end: '2027-02-21' } } })]);
  });

  it('then a review that was due later is brought forward, and one due earlier stays', async () => {
    for (const [nextDue, due] of [['2027-11-01', '2027-02-21'], ['2026-12-24', '2026-12-24']]) {
      const on = await budget();
      await linkPlan(server, on.account, on.patient);
      const claim = await purchase(on);
      const review = { resourceType: 'Parameters', parameter: [{ name: 'outcome', valueCode: 'continue' }, { name: 'reviewedOn', valueDate: '2026-11-20' }, { name: 'nextDue', valueDate: nextDue }] };
      expect((await server.send('POST', `Account/${on.account}/$review`, { token: server.tokens.admin, body: review })).status).toBe(200);
      await pay(server, claim.id, 10, { values: { paymentDate: '2026-11-21' } });
      const { body } = await read(`Task?focus=Account/${on.account}&code=budget-review&status=requested`);
      expect(body.entry.map(({ resource }: any) => resource.restriction.period.end)).toEqual([due]);
    }
  });
});
