// C32E7 and C32E5: who pays from which line, and who is told what (domain.md section 4, the row of $pay; rulings 1, 21, 35, 36, 49).
import { errorCode } from './people.js';
import { closeBalanced, gbp, linesOf, made, organization } from './budgets.js';
import { balanceOf, opened, parties, purchaseBody, recorded, type Opened } from './purchases.js';
import { approved, call, codeIn, directLine, linkPlan, paidIn, pay } from './payments.js';
import { teamBody } from './world.js';
import { startServer, type Answer, type TestServer } from '../server.js';

let server: TestServer;
let known: { owner: string; provider: string };
let isf: string;
beforeAll(async () => {
  server = await startServer();
  known = await parties(server);
  isf = await organization(server, 'ISF1', 'third-party');
  await organization(server, 'ISF2', 'third-party');
});
afterAll(() => closeBalanced(server));

interface Mixed extends Opened {
  /** lineIds by model. */
  readonly lines: Readonly<Record<string, string>>;
  readonly tokens: Readonly<Record<string, string>>;
}

/** 4000 notional, 3000 held by ISF1, 5000 direct payment to the patient; a plan is linked, a nominee approved. */
async function mixed(): Promise<Mixed> {
  const patient = (await made(server, { resourceType: 'Patient', name: [{ family: 'Sample' }], birthDate: '1980-02-29' })).id;
  const on = await opened(server, known, { patient, lines: [{ amount: gbp(4000) }, { model: 'third-party', amount: gbp(3000), holder: `Organization/${isf}` }, await directLine(server, patient, 5000)] });
  await linkPlan(server, on.account, patient);
  const relatedPerson = await approved(server, on.account, patient);
  const role = async (): Promise<string> => (await made(server, { resourceType: 'PractitionerRole', active: true, organization: { reference: `Organization/${known.owner}` } })).id;
  const [coordinator, stranger] = [await role(), await role()];
  await made(server, teamBody(patient, [`PractitionerRole/${coordinator}`]));
  return {
    ...on,
    lines: Object.fromEntries(linesOf(on.body).map(({ model, lineId }) => [model, lineId])),
    tokens: {
      patient: await server.token('patient', { patient }),
      otherPatient: await server.token('patient', { patient: 'somebody' }),
      nominee: await server.token('nominee', { relatedPerson }),
      otherNominee: await server.token('nominee', { relatedPerson: 'nobody' }),
      coordinator: await server.token('care-coordinator', { practitionerRole: coordinator, organization: 'QWE' }),
      stranger: await server.token('care-coordinator', { practitionerRole: stranger, organization: 'QWE' }),
      broker: await server.token('broker', { practitionerRole: coordinator, organization: 'QWE' }),
      manager: await server.token('budget-manager', { organization: 'QWE' }),
      otherManager: await server.token('budget-manager', { organization: 'QXX' }),
      commissioner: await server.token('commissioner', { organization: 'QWE' }),
      isf: await server.token('third-party', { organization: 'ISF1' }),
      otherIsf: await server.token('third-party', { organization: 'ISF2' }),
      provider: await server.token('provider', { organization: 'GYM1' }),
      supplier: server.tokens.supplier,
      ovm: server.tokens.ovm,
      homeOffice: server.tokens.homeOffice,
      admin: server.tokens.admin,
    },
  };
}

const told = ({ status, body }: Answer): string => `${status}${status === 200 ? '' : ` ${errorCode({ body } as Answer) ?? ''}`}`.trim();

/** What each bearer is told when it pays 1.00 of a purchase on the line. */
const PAYERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  notional: {
    coordinator: '200', admin: '200', manager: '200', patient: '403 NOT_PAYER', nominee: '403 NOT_PAYER', otherPatient: '404', otherNominee: '404', stranger: '403 NO_RELATIONSHIP', otherManager: '404',
    isf: '404', otherIsf: '404', commissioner: '403', broker: '403', provider: '403', supplier: '403', ovm: '403', homeOffice: '403',
  },
  'third-party': { isf: '200', admin: '200', manager: '200', otherIsf: '404', coordinator: '403 NOT_PAYER', patient: '403 NOT_PAYER', nominee: '403 NOT_PAYER', otherManager: '404', commissioner: '403' },
  'direct-payment': { patient: '200', nominee: '200', admin: '200', otherPatient: '404', manager: '403 NOT_PAYER', coordinator: '403 NOT_PAYER', isf: '404', commissioner: '403' },
};

describe('given a budget of three models, when each pays a purchase on a line', () => {
  it.each(Object.keys(PAYERS))('of model %s, then only who may does', async (model) => {
    const on = await mixed();
    const claim = await recorded(server, purchaseBody({ ...on, line: on.lines[model] }));
    const answers: Record<string, string> = {};
    for (const bearer of Object.keys(PAYERS[model]!)) answers[bearer] = told(await pay(server, claim.id, 1, { token: on.tokens[bearer]! })).replace(/ (ACCESS_DENIED|RESOURCE_NOT_FOUND|NO_RECORD_FOUND)$/, '');
    expect(answers).toEqual(PAYERS[model]);
    const paid = Object.values(answers).filter((one) => one === '200').length;
    expect(await balanceOf(server, on.account)).toMatchObject({ spent: paid, committed: 30 - paid });
  });

  it('then one without a token gets 401', async () => {
    expect((await server.send('POST', 'Claim/x/$pay', { body: {} })).status).toBe(401);
  });

  it('then those who see the purchase see what was paid, and others nothing', async () => {
    const on = await mixed();
    const claim = await recorded(server, purchaseBody({ ...on, line: on.lines['third-party'] }));
    const { notice, reconciliation } = paidIn(await pay(server, claim.id, 30, { token: on.tokens['isf']! }));
    expect(reconciliation.paymentIssuer).toEqual({ reference: `Organization/${isf}` });
    for (const bearer of ['patient', 'nominee', 'coordinator', 'manager', 'commissioner', 'isf']) {
      for (const path of [`PaymentNotice/${notice.id}`, `PaymentReconciliation/${reconciliation.id}`]) expect([bearer, (await server.send('GET', path, { token: on.tokens[bearer]! })).status]).toEqual([bearer, 200]);
    }
    for (const bearer of ['otherPatient', 'otherNominee', 'otherManager', 'otherIsf']) expect([bearer, (await server.send('GET', `PaymentNotice/${notice.id}`, { token: on.tokens[bearer]! })).status]).toEqual([bearer, 404]);
  });
});

describe('given a direct-payment line of 5000.00', () => {
  const advance = (on: Mixed, amount: number, values: object = {}, token = on.tokens['manager']!): Promise<Answer> => call(server, `Account/${on.account}/$pay`, { amount, kind: 'advance', ...values }, { token });

  it('when an instalment is paid to the holder, then it is with the holder and not spent', async () => {
    const on = await mixed();
    const answer = await advance(on, 300, { allocationId: on.lines['direct-payment'], payee: `Patient/${on.patient}`, paymentIdentifier: { system: 'urn:bank', value: 'BACS-1' } });
    expect(answer.status).toBe(200);
    const { notice, reconciliation } = paidIn(answer);
    expect([codeIn(notice, 'payment-kind'), notice.request]).toEqual(['advance', { reference: `Account/${on.account}` }]);
    expect(notice.extension.find(({ url }: any) => url.endsWith('/ext-payee-person')).valueReference).toEqual({ reference: `Patient/${on.patient}` });
    expect(reconciliation).toMatchObject({ paymentIdentifier: { value: 'BACS-1' }, detail: [{ type: { coding: [{ code: 'advance' }] } }] });
    expect(await balanceOf(server, on.account)).toMatchObject({ available: 12000, spent: 0, disbursed: 300, heldByHolder: 300 });
    expect((await server.send('GET', `PaymentNotice?kind=advance&budget=Account/${on.account}&payee-person=Patient/${on.patient}`, { token: on.tokens['patient']! })).body.total).toBe(1);
    expect((await server.send('GET', `PaymentReconciliation?budget=Account/${on.account}`, { token: on.tokens['manager']! })).body.total).toBe(1);
  });

  it('when all instalments would come to more than was granted, then 422 INSUFFICIENT_FUNDS with what is left', async () => {
    const on = await mixed();
    await advance(on, 4900);
    const over = await advance(on, 100.01);
    expect([over.status, errorCode(over), over.body.issue[0].details.text]).toEqual([422, 'INSUFFICIENT_FUNDS', expect.stringContaining('£100.00')]);
    expect((await advance(on, 100)).status).toBe(200);
  });

  it('when it is asked of another line, for another payee, as a payment, or of a budget without such a line, then 422', async () => {
    const on = await mixed();
    for (const values of [{ allocationId: on.lines['notional'] }, { allocationId: 'other' }, { payee: `Organization/${known.provider}` }, { kind: 'payment' }, { kind: undefined }]) {
      expect((await advance(on, 1, values)).status).toBe(422);
    }
    const plain = await opened(server, known);
    expect((await call(server, `Account/${plain.account}/$pay`, { amount: 1, kind: 'advance' })).status).toBe(422);
    const ordinary = await made(server, { resourceType: 'Account', status: 'active' });
    expect((await call(server, `Account/${ordinary.id}/$pay`, { amount: 1, kind: 'advance' })).status).toBe(422);
    await server.database.query({ text: `update fhir.budget_account set state = 'on-hold' where account = $1`, values: [on.account] });
    expect(errorCode(await advance(on, 1))).toBe('ACCOUNT_NOT_ACTIVE');
  });

  it('when no care plan with an author or care team is linked, then 422', async () => {
    const patient = (await made(server, { resourceType: 'Patient', name: [{ family: 'Sample' }] })).id;
    const on = await opened(server, known, { patient, lines: [await directLine(server, patient, 500)] });
    const ask = (): Promise<Answer> => call(server, `Account/${on.account}/$pay`, { amount: 1, kind: 'advance' });
    expect((await ask()).status).toBe(422);
    await linkPlan(server, on.account, patient, false);
    expect((await ask()).status).toBe(422);
    await linkPlan(server, on.account, patient);
    expect((await ask()).status).toBe(200);
  });

  it('when anyone but the budget manager advances, then 403 or 404', async () => {
    const on = await mixed();
    const answers = await Promise.all(['patient', 'nominee', 'coordinator', 'isf', 'otherManager', 'commissioner', 'supplier'].map(async (bearer) => (await advance(on, 1, {}, on.tokens[bearer])).status));
    expect(answers).toEqual([403, 403, 403, 403, 404, 403, 403]);
    expect(await balanceOf(server, on.account)).toMatchObject({ disbursed: 0 });
  });
});
