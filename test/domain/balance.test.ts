// What a budget holds: $open-budget and $balance (domain.md 3.6, rulings 11, 41, 43).
import { allocation, budgetBody, gbp, linesOf, made, open, organization, person } from './budgets.js';
import { call, directLine, linkPlan, pay } from './payments.js';
import { errorCode, parametersOf } from './people.js';
import { purchaseBody, recorded } from './purchases.js';
import { startServer, type Answer, type TestServer } from '../server.js';

let server: TestServer;
let icb: string;
beforeAll(async () => {
  server = await startServer();
  icb = await organization(server, 'QWE');
});
afterAll(() => server.close());

const balance = (account: string, query = ''): Promise<Answer> => server.send('GET', `Account/${account}/$balance${query}`, { token: server.tokens.admin });
const parameter = (name: string, value: object): object => ({ name, ...value });

async function openingParameters(rest: readonly object[] = []): Promise<any> {
  return {
    resourceType: 'Parameters',
    parameter: [
      parameter('patient', { valueReference: { reference: `Patient/${await person(server)}` } }),
      parameter('owner', { valueReference: { reference: `Organization/${icb}` } }),
      parameter('period', { valuePeriod: { start: '2026-11-01' } }),
      parameter('eligibility', { part: [parameter('basis', { valueCode: 'nhs-chc' }), parameter('decidedBy', { valueReference: { reference: `Organization/${icb}` } }), parameter('decidedOn', { valueDate: '2026-10-01' })] }),
      parameter('fundingSource', { valueCode: 'nhs' }),
      ...rest,
    ],
  };
}

describe('$open-budget', () => {
  it('opens a budget of one notional line: 201 with the Account', async () => {
    const body = JSON.stringify(await openingParameters([parameter('allocation', { valueMoney: gbp(12000) })]));
    const answer = await server.send('POST', 'Account/$open-budget', { token: server.tokens.admin, body });
    expect(answer.status).toBe(201);
    expect(answer.headers['location']).toContain(`/Account/${answer.body.id}/_history/1`);
    expect(linesOf(answer.body)).toEqual([{ lineId: expect.any(String), model: 'notional', amount: 12000 }]);
    expect(answer.text).toContain('"value":12000.00');
    expect(parametersOf((await balance(answer.body.id)).body)['available']).toEqual(gbp(12000));
  });

  it('says which parameter is missing, and refuses what an Account by POST is refused for', async () => {
    const without = await server.send('POST', 'Account/$open-budget', { token: server.tokens.admin, body: await openingParameters() });
    expect([without.status, without.body.issue[0].details.text]).toEqual([422, expect.stringContaining('allocation')]);
    const pence = await server.send('POST', 'Account/$open-budget', { token: server.tokens.admin, body: await openingParameters([parameter('allocation', { valueMoney: gbp(0.001) })]) });
    expect([pence.status, pence.body.issue[0].expression]).toEqual([422, ['Parameters.parameter[5].valueMoney.value']]);
    const nothing = await server.send('POST', 'Account/$open-budget', { token: server.tokens.admin, body: await openingParameters([parameter('allocation', { valueMoney: gbp(0) })]) });
    expect(nothing.status).toBe(422);
    expect((await server.send('GET', 'Account/$open-budget', { token: server.tokens.admin })).status).toBe(405);
  });

  it.each<[string, readonly object[]]>([['nothing of the decision', []], ['no more than its basis', [parameter('eligibility', { part: [parameter('basis', { valueCode: 'nhs-chc' })] })]]])('refuses %s as an Account without it: NOT_ELIGIBLE', async (_, sent) => {
    const body = await openingParameters([parameter('allocation', { valueMoney: gbp(100) }), ...sent]);
    body.parameter.splice(body.parameter.findIndex(({ name }: { name: string }) => name === 'eligibility'), 1);
    const answer = await server.send('POST', 'Account/$open-budget', { token: server.tokens.admin, body });
    expect([answer.status, answer.body.issue[0].code, errorCode(answer)]).toEqual([422, 'business-rule', 'NOT_ELIGIBLE']);
  });
});

describe('$balance', () => {
  it('is byte for byte the sum of its lines, also of an overdrawn direct payment that was advanced', async () => {
    const patient = await person(server);
    const provider = await organization(server, 'GYM1', 'provider');
    const { body } = await open(server, budgetBody({ patient, owner: icb, lines: [{ amount: gbp(500) }, await directLine(server, patient, 200)] }));
    await linkPlan(server, body.id, patient);
    const [own, direct] = linesOf(body).map(({ lineId }: any) => lineId);
    expect((await call(server, `Account/${body.id}/$pay`, { kind: 'advance', allocationId: direct, amount: 150.07, payee: `Patient/${patient}` })).status).toBe(200);
    for (const [line, amount] of [[own, 20.5], [direct, 230.1]] as const) {
      const { id } = await recorded(server, purchaseBody({ patient, account: body.id, provider, line, amount }));
      if (line === direct) expect((await pay(server, id, amount)).status).toBe(200);
    }
    const [plain, summed] = await Promise.all(['', '?byAllocation=false'].map(async (query) => (await balance(body.id, query)).text.replace(/"20[^"]*Z"/, '"now"')));
    expect(plain).toBe(summed);
    expect(parametersOf(JSON.parse(plain ?? ''))).toMatchObject({ allocated: gbp(700), committed: gbp(20.5), spent: gbp(230.1), heldByHolder: gbp(-80.03), available: gbp(449.4) });
  });

  it('has the six sums with two places, the moment and the version', async () => {
    const { body } = await open(server, budgetBody({ patient: await person(server), owner: icb, lines: [{ amount: gbp(4000.5) }, { amount: gbp(3000) }] }));
    const answer = await balance(body.id);
    expect(answer.status).toBe(200);
    expect(answer.body.parameter.map(({ name }: any) => name)).toEqual(['allocated', 'committed', 'spent', 'disbursed', 'heldByHolder', 'available', 'asOf', 'version']);
    expect(answer.text).toContain('{"name":"available","valueMoney":{"value":7000.50,"currency":"GBP"}}');
    expect(answer.text).toContain('{"name":"spent","valueMoney":{"value":0.00,"currency":"GBP"}}');
    expect(parametersOf(answer.body)['version']).toBe('1');
    const posted = await server.send('POST', `Account/${body.id}/$balance`, { token: server.tokens.admin, body: { resourceType: 'Parameters', parameter: [parameter('byAllocation', { valueBoolean: true })] } });
    const lines = posted.body.parameter.filter(({ name }: any) => name === 'line').map(({ part }: any) => parametersOf({ parameter: part }));
    expect(lines).toEqual(linesOf(body).map(({ lineId, amount }) => expect.objectContaining({ lineId, model: 'notional', available: gbp(amount) })));
  });

  it('is that of an earlier moment where one is asked for, from the ledger', async () => {
    const { body } = await open(server, budgetBody({ patient: await person(server), owner: icb }));
    expect(parametersOf((await balance(body.id, '?asOf=2020-01-01')).body)['available']).toEqual(gbp(0));
    expect(parametersOf((await balance(body.id, `?asOf=${new Date().toISOString()}`)).body)['available']).toEqual(gbp(12000));
    expect((await balance(body.id, '?asOf=2999-01-01')).status).toBe(400);
    expect((await balance(body.id, '?asOf=yesterday')).status).toBe(400);
  });

  it('is nobody\'s of an Account that is no budget, or that is not there', async () => {
    const plain = await made(server, { resourceType: 'Account', status: 'active' });
    expect((await balance(plain.id)).status).toBe(404);
    expect((await balance('not-there')).status).toBe(404);
    expect((await server.send('GET', `Account/${plain.id}/$balance`, { token: server.tokens.supplier })).status).toBe(403);
  });

  it('of a joint budget is that of the budgets in it', async () => {
    const patient = await person(server);
    const joint = await made(server, {
      resourceType: 'Account', status: 'active', subject: [{ reference: `Patient/${patient}` }],
      type: { coding: [{ system: 'https://fhir.entitle.example/CodeSystem/account-type', code: 'joint-budget' }] },
      extension: [{ url: 'https://fhir.entitle.example/StructureDefinition/ext-draw-policy', valueCode: 'pro-rata' }],
    });
    const child = await open(server, budgetBody({ patient, owner: icb }));
    await server.database.query({ text: 'update fhir.budget_account set parent = $1 where account = $2', values: [joint.id, child.body.id] });
    expect(parametersOf((await balance(joint.id)).body)['available']).toEqual(gbp(12000));
    expect(parametersOf((await balance(joint.id, '?asOf=2020-01-01')).body)['available']).toEqual(gbp(0));
    const { status } = await server.send('POST', 'Account', { token: server.tokens.admin, body: { ...joint, id: undefined, extension: [...joint.extension, allocation()] } });
    expect(status).toBe(422);
  });
});
