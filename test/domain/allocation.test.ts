// C32E1 AC5 and C32E5: what a budget was granted is adjusted, moved between lines and divided anew, to the penny (rulings 11, 15, 39, 40, 45).
import { loadDefinitions } from '../../src/definitions/load.js';
import { add } from '../../src/interactions/amend.js';
import { createExtractor } from '../../src/search/extract.js';
import { createStore } from '../../src/store/postgres-store.js';
import { budgetBody, closeBalanced, gbp, linesOf, made, open, organization, person } from './budgets.js';
import { BASE, errorCode, parametersOf } from './people.js';
import { startServer, type Answer, type TestServer } from '../server.js';

let server: TestServer;
let icb: string;
let provider: string;
beforeAll(async () => {
  server = await startServer();
  icb = await organization(server, 'QWE');
  provider = await organization(server, 'TP1', 'third-party');
});
afterAll(() => closeBalanced(server));

async function opened(): Promise<any> {
  const { body } = await open(server, budgetBody({ patient: await person(server), owner: icb }));
  return body;
}

const parameter = (name: string, value: object): object => ({ name, ...value });
const call = (account: any, operation: string, parameters: readonly object[], version: string | undefined = account.meta.versionId): Promise<Answer> =>
  server.send('POST', `Account/${account.id}/$${operation}`, {
    token: server.tokens.admin, body: { resourceType: 'Parameters', parameter: parameters }, ...(version !== '' && { headers: { 'if-match': `W/"${version}"` } }),
  });
const extract = createExtractor(loadDefinitions());
/** A review as $review makes it: no client may post one. */
const review = async (account: any, outcome = 'amend', status = 'completed'): Promise<string> => {
  const id = `review-${(reviews += 1)}`;
  const task = {
    resourceType: 'Task', id, status, intent: 'order', focus: { reference: `Account/${account.id}` }, for: account.subject[0],
    code: { coding: [{ system: `${BASE}/CodeSystem/task-code`, code: 'budget-review' }] },
    output: [{ type: { text: 'outcome' }, valueCode: outcome }],
  };
  await createStore({ database: server.database, definitions: loadDefinitions() }).transaction((tx) => add(task, { tx, now: Date.now(), extract }));
  return `Task/${id}`;
};
let reviews = 0;
const adjust = async (account: any, delta: number, by: string | undefined, version?: string): Promise<Answer> =>
  call(account, 'adjust-allocation', [parameter('delta', { valueMoney: gbp(delta) }), parameter('reason', { valueString: 'needs have changed' }), ...(by === undefined ? [] : [parameter('review', { valueReference: { reference: by } })])], version);
const balance = async (account: any): Promise<any> => parametersOf((await server.send('GET', `Account/${account.id}/$balance`, { token: server.tokens.admin })).body);
const commit = (account: string, line: string, pence: number): Promise<unknown> =>
  server.database.query({ text: `with a as (update fhir.budget_account set committed = committed + $3, entries = entries + 1 where account = $1 returning entries, allocated - committed - spent as left),
    l as (update fhir.budget_line set committed = committed + $3 where account = $1 and line = $2)
    insert into fhir.ledger (account, id, line, kind, number, at, amount, allocated, committed, spent, disbursed, available_after, actor, role) select $1, 'c' || a.entries, $2, 'commit', a.entries, 0, $3, 0, $3, 0, 0, a.left, 't', 'admin' from a`, values: [account, line, pence] });

describe('$adjust-allocation', () => {
  it('grants more after a review: a new version, a row of the ledger, and who did it', async () => {
    const account = await opened();
    const answer = await adjust(account, 500, await review(account));
    expect([answer.status, answer.headers['etag']]).toEqual([200, 'W/"2"']);
    expect(answer.text).toContain('"value":12500.00');
    expect((await balance(account))['available']).toEqual(gbp(12500));
    const { rows } = await server.database.query<any>({ text: 'select kind, amount, provenance from fhir.ledger where account = $1 order by number', values: [account.id] });
    expect(rows.map(({ kind, amount }) => [kind, amount])).toEqual([['allocation', 1200000], ['adjustment', 50000]]);
    const why = await server.send('GET', `Provenance/${rows[1].provenance}`, { token: server.tokens.admin });
    expect(why.body).toMatchObject({ target: [{ reference: `Account/${account.id}/_history/2` }], reason: [{ text: 'needs have changed' }] });
  });

  it('takes away what is not used, and no more', async () => {
    const account = await opened();
    const [line] = linesOf(account);
    await commit(account.id, line!.lineId, 1_100_000);
    const by = await review(account);
    const refused = await adjust(account, -1000.01, by);
    expect([refused.status, errorCode(refused)]).toEqual([422, 'INSUFFICIENT_FUNDS']);
    expect(refused.body.issue[0].details.text).toContain('£1000.00');
    expect((await adjust(account, -1000, by)).status).toBe(200);
    expect((await balance(account))['available']).toEqual(gbp(0));
  });

  it('needs If-Match, a reason and a completed review of this budget with outcome amend', async () => {
    const account = await opened();
    const other = await opened();
    expect((await adjust(account, 1, await review(account), '')).status).toBe(412);
    expect((await adjust(account, 1, await review(account), '9')).status).toBe(412);
    for (const by of [undefined, 'Task/none', await review(other), await review(account, 'continue'), await review(account, 'amend', 'requested')]) {
      expect((await adjust(account, 1, by)).status).toBe(422);
    }
    expect((await adjust(account, 0, await review(account))).status).toBe(422);
    expect((await balance(account))['available']).toEqual(gbp(12000));
  });

  it('asked for twice at the same moment is done once', async () => {
    const account = await opened();
    const by = await review(account);
    const answers = await Promise.all([adjust(account, 500, by), adjust(account, 500, by)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
    expect((await balance(account))['available']).toEqual(gbp(12500));
  });
});

describe('a care coordinator', () => {
  it('only proposes: 202 with a Task, which a manager carries out by the same operation', async () => {
    const account = await opened();
    const by = await review(account);
    const role = await made(server, { resourceType: 'PractitionerRole', active: true });
    await made(server, { resourceType: 'CareTeam', status: 'active', subject: account.subject[0], participant: [{ member: { reference: `PractitionerRole/${role.id}` } }] });
    const parameters = [parameter('delta', { valueMoney: gbp(500) }), parameter('reason', { valueString: 'needs have changed' }), parameter('review', { valueReference: { reference: by } })];
    const ask = (token: string, more: readonly object[] = []): Promise<Answer> => server.send('POST', `Account/${account.id}/$adjust-allocation`, {
      token, headers: { 'if-match': 'W/"1"' }, body: { resourceType: 'Parameters', parameter: [...parameters, ...more] },
    });
    const proposed = await ask(await server.token('care-coordinator', { practitionerRole: role.id }));
    expect([proposed.status, proposed.body?.resourceType, proposed.body?.status]).toEqual([202, 'Task', 'requested']);
    expect(proposed.body.contained[0].parameter).toEqual(parameters);
    expect((await balance(account))['available']).toEqual(gbp(12000));
    const proposal = parameter('proposal', { valueReference: { reference: `Task/${proposed.body.id}` } });
    expect((await ask(server.tokens.admin, [proposal])).status).toBe(200);
    expect((await balance(account))['available']).toEqual(gbp(12500));
    const { body: task } = await server.send('GET', `Task/${proposed.body.id}`, { token: server.tokens.admin });
    expect(task.status).toBe('completed');
    const again = await server.send('POST', `Account/${account.id}/$adjust-allocation`, { token: server.tokens.admin, headers: { 'if-match': 'W/"2"' }, body: { resourceType: 'Parameters', parameter: [...parameters, proposal] } });
    expect(again.status).toBe(422);
  });

  it('has a proposal carried out that is sent alone, as it was proposed, and once', async () => {
    const account = await opened();
    const by = await review(account);
    const role = await made(server, { resourceType: 'PractitionerRole', active: true });
    await made(server, { resourceType: 'CareTeam', status: 'active', subject: account.subject[0], participant: [{ member: { reference: `PractitionerRole/${role.id}` } }] });
    const ask = (token: string, version: number, ...sent: readonly object[]): Promise<Answer> => server.send('POST', `Account/${account.id}/$adjust-allocation`, {
      token, headers: { 'if-match': `W/"${version}"` }, body: { resourceType: 'Parameters', parameter: sent },
    });
    const coordinator = await server.token('care-coordinator', { practitionerRole: role.id });
    const proposed = await ask(coordinator, 1, parameter('delta', { valueMoney: gbp(0.1) }), parameter('reason', { valueString: 'needs have changed' }), parameter('review', { valueReference: { reference: by } }));
    const alone = parameter('proposal', { valueReference: { reference: `Task/${proposed.body.id}` } });
    expect((await ask(coordinator, 1, alone)).status).toBe(202);
    expect((await ask(server.tokens.admin, 1, alone)).status).toBe(200);
    expect((await balance(account))['available']).toEqual(gbp(12000.1));
    expect((await ask(server.tokens.admin, 2, alone)).status).toBe(422);
    expect((await ask(server.tokens.admin, 2, parameter('proposal', { valueReference: { reference: 'Task/none' } }))).status).toBe(422);
    expect((await balance(account))['available']).toEqual(gbp(12000.1));
  });
});

const line = (model: string, amount: number, rest: readonly object[] = []): object =>
  parameter('line', { part: [parameter('model', { valueCode: model }), parameter('amount', { valueMoney: gbp(amount) }), ...rest] });
const holder = (reference: string): object => parameter('holder', { valueReference: { reference } });

describe('$assign-allocation and $transfer-allocation', () => {
  const consented = async (account: any): Promise<object> => {
    const consent = await made(server, {
      resourceType: 'Consent', status: 'active', patient: account.subject[0], scope: { text: 'direct payment' }, category: [{ text: 'direct payment' }], policyRule: { text: 'regulations' },
    });
    return parameter('consent', { valueReference: { reference: `Consent/${consent.id}` } });
  };
  const three = async (account: any): Promise<readonly object[]> => [
    line('notional', 4000), line('third-party', 3000, [holder(`Organization/${provider}`)]),
    line('direct-payment', 4999.99, [holder(account.subject[0].reference), await consented(account)]),
  ];

  it('finds budgets by the models of their lines as they are, and by the basis on which they were granted', async () => {
    const account = await opened();
    const found = async (query: string): Promise<number> => (await server.send('GET', `Account?_id=${account.id}&${query}`, { token: server.tokens.admin })).body.total;
    expect([await found('allocation-model=notional'), await found('allocation-model=third-party')]).toEqual([1, 0]);
    expect((await call(account, 'assign-allocation', [line('third-party', 12000, [holder(`Organization/${provider}`)])])).status).toBe(200);
    expect([await found('allocation-model=notional'), await found('allocation-model=third-party,direct-payment')]).toEqual([0, 1]);
    expect([await found('eligibility-basis=nhs-chc'), await found('eligibility-basis=other'), await found('eligibility-basis:not=nhs-chc')]).toEqual([1, 0, 0]);
  });

  it('divides a budget over three models; what is left over is unallocated', async () => {
    const account = await opened();
    const answer = await call(account, 'assign-allocation', await three(account));
    expect([answer.status, linesOf(answer.body).map(({ model, amount }) => [model, amount])]).toEqual([200, [['notional', 4000], ['third-party', 3000], ['direct-payment', 4999.99]]]);
    const { body } = await server.send('GET', `Account/${account.id}/$balance?byAllocation=true`, { token: server.tokens.admin });
    const lines = body.parameter.filter(({ name }: any) => name === 'line').map(({ part }: any) => parametersOf({ parameter: part }));
    expect(lines.map(({ model, available }: any) => [model, available.value])).toEqual([['notional', 4000], ['third-party', 3000], ['direct-payment', 4999.99], ['unallocated', 0.01]]);
    expect((await balance(account))['allocated']).toEqual(gbp(12000));

    const [from, to] = linesOf(answer.body);
    const moved = await call(answer.body, 'transfer-allocation', [parameter('from', { valueId: from!.lineId }), parameter('to', { valueId: to!.lineId }), parameter('amount', { valueMoney: gbp(1000.5) }), parameter('reason', { valueString: 'more of it' })]);
    expect([moved.status, linesOf(moved.body).map(({ amount }) => amount)]).toEqual([200, [2999.5, 4000.5, 4999.99]]);
    const rest = await call(moved.body, 'transfer-allocation', [parameter('from', { valueId: 'unallocated' }), parameter('to', { valueId: to!.lineId }), parameter('amount', { valueMoney: gbp(0.01) }), parameter('reason', { valueString: 'the rest' })]);
    expect([rest.status, linesOf(rest.body)[1]!.amount]).toEqual([200, 4000.51]);
    const { body: after } = await server.send('GET', `Account/${account.id}/$balance?byAllocation=true`, { token: server.tokens.admin });
    expect(after.parameter.flatMap(({ name, part }: any) => (name === 'line' ? [part[0].valueId] : []))).toEqual(linesOf(rest.body).map(({ lineId }) => lineId));
    const tooMuch = await call(rest.body, 'transfer-allocation', [parameter('from', { valueId: from!.lineId }), parameter('to', { valueId: to!.lineId }), parameter('amount', { valueMoney: gbp(2999.51) }), parameter('reason', { valueString: 'more' })]);
    expect([tooMuch.status, errorCode(tooMuch)]).toEqual([422, 'INSUFFICIENT_FUNDS']);
  });

  it('moves no money that was used, and no line that was used to another model', async () => {
    const account = await opened();
    const [only] = linesOf(account);
    await commit(account.id, only!.lineId, 10_000);
    const kept = (model: string, amount: number): object => line(model, amount, [parameter('lineId', { valueId: only!.lineId }), ...(model === 'third-party' ? [holder(`Organization/${provider}`)] : [])]);
    for (const lines of [[line('notional', 12000)], [kept('notional', 99.99)], [kept('third-party', 12000)]]) expect((await call(account, 'assign-allocation', lines)).status).toBe(422);
    expect((await call(account, 'assign-allocation', [kept('notional', 100), line('third-party', 11900, [holder(`Organization/${provider}`)])])).status).toBe(200);
  });

  it('gives no direct payment into the hands of another patient, nor of somebody else\'s relative', async () => {
    const [account, other] = [await opened(), await opened()];
    const consent = await consented(account);
    const relative = async ({ subject }: any): Promise<string> => `RelatedPerson/${(await made(server, { resourceType: 'RelatedPerson', patient: subject[0], name: [{ family: 'Kin' }] })).id}`;
    for (const stranger of [other.subject[0].reference, await relative(other)]) {
      const refused = await call(account, 'assign-allocation', [line('direct-payment', 100, [holder(stranger), consent])]);
      expect([refused.status, refused.body.issue[0].code, refused.body.issue[0].details.text]).toEqual([422, 'business-rule', expect.stringContaining('held by the patient of the budget')]);
    }
    expect((await call(account, 'assign-allocation', [line('direct-payment', 100, [holder(await relative(account)), consent])])).status).toBe(200);
  });

  it('refuses more than was granted, a direct payment without holder or consent, and an unknown line', async () => {
    const account = await opened();
    const over = await call(account, 'assign-allocation', [line('notional', 12000.01)]);
    expect([over.status, errorCode(over)]).toEqual([422, 'ALLOCATION_EXCEEDED']);
    const refused = [
      [line('direct-payment', 100, [await consented(account)])], [line('direct-payment', 100, [holder(account.subject[0].reference)])], [line('third-party', 100)],
      [line('direct-payment', 100, [holder(account.subject[0].reference), await consented(await opened())])], [line('notional', 100, [parameter('lineId', { valueId: 'none' })])], [line('barter', 100)],
    ];
    for (const lines of refused) expect((await call(account, 'assign-allocation', lines)).status).toBe(422);
    expect(linesOf((await server.send('GET', `Account/${account.id}`, { token: server.tokens.admin })).body)).toEqual(linesOf(account));
  });
});
