// C32E1 AC6: a budget is suspended, closed after a review, and opened again; its money exact at every step (domain.md 2.1, 3.8 rule 10,
// 6.7, rulings 37, 38, 42, 45, 47).
import { post } from '../../src/budgets/ledger/ledger.js';
import { londonDate } from '../../src/fhir/london.js';
import { startServer, type Answer, type TestServer } from '../server.js';
import { closeBalanced, gbp, linesOf } from './budgets.js';
import { errorCode } from './people.js';
import { balanceOf, ledgerOf, purchaseBody, recorded } from './purchases.js';
import { accountOf, call, code, makeWorld, neighbour, openBudget, put, refers, text, type BudgetFacts, type Sent, type World } from './world.js';

let server: TestServer;
let world: World;
beforeAll(async () => {
  server = await startServer();
  world = await makeWorld(server, 999_410_000);
});
afterAll(() => closeBalanced(server));

const today = londonDate(Date.now());
const opened = async (facts: Partial<BudgetFacts> = {}): Promise<any> => openBudget(server, world, { patient: await neighbour(server, world), ...facts });
const patientOf = (account: any): string => account.subject[0].reference.slice('Patient/'.length);
const act = async (account: any, operation: string, parameters: readonly Sent[], token = world.tokens.manager, version?: string): Promise<Answer> =>
  call(server, token, `Account/${account.id}/$${operation}`, parameters, version ?? (await accountOf(server, account.id)).meta.versionId);
const reviewed = async (account: any, outcome = 'close'): Promise<Sent> => {
  const { status, body, text: words } = await act(account, 'review', [code('outcome', outcome)]);
  if (status !== 200) throw new Error(words);
  return refers('review', `Task/${body.id}`);
};
const close = async (account: any, more: readonly Sent[] = [], reason = 'review'): Promise<Answer> => act(account, 'close', [await reviewed(account), code('reason', reason), ...more]);
const purchase = (account: any, amount: number, rest: object = {}): object => purchaseBody({ patient: patientOf(account), account: account.id, provider: world.organizations.provider, amount, ...rest });
const pay = async (claim: any, amount: number, parameters: readonly Sent[] = []): Promise<void> => {
  const { status, text: words } = await call(server, server.tokens.admin, `Claim/${claim.id}/$pay`, [['amount', { valueMoney: gbp(amount) }], ['paymentDate', { valueDate: today }], ...parameters]);
  if (status >= 300) throw new Error(words);
};
const ledger = (account: any): Promise<[string, number][]> => ledgerOf(server, account.id);

describe('$close', () => {
  it('ends the budget today, gives back what was not used, and leaves everything to be read', async () => {
    const account = await opened();
    const claim = await recorded(server, purchase(account, 30));
    await pay(claim, 30);
    const answer = await close(account);
    expect([answer.status, answer.body.status, answer.body.servicePeriod.end, linesOf(answer.body).map(({ amount }) => amount)]).toEqual([200, 'inactive', today, [30]]);
    expect(await balanceOf(server, account.id)).toMatchObject({ allocated: 30, committed: 0, spent: 30, available: 0 });
    expect((await ledger(account)).at(-1)).toEqual(['clawback', 1_197_000]);
    const late = await server.send('POST', 'Claim', { token: server.tokens.admin, body: purchase(account, 1) });
    expect([late.status, errorCode(late)]).toEqual([422, 'ACCOUNT_NOT_ACTIVE']);
    for (const path of [`Account/${account.id}`, `Account/${account.id}/$balance`, `Claim/${claim.id}`]) {
      expect((await server.send('GET', path, { token: world.tokens.commissioner })).status).toBe(200);
    }
    const due = await server.send('GET', `Task?focus=Account/${account.id}&status=requested`, { token: world.tokens.commissioner });
    expect(due.body.total).toBe(0);
    const why = await server.send('GET', `Provenance?target=Account/${account.id}`, { token: world.tokens.commissioner });
    const told = why.body.entry.map(({ resource }: any) => resource).find(({ activity }: any) => activity.text === 'close');
    expect(told).toMatchObject({ target: [{ reference: `Account/${account.id}/_history/${answer.body.meta.versionId}` }], reason: [{ coding: [{ code: 'review' }] }] });
    expect(told.agent[0]).toMatchObject({ type: { text: 'budget-manager' }, onBehalfOf: { identifier: { value: 'QWE' } } });
  });

  it('is refused while purchases are unpaid, and names each: 409', async () => {
    const account = await opened();
    const claims = [await recorded(server, purchase(account, 30)), await recorded(server, purchase(account, 12.5)), await recorded(server, purchase(account, 100, { use: 'preauthorization' }))];
    const answer = await close(account);
    expect([answer.status, answer.body.issue.length, errorCode(answer)]).toEqual([409, 3, 'OUTSTANDING_CLAIMS']);
    const words = answer.body.issue.map(({ details }: any) => details.text).join();
    for (const [index, amount] of ['£30.00', '£12.50', '£100.00'].entries()) expect(words).toContain(`Claim/${claims[index].id}: ${amount}`);
    const released = await close(account, [['releaseCommitments', { valueBoolean: true }]]);
    expect([released.status, released.body.issue.length]).toEqual([409, 2]);
    expect((await server.send('GET', `Claim/${claims[2].id}`, { token: server.tokens.admin })).body.status).toBe('active');
    expect(await balanceOf(server, account.id)).toMatchObject({ committed: 142.5, available: 11857.5 });
  });

  it('releases open commitments where it is told to', async () => {
    const account = await opened();
    const claim = await recorded(server, purchase(account, 100, { use: 'preauthorization' }));
    expect((await close(account)).status).toBe(409);
    expect((await close(account, [['releaseCommitments', { valueBoolean: true }]])).status).toBe(200);
    expect((await server.send('GET', `Claim/${claim.id}`, { token: server.tokens.admin })).body.status).toBe('cancelled');
    expect(await balanceOf(server, account.id)).toMatchObject({ allocated: 0, committed: 0, available: 0 });
    expect((await ledger(account)).map(([kind]) => kind)).toEqual(['allocation', 'commit', 'release', 'clawback']);
  });

  it('needs a review with outcome close, a reason of the list, and the version that was seen', async () => {
    const account = await opened();
    const by = await reviewed(account);
    const cases: readonly [readonly Sent[], number][] = [
      [[code('reason', 'review')], 422], [[await reviewed(account, 'continue'), code('reason', 'review')], 422], [[refers('review', 'Task/none'), code('reason', 'review')], 422],
      [[await reviewed(await opened()), code('reason', 'review')], 422], [[by], 422], [[by, code('reason', 'whim')], 422],
    ];
    for (const [parameters, status] of cases) expect((await act(account, 'close', parameters)).status).toBe(status);
    const send = (version?: string): Promise<Answer> => call(server, world.tokens.manager, `Account/${account.id}/$close`, [by, code('reason', 'review')], version);
    expect([(await send()).status, (await send('1')).status]).toEqual([412, 412]);
    expect((await act(account, 'close', [by, code('reason', 'review')], world.tokens.ada)).status).toBe(403);
    expect((await act(account, 'close', [by, code('reason', 'review')], world.tokens.commissioner)).status).toBe(200);
    const twice = await act(account, 'close', [by, code('reason', 'review')]);
    expect([twice.status, errorCode(twice)]).toEqual([422, 'ACCOUNT_NOT_ACTIVE']);
  });

  it('is proposed by a care coordinator and carried out by a manager; one review licenses both', async () => {
    const account = await opened();
    const by = await reviewed(account);
    const proposed = await act(account, 'close', [by, code('reason', 'declined')], world.tokens.coordinator);
    expect([proposed.status, proposed.body.status]).toEqual([202, 'requested']);
    expect((await accountOf(server, account.id)).status).toBe('active');
    const done = await act(account, 'close', [by, code('reason', 'declined'), refers('proposal', `Task/${proposed.body.id}`)]);
    expect([done.status, done.body.status]).toEqual([200, 'inactive']);
  });

  it('asked for twice at once is done once, against a purchase as well', async () => {
    const account = await opened();
    const by = await reviewed(account);
    const { meta } = await accountOf(server, account.id);
    const [first, second, bought] = await Promise.all([
      act(account, 'close', [by, code('reason', 'review')], world.tokens.manager, meta.versionId),
      act(account, 'close', [by, code('reason', 'review')], world.tokens.commissioner, meta.versionId),
      server.send('POST', 'Claim', { token: server.tokens.admin, body: purchase(account, 10) }),
    ]);
    const closed = [first.status, second.status].filter((status) => status === 200).length;
    if (bought.status === 201) expect(closed).toBe(0);
    else expect([closed, bought.status, errorCode(bought)]).toEqual([1, 422, 'ACCOUNT_NOT_ACTIVE']);
  });
});

describe('a budget paid to its holder', () => {
  const consented = async (patient: string): Promise<string> => `Consent/${await put(server, {
    resourceType: 'Consent', status: 'active', patient: { reference: `Patient/${patient}` }, scope: { text: 'direct payment' }, category: [{ text: 'direct payment' }], policyRule: { text: 'regulations' },
  })}`;

  it('edge case 7: of 300.00 advanced and 120.00 spent, 180.00 stay a debt, and closing does not wait for it', async () => {
    const patient = await neighbour(server, world);
    const account = await opened({ patient, lines: [{ model: 'direct-payment', amount: 1000, holder: `Patient/${patient}`, consent: await consented(patient) }] });
    const advance = await call(server, world.tokens.manager, `Account/${account.id}/$pay`, [
      code('kind', 'advance'), ['amount', { valueMoney: gbp(300) }], ['paymentDate', { valueDate: today }], ['allocationId', { valueId: linesOf(account)[0]!.lineId }], refers('payee', `Patient/${patient}`),
    ]);
    expect([advance.status, advance.text.slice(0, 200)]).toEqual([advance.status < 300 ? advance.status : 201, advance.text.slice(0, 200)]);
    const claim = await recorded(server, purchase(account, 120));
    await pay(claim, 120);
    expect(await balanceOf(server, account.id)).toMatchObject({ spent: 120, disbursed: 300, heldByHolder: 180, available: 880 });
    const answer = await close(account, [], 'death');
    expect(answer.status).toBe(200);
    expect(await balanceOf(server, account.id)).toMatchObject({ allocated: 120, spent: 120, disbursed: 300, heldByHolder: 180, available: 0 });
    const worklist = await server.send('GET', `Task?focus=Account/${account.id}&status=requested`, { token: world.tokens.commissioner });
    const [{ resource: task }] = worklist.body.entry;
    expect([task.code.text, task.contained[0].parameter[0].valueMoney.value]).toEqual(['clawback', 180]);
    const back = await call(server, world.tokens.commissioner, `Account/${account.id}/$clawback`, [
      ['amount', { valueMoney: gbp(180) }], code('reason', 'death'), ['noticeDate', { valueDate: today }], refers('proposal', `Task/${task.id}`),
    ]);
    expect(back.status).toBe(201);
    expect(await balanceOf(server, account.id)).toMatchObject({ allocated: 120, disbursed: 120, heldByHolder: 0, available: 0 });
    expect((await server.send('GET', `Task/${task.id}`, { token: server.tokens.admin })).body.status).toBe('completed');
  });

  it('pays from the other lines for what was overspent, and is not closed while that is not enough', async () => {
    const patient = await neighbour(server, world);
    const lines = [{ model: 'direct-payment', amount: 100, lineId: 'direct', holder: `Patient/${patient}`, consent: await consented(patient) }, { model: 'notional', amount: 50 }];
    const account = await opened({ patient, lines });
    const [direct] = linesOf(account);
    const spend = async (pence: bigint): Promise<void> => {
      const one = { account: account.id, line: direct!.lineId, amount: pence, overdraw: true } as const;
      await post([{ ...one, id: `c${pence}`, kind: 'commit' }, { ...one, id: `s${pence}`, kind: 'spend' }], { db: server.database, caller: { role: 'admin', client: 't', subject: 't', scopes: [] }, now: Date.now() });
    };
    await spend(16_000n);
    const short = await close(account);
    expect([short.status, short.body.issue[0].details.text]).toEqual([422, expect.stringContaining('£10.00')]);
    const more = await act(account, 'adjust-allocation', [['delta', { valueMoney: gbp(30) }], text('reason', 'more was needed'), ['lineId', { valueId: direct!.lineId }], await reviewed(account, 'amend')]);
    expect(more.status).toBe(200);
    const { status, body } = await close(account);
    expect([status, linesOf(body).map(({ amount }) => amount)]).toEqual([200, [160, 0]]);
    expect((await ledger(account)).slice(-3)).toEqual([['transfer-out', 3000], ['transfer-in', 3000], ['clawback', 2000]]);
  });
});

describe('$suspend and $reopen', () => {
  it('puts a budget on hold, when nothing is bought on it, and lets it go on', async () => {
    const account = await opened();
    expect((await act(account, 'suspend', [])).status).toBe(422);
    expect((await act(account, 'suspend', [text('reason', 'in hospital')], world.tokens.coordinator)).status).toBe(403);
    const held = await act(account, 'suspend', [text('reason', 'in hospital')]);
    expect([held.status, held.body.status]).toEqual([200, 'on-hold']);
    const bought = await server.send('POST', 'Claim', { token: server.tokens.admin, body: purchase(account, 1) });
    expect([bought.status, errorCode(bought)]).toEqual([422, 'ACCOUNT_NOT_ACTIVE']);
    expect((await act(account, 'suspend', [text('reason', 'again')])).status).toBe(422);
    expect((await act(account, 'reopen', [text('reason', 'home again')])).status).toBe(422);
    const open = await act(account, 'reopen', [text('reason', 'home again'), await reviewed(account, 'continue')]);
    expect([open.status, open.body.status, open.body.servicePeriod]).toEqual([200, 'active', account.servicePeriod]);
    expect((await balanceOf(server, account.id))['available']).toBe(12000);
  });

  it('gives a closed budget back what closing took, once', async () => {
    const account = await opened();
    expect((await close(account)).status).toBe(200);
    const by = await reviewed(account, 'continue');
    const open = await act(account, 'reopen', [text('reason', 'closed too soon'), by]);
    expect([open.status, open.body.status, open.body.servicePeriod.end, linesOf(open.body).map(({ amount }) => amount)]).toEqual([200, 'active', undefined, [12000]]);
    expect(await ledger(account)).toEqual([['allocation', 1_200_000], ['clawback', 1_200_000], ['adjustment', 1_200_000]]);
    expect((await act(account, 'reopen', [text('reason', 'again'), by])).status).toBe(422);
    expect((await close(account)).status).toBe(200);
    const again = await act(account, 'reopen', [text('reason', 'once more'), by]);
    expect([again.status, (await balanceOf(server, account.id))['available']]).toEqual([200, 12000]);
    const due = await server.send('GET', `Task?focus=Account/${account.id}&status=requested&code=budget-review`, { token: world.tokens.commissioner });
    expect(due.body.total).toBe(1);
  });

  it('does not open a budget beside another of the same kind', async () => {
    const account = await opened();
    expect((await close(account)).status).toBe(200);
    await opened({ patient: patientOf(account) });
    const answer = await act(account, 'reopen', [text('reason', 'back'), await reviewed(account, 'continue')]);
    expect([answer.status, errorCode(answer)]).toEqual([422, 'DUPLICATE_BUDGET']);
  });
});
