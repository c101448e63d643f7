// C32E7: money comes back, by refund of a payment and by clawback of what a holder has, and nobody writes payments by hand
// (domain.md 3.8 rules 8 and 10, 3.9; rulings 2, 28, 37, 38, 42).
import { BASE, errorCode } from './people.js';
import { closeBalanced, gbp, linesOf, made } from './budgets.js';
import { balanceOf, change, opened, purchaseBody, recorded, type Opened } from './purchases.js';
import { call, close, codeIn, directLine, linkPlan, onAccount, paidIn, parametersBody, pay, refund, startPaying } from './payments.js';
import { teamBody } from './world.js';
import type { Answer, TestServer } from '../server.js';

let server: TestServer;
let known: { owner: string; provider: string };
let manager: string;
beforeAll(async () => void ({ server, known, manager } = await startPaying()));
afterAll(() => closeBalanced(server));

const read = (path: string, token = server.tokens.admin): Promise<Answer> => server.send('GET', path, { token });
const words = ({ body }: Answer): string => body.issue[0].details.text;
const ledger = async (account: string): Promise<readonly any[]> => (await server.database.query<any>({ text: 'select * from fhir.ledger where account = $1 order by number', values: [account] })).rows;

interface Paid extends Opened {
  readonly claim: any;
  readonly notice: any;
}

/** A purchase that is paid whole. */
async function paid(amount = 30): Promise<Paid> {
  const on = await opened(server, known);
  const claim = await recorded(server, purchaseBody({ ...on, amount }));
  return { ...on, claim, notice: paidIn(await pay(server, claim.id, amount)).notice };
}

interface Held extends Opened {
  readonly line: string;
}

/** A direct payment of 500.00 of which the holder has 300.00. */
async function held(): Promise<Held> {
  const patient = (await made(server, { resourceType: 'Patient', name: [{ family: 'Sample' }] })).id;
  const on = await opened(server, known, { patient, lines: [await directLine(server, patient, 500), { amount: gbp(1000) }] });
  await linkPlan(server, on.account, patient);
  expect((await call(server, `Account/${on.account}/$pay`, { amount: 300, kind: 'advance' }, { token: manager })).status).toBe(200);
  return { ...on, line: linesOf(on.body)[0]!.lineId };
}

async function coordinatorOf(patient: string): Promise<string> {
  const { id } = await made(server, { resourceType: 'PractitionerRole', active: true, organization: { reference: `Organization/${known.owner}` } });
  await made(server, teamBody(patient, [`PractitionerRole/${id}`]));
  return server.token('care-coordinator', { practitionerRole: id, organization: 'QWE' });
}

describe('given a payment of 30.00', () => {
  it('when 20.00 come back, then a notice that no client reads as a payment says so, and the money is available', async () => {
    const on = await paid();
    const answer = await refund(server, on.notice.id, 20, { token: manager });
    expect([answer.status, answer.headers['etag'], answer.headers['location']]).toEqual([201, 'W/"1"', expect.stringContaining(`/PaymentNotice/${answer.body.id}/_history/1`)]);
    expect([codeIn(answer.body, 'payment-kind'), codeIn(answer.body, 'reversal')]).toEqual(['refund', 'refund']);
    expect(answer.body.modifierExtension).toHaveLength(1);
    expect(answer.body.extension.find(({ url }: any) => url.endsWith('/ext-reverses')).valueReference).toEqual({ reference: `PaymentNotice/${on.notice.id}` });
    expect(answer.body).toMatchObject({ request: on.notice.request, payment: on.notice.payment, amount: gbp(20), payee: { reference: `Organization/${known.owner}` } });
    expect(await balanceOf(server, on.account)).toMatchObject({ spent: 10, committed: 0, available: 11990 });
    const [, , spend, back] = await ledger(on.account);
    expect([back.kind, back.amount, back.reverses, back.notice, back.claim]).toEqual(['refund', 2000, spend.id, answer.body.id, on.claim.id]);
    const why = await read(`Provenance?target=PaymentNotice/${answer.body.id}`);
    expect(why.body.entry[0].resource).toMatchObject({ reason: [{ text: 'returned' }], activity: { text: 'refund' } });
  });

  it('then the purchase doesn\'t owe it again', async () => {
    const on = await paid();
    await refund(server, on.notice.id, 30);
    expect((await pay(server, on.claim.id, 1)).status).toBe(422);
    expect((await change(server, (await read(`Claim/${on.claim.id}`)).body, { status: 'cancelled' })).status).toBe(200);
  });

  it('when more comes back than was paid and has not come back, then 422 REFUND_EXCEEDS_PAYMENT with what is left', async () => {
    const on = await paid();
    expect((await refund(server, on.notice.id, 20)).status).toBe(201);
    const over = await refund(server, on.notice.id, 10.01);
    expect([over.status, errorCode(over), words(over)]).toEqual([422, 'REFUND_EXCEEDS_PAYMENT', expect.stringContaining('£10.00')]);
    expect((await refund(server, on.notice.id, 10)).status).toBe(201);
    expect(errorCode(await refund(server, on.notice.id, 0.01))).toBe('REFUND_EXCEEDS_PAYMENT');
  });

  it('when a refund, a clawback or an advance is refunded, or a notice of something else, then 422; one that is not there, 404', async () => {
    const on = await paid();
    const back = (await refund(server, on.notice.id, 5)).body;
    const cash = await held();
    const advance = (await read(`PaymentNotice?kind=advance&budget=Account/${cash.account}`)).body.entry[0].resource;
    const plain = await made(server, plainNotice('http://example.org/claim/1'));
    for (const { id } of [back, advance, plain]) expect((await refund(server, id, 1)).status).toBe(422);
    expect((await refund(server, 'not-there', 1)).status).toBe(404);
    for (const values of [{ reason: 'no amount' }, { amount: 0 }, { amount: { value: 1, currency: 'EUR' } }, { amount: 1, paymentDate: '2999-01-01' }]) {
      expect((await call(server, `PaymentNotice/${on.notice.id}/$refund`, values)).status).toBe(422);
    }
  });

  it('when the same refund is sent twice with one X-Request-ID, then it is made once, and answered the same', async () => {
    const on = await paid();
    const requestId = '8d0b6e9a-11f0-4c3b-8a6e-6f1fb8d0a2b1';
    const [first, second] = [await refund(server, on.notice.id, 5, { requestId }), await refund(server, on.notice.id, 5, { requestId })];
    expect([second.status, second.text, second.headers['etag']]).toEqual([201, first.text, first.headers['etag']]);
    expect(await balanceOf(server, on.account)).toMatchObject({ spent: 25 });
  });

  it('when two refunds of the whole meet, then one is made', async () => {
    const on = await paid();
    const answers = await Promise.all([refund(server, on.notice.id, 30), refund(server, on.notice.id, 30), refund(server, on.notice.id, 30)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 422, 422]);
  });

  it('when a care coordinator refunds, then it is proposed, and a manager carries it out', async () => {
    const on = await paid();
    const token = await coordinatorOf(on.patient);
    const asked = JSON.stringify(parametersBody({ amount: 20, reason: 'returned' })).replace('20', '20.00');
    const proposed = await server.send('POST', `PaymentNotice/${on.notice.id}/$refund`, { token, body: asked });
    expect([proposed.status, proposed.body.resourceType, proposed.body.status]).toEqual([202, 'Task', 'requested']);
    expect(proposed.text).toContain('{"value":20.00,"currency":"GBP"}');
    expect(await balanceOf(server, on.account)).toMatchObject({ spent: 30 });
    const done = await call(server, `PaymentNotice/${on.notice.id}/$refund`, { amount: 20, proposal: `Task/${proposed.body.id}` }, { token: manager });
    expect([done.status, (await read(`Task/${proposed.body.id}`)).body.status]).toEqual([201, 'completed']);
    expect((await call(server, `PaymentNotice/${on.notice.id}/$refund`, { amount: 1, proposal: `Task/${proposed.body.id}` }, { token: manager })).status).toBe(422);
  });

  it('when the provider that sold it says it gave money back, then that is proposed and nothing told of the patient; to another provider it is not there', async () => {
    const on = await paid();
    const [own, other] = [await server.token('provider', { organization: 'GYM1' }), await server.token('provider', { organization: 'GYM2' })];
    const proposed = await refund(server, on.notice.id, 20, { token: own });
    expect([proposed.status, proposed.body.resourceType, proposed.text.includes(on.patient)]).toEqual([202, 'OperationOutcome', false]);
    expect((await read(`Task?code=budget-request&focus=PaymentNotice/${on.notice.id}`)).body.total).toBe(1);
    expect(await balanceOf(server, on.account)).toMatchObject({ spent: 30 });
    for (const [id, token] of [[on.notice.id, other], ['not-there', own], ['not-there', other]] as const) expect((await refund(server, id, 20, { token })).status).toBe(404);
    expect((await read(`PaymentNotice/${on.notice.id}`, own)).status).toBe(403);
  });

  it('when another manager or the patient refunds, then 404 or 403', async () => {
    const on = await paid();
    expect((await refund(server, on.notice.id, 1, { token: await server.token('budget-manager', { organization: 'QXX' }) })).status).toBe(404);
    expect((await refund(server, on.notice.id, 1, { token: await server.token('patient', { patient: on.patient }) })).status).toBe(403);
    expect((await refund(server, on.notice.id, 1, { token: await server.token('commissioner', { organization: 'QWE' }) })).status).toBe(201);
  });

  it('when the budget has been closed, then what comes back goes on to its owner; and is granted again when it opens', async () => {
    const on = await paid();
    const review = await close(server, on.account, on.patient);
    expect(await balanceOf(server, on.account)).toMatchObject({ allocated: 30, spent: 30, available: 0 });
    expect((await refund(server, on.notice.id, 20)).status).toBe(201);
    expect(await balanceOf(server, on.account)).toMatchObject({ allocated: 10, spent: 10, available: 0 });
    const account = (await read(`Account/${on.account}`)).body;
    expect(linesOf(account).map(({ amount }) => amount)).toEqual([10]);
    const rows = await ledger(on.account);
    expect(rows.map(({ kind, amount }) => [kind, amount])).toEqual([['allocation', 1_200_000], ['commit', 3000], ['spend', 3000], ['clawback', 1_197_000], ['refund', 2000], ['clawback', 2000]]);
    const why = await read(`Provenance/${rows.at(-1).provenance}`);
    expect(why.body.target).toEqual([{ reference: `Account/${on.account}/_history/${account.meta.versionId}` }]);
    await onAccount(server, on.account, 'reopen', [{ name: 'review', valueReference: { reference: `Task/${review}` } }, { name: 'reason', valueString: 'a mistake' }]);
    expect(await balanceOf(server, on.account)).toMatchObject({ allocated: 12000, spent: 10, available: 11990 });
  });
});

describe('given a holder who has 300.00', () => {
  const NOTICE = { reason: 'unused-accumulated', noticeDate: '2026-11-01' };
  const clawback = (on: Held, values: object, token = manager): Promise<Answer> => call(server, `Account/${on.account}/$clawback`, { ...NOTICE, ...values }, { token });

  it('when 180.00 are clawed back of an open budget, then the holder has less and less is granted', async () => {
    const on = await held();
    const answer = await clawback(on, { amount: 180, deadline: '2026-11-15' });
    expect(answer.status).toBe(201);
    expect([codeIn(answer.body, 'payment-kind'), codeIn(answer.body, 'reversal'), answer.body.request]).toEqual(['clawback', 'clawback', { reference: `Account/${on.account}` }]);
    const ground = answer.body.extension.find(({ url }: any) => url === `${BASE}/StructureDefinition/ext-clawback`).extension;
    expect(ground).toEqual([
      { url: 'ground', valueCode: 'unused-accumulated' }, { url: 'noticeDate', valueDate: '2026-11-01' }, { url: 'deadline', valueDate: '2026-11-15' }, { url: 'payer', valueReference: { reference: `Patient/${on.patient}` } },
    ]);
    expect(await balanceOf(server, on.account)).toMatchObject({ allocated: 1320, disbursed: 120, heldByHolder: 120, available: 1320 });
    const account = (await read(`Account/${on.account}`)).body;
    expect(linesOf(account).map(({ amount }) => amount)).toEqual([320, 1000]);
    expect((await read(`Provenance?target=Account/${on.account}`)).body.entry.some(({ resource }: any) => resource.activity.text === 'clawback')).toBe(true);
    expect((await read(answer.body.payment.reference)).body).toMatchObject({ paymentAmount: gbp(-180), detail: [{ type: { coding: [{ code: 'adjustment' }] } }] });
    const { body } = await server.send('POST', 'PaymentNotice/$validate', { token: server.tokens.admin, body: answer.body });
    expect(body.issue.filter(({ severity }: any) => severity === 'error')).toEqual([]);
  });

  it('when the budget is closed, then the debt shrinks and what was granted stays', async () => {
    const on = await held();
    await close(server, on.account, on.patient);
    expect(await balanceOf(server, on.account)).toMatchObject({ available: 0, heldByHolder: 300 });
    const { allocated } = await balanceOf(server, on.account);
    expect((await clawback(on, { amount: 300, reason: 'death', allocationId: on.line })).status).toBe(201);
    expect(await balanceOf(server, on.account)).toMatchObject({ allocated, disbursed: 0, heldByHolder: 0 });
  });

  it('when more is asked back than the holder has, then 422 with what that is', async () => {
    const on = await held();
    const over = await clawback(on, { amount: 300.01 });
    expect([over.status, errorCode(over), words(over)]).toEqual([422, 'INSUFFICIENT_FUNDS', expect.stringContaining('£300.00')]);
  });

  it('when there is no ground of the law, no notice in writing, or one of a day to come, then 422', async () => {
    const on = await held();
    for (const values of [{ amount: 1, reason: 'greed' }, { amount: 1, reason: undefined }, { amount: 1, noticeDate: undefined }, { amount: 1, noticeDate: '2999-01-01' }, { amount: 1, deadline: '2026-10-01' }, { amount: 0 }, { amount: undefined }, { amount: 1, allocationId: linesOf(on.body)[1]!.lineId }]) {
      expect([values, (await clawback(on, values)).status]).toEqual([values, 422]);
    }
    expect(errorCode(await clawback(on, { amount: { value: 1, currency: 'USD' } }))).toBe('CURRENCY_MISMATCH');
    const notional = await opened(server, known);
    expect((await clawback({ ...notional, line: '' }, { amount: 1 })).status).toBe(422);
  });

  it('when a care coordinator asks, then it is proposed; the patient may not, another owner\'s manager sees no such budget', async () => {
    const on = await held();
    const proposed = await clawback(on, { amount: 100 }, await coordinatorOf(on.patient));
    expect(proposed.status).toBe(202);
    expect((await clawback(on, { amount: 100, proposal: `Task/${proposed.body.id}` }, await server.token('commissioner', { organization: 'QWE' }))).status).toBe(201);
    expect((await clawback(on, { amount: 1 }, await server.token('patient', { patient: on.patient }))).status).toBe(403);
    expect((await clawback(on, { amount: 1 }, await server.token('budget-manager', { organization: 'QXX' }))).status).toBe(404);
  });
});

const plainNotice = (request: string, rest: object = {}): any => ({
  resourceType: 'PaymentNotice', status: 'active', request: { reference: request }, created: '2026-11-20', payment: { reference: 'PaymentReconciliation/elsewhere' },
  recipient: { reference: `Organization/${known.owner}` }, amount: gbp(30), ...rest,
});
const plainReconciliation = (rest: object = {}): any => ({ resourceType: 'PaymentReconciliation', status: 'active', created: '2026-11-20', paymentDate: '2026-11-20', paymentAmount: gbp(30), ...rest });
const mark = (id: string, value: object): object => ({ url: `${BASE}/StructureDefinition/ext-${id}`, ...value });

describe('a payment that a client writes by hand', () => {
  const send = (method: string, path: string, body?: object): Promise<Answer> => server.send(method, path, { token: server.tokens.admin, ...(body && { body }) });

  it('is plain R4 where it has to do with no budget', async () => {
    const notice = await made(server, plainNotice('http://example.org/claim/1'));
    expect((await send('PUT', `PaymentNotice/${notice.id}`, { ...notice, status: 'cancelled' })).status).toBe(200);
    expect((await send('DELETE', `PaymentNotice/${notice.id}`)).status).toBe(204);
    expect((await send('POST', 'PaymentReconciliation', plainReconciliation())).status).toBe(201);
  });

  it('is refused where it says it is of a budget, or is about a purchase or a budget, and the words name the operations', async () => {
    const on = await paid();
    const bodies = [
      plainNotice('http://example.org/1', { extension: [mark('payment-kind', { valueCode: 'payment' })] }),
      plainNotice('http://example.org/1', { modifierExtension: [mark('reversal', { valueCode: 'refund' })] }),
      plainNotice(`Claim/${on.claim.id}`), plainNotice(`Account/${on.account}`),
      plainReconciliation({ extension: [mark('budget', { valueReference: { reference: `Account/${on.account}` } })] }),
      plainReconciliation({ detail: [{ type: { text: 'payment' }, request: { reference: `Claim/${on.claim.id}` } }] }),
    ];
    for (const body of bodies) {
      const answer = await send('POST', body.resourceType, body);
      expect([answer.status, words(answer)]).toEqual([422, expect.stringContaining('Claim/$pay')]);
    }
  });

  it('changes and deletes none that the server made, by any road', async () => {
    const { notice } = await paid();
    const reconciliation = (await read(notice.payment.reference)).body;
    for (const { resourceType, id, ...rest } of [notice, reconciliation]) {
      const path = `${resourceType}/${id}`;
      expect((await send('PUT', path, { resourceType, id, ...rest, status: 'cancelled' })).status).toBe(422);
      expect((await send('PUT', path, { resourceType, id, ...rest, extension: undefined })).status).toBe(422);
      expect((await send('DELETE', path)).status).toBe(422);
      const patch = await server.send('PATCH', path, { token: server.tokens.admin, body: JSON.stringify([{ op: 'replace', path: '/status', value: 'cancelled' }]), headers: { 'content-type': 'application/json-patch+json' } });
      expect(patch.status).toBe(422);
      const bundle = { resourceType: 'Bundle', type: 'transaction', entry: [{ request: { method: 'DELETE', url: path } }] };
      expect((await send('POST', '', bundle)).status).toBe(422);
      expect((await read(path)).body.meta.versionId).toBe('1');
    }
  });
});
