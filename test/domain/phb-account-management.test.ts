// C32E1 and C32E5: what a budget's managers may do with it after it was opened, who may, and what becomes of it as people and organisations change
// (domain.md 2.1 E1 AC5, E5, section 4, 6.10, rulings 11, 15, 16, 28, 45).
import { createBudgetSweep } from '../../src/budgets/sweep.js';
import { loadDefinitions } from '../../src/definitions/load.js';
import { londonDate } from '../../src/fhir/london.js';
import { amend } from '../../src/interactions/amend.js';
import { createExtractor } from '../../src/search/extract.js';
import { createStore } from '../../src/store/postgres-store.js';
import { startServer, type Answer, type TestServer } from '../server.js';
import { gbp, linesOf } from './budgets.js';
import { BASE, errorCode, extension } from './people.js';
import { balanceOf, purchaseBody, recorded } from './purchases.js';
import { accountOf, call, code, makeWorld, neighbour, openBudget, put as makeOne, refers, text, type BudgetFacts, type Sent, type World } from './world.js';

let server: TestServer;
let world: World;
beforeAll(async () => {
  server = await startServer();
  world = await makeWorld(server, 999_430_000);
});
afterAll(() => server.close());

const DAY = 86_400_000;
const today = londonDate(Date.now());
const opened = async (facts: Partial<BudgetFacts> = {}): Promise<any> => openBudget(server, world, { patient: await neighbour(server, world), ...facts });
const put = (account: any, rest: object, token = world.tokens.manager, version = account.meta.versionId): Promise<Answer> =>
  server.send('PUT', `Account/${account.id}`, { token, body: { ...account, ...rest }, ...(version !== '' && { headers: { 'if-match': `W/"${version}"` } }) });
const act = async (account: any, operation: string, parameters: readonly Sent[], token = world.tokens.manager): Promise<Answer> =>
  call(server, token, `Account/${account.id}/$${operation}`, parameters, (await accountOf(server, account.id)).meta.versionId);
const reviewed = async (account: any, outcome = 'amend'): Promise<Sent> => refers('review', `Task/${(await act(account, 'review', [code('outcome', outcome)])).body.id}`);
const purchase = (account: any, amount: number): object => purchaseBody({ patient: account.subject[0].reference.slice('Patient/'.length), account: account.id, provider: world.organizations.provider, amount });

/** The server's own sweep, at a moment. */
const sweepAt = (now: number): Promise<void> => {
  const definitions = loadDefinitions();
  const store = createStore({ database: server.database, definitions });
  const extract = createExtractor(definitions);
  let ids = 0;
  return createBudgetSweep(() => ({ db: server.database, store, now, newId: () => `swept-${now}-${(ids += 1)}`, put: (tx, resource) => amend(resource, { tx, now, extract }) }))();
};
const tasksOf = async (account: any, query = ''): Promise<any[]> => ((await server.send('GET', `Task?focus=Account/${account.id}${query}`, { token: world.tokens.commissioner })).body.entry ?? []).map(({ resource }: any) => resource);

describe('amending a budget', () => {
  it('by PUT and PATCH changes the words about it, for whoever has seen it as it is', async () => {
    const account = await opened();
    const renamed = await put(account, { name: 'Care at home', servicePeriod: { start: '2026-11-01', end: '2027-10-31' } });
    expect([renamed.status, renamed.body.name, renamed.headers['etag']]).toEqual([200, 'Care at home', `W/"${Number(account.meta.versionId) + 1}"`]);
    expect((await put(account, { name: 'Other' })).status).toBe(412);
    expect((await put(account, { name: 'Other' }, world.tokens.manager, '')).status).toBe(412);
    const patched = await server.send('PATCH', `Account/${account.id}`, {
      token: world.tokens.manager, headers: { 'content-type': 'application/json-patch+json', 'if-match': renamed.headers['etag']! }, body: JSON.stringify([{ op: 'replace', path: '/name', value: 'Care' }]),
    });
    expect([patched.status, patched.body.name]).toEqual([200, 'Care']);
    for (const token of [world.tokens.ada, world.tokens.commissioner, world.tokens.coordinator]) expect((await put(patched.body, { name: 'Mine' }, token)).status).toBe(403);
    expect((await balanceOf(server, account.id))['available']).toBe(12000);
  });

  const owned: readonly [string, (account: any) => object, string][] = [
    ['amounts', (account) => JSON.parse(JSON.stringify({ extension: account.extension }).replace('12000', '13000')), '$adjust-allocation'],
    ['its status', () => ({ status: 'inactive' }), '$close'],
    ['care plans', ({ extension: all }) => ({ extension: all.filter(({ url }: any) => !url.endsWith('/ext-budget-careplan')) }), '$unlink-careplan'],
    ['managers', ({ extension: all }) => ({ extension: [...all, extension('budget-manager', { extension: [{ url: 'party', valueReference: { reference: `RelatedPerson/${world.related.nominee}` } }, { url: 'role', valueCode: 'nominee' }, { url: 'state', valueCode: 'approved' }, { url: 'period', valuePeriod: { start: '2026-11-01' } }] })] }), '$nominate'],
  ];
  it.each(owned)('by PUT never changes %s, and is told what does', async (_what, change, operation) => {
    const account = await opened();
    const answer = await put(account, change(account));
    expect([answer.status, errorCode(answer), answer.body.issue[0].details.text]).toEqual([422, 'FORBIDDEN_UPDATE', expect.stringContaining(operation)]);
    expect((await accountOf(server, account.id)).meta.versionId).toBe(account.meta.versionId);
  });

  it('after a review grants more; one review licenses several acts, and each says who did it', async () => {
    const account = await opened();
    const by = await reviewed(account);
    const adjust = (delta: number, token: string): Promise<Answer> => act(account, 'adjust-allocation', [['delta', { valueMoney: gbp(delta) }], text('reason', 'needs more'), by], token);
    expect((await adjust(500, world.tokens.manager)).status).toBe(200);
    expect((await adjust(0.01, world.tokens.commissioner)).status).toBe(200);
    expect((await adjust(1, world.tokens.ada)).status).toBe(403);
    expect((await balanceOf(server, account.id))['available']).toBe(12500.01);
    const { body } = await server.send('GET', `Provenance?target=Account/${account.id}&_sort=recorded`, { token: world.tokens.commissioner });
    const agents = body.entry.map(({ resource }: any) => resource).filter(({ activity }: any) => activity.text === 'adjust-allocation').map(({ agent: [one] }: any) => [one.type.text, one.onBehalfOf.identifier.value]);
    expect(agents).toEqual([['budget-manager', 'QWE'], ['commissioner', 'QWE']]);
  });

  it('by a care coordinator is a proposal, which a commissioner carries out', async () => {
    const account = await opened();
    const parameters: readonly Sent[] = [['delta', { valueMoney: gbp(500) }], text('reason', 'needs more'), await reviewed(account)];
    const proposed = await act(account, 'adjust-allocation', parameters, world.tokens.coordinator);
    expect(proposed.status).toBe(202);
    expect((await balanceOf(server, account.id))['available']).toBe(12000);
    const done = await act(account, 'adjust-allocation', [...parameters, refers('proposal', `Task/${proposed.body.id}`)], world.tokens.commissioner);
    expect([done.status, (await balanceOf(server, account.id))['available']]).toEqual([200, 12500]);
  });
});

describe('a budget with a direct payment', () => {
  it('is adjusted by its commissioner, who can\'t see the consent: that was judged when the line was made', async () => {
    const patient = await neighbour(server, world);
    const consent = await makeOne(server, { resourceType: 'Consent', status: 'active', patient: { reference: `Patient/${patient}` }, scope: { text: 'direct payment' }, category: [{ text: 'direct payment' }], policyRule: { text: 'regulations' } });
    const account = await opened({ patient, lines: [{ model: 'direct-payment', amount: 1000, holder: `Patient/${patient}`, consent: `Consent/${consent}` }] });
    expect((await server.send('GET', `Consent/${consent}`, { token: world.tokens.commissioner })).status).toBe(403);
    const answer = await act(account, 'adjust-allocation', [['delta', { valueMoney: gbp(-100) }], text('reason', 'needs less'), await reviewed(account)], world.tokens.commissioner);
    expect([answer.status, linesOf(answer.body).map(({ amount }) => amount)]).toEqual([200, [900]]);
    const other = JSON.parse(JSON.stringify(answer.body).replace(`Consent/${consent}`, 'Consent/none'));
    expect((await put(answer.body, other)).status).toBe(422);
  });
});

describe('edge case 10: people and organisations move on', () => {
  const child = (birthDate: string): Promise<any> => opened18(birthDate);
  async function opened18(birthDate: string): Promise<any> {
    const patient = await neighbour(server, world, { birthDate });
    const rest = { servicePeriod: { start: '2026-01-01' } };
    const eligibility = extension('eligibility', { extension: [{ url: 'basis', valueCode: 'cyp-continuing-care' }, { url: 'decidedBy', valueReference: { reference: `Organization/${world.organizations.icb}` } }, { url: 'decidedOn', valueDate: '2025-12-01' }] });
    const body = await openBudget(server, world, { patient, rest: { ...rest, extension: [
      extension('allocation', { extension: [{ url: 'model', valueCode: 'notional' }, { url: 'amount', valueMoney: gbp(900) }] }), eligibility, extension('funding-source', { valueCode: 'nhs' }), extension('overspend-policy', { valueCode: 'block' }),
    ] } });
    return body;
  }
  const birthdayIn = (days: number): string => {
    const day = londonDate(Date.now() + days * DAY);
    return `${Number(day.slice(0, 4)) - 18}${day.slice(4)}`;
  };

  it('a child turns 18: the budget goes on, its commissioner is asked in time, and it is given an adult\'s basis', async () => {
    const [soon, later] = [await child(birthdayIn(20)), await child(birthdayIn(200))];
    await sweepAt(Date.now());
    await sweepAt(Date.now() + 30 * DAY);
    expect(await tasksOf(later)).toEqual([]);
    const [task, ...more] = await tasksOf(soon);
    expect([more, task.status, task.code.text, task.restriction.period.end]).toEqual([[], 'requested', 're-base', londonDate(Date.now() + 20 * DAY)]);
    expect((await recorded(server, purchase(soon, 10))).status).toBe('active');

    const rebased = (basis: string, decidedOn: string): object => ({ extension: soon.extension.map((one: any) => (one.url.endsWith('/ext-eligibility')
      ? { ...one, extension: [{ url: 'basis', valueCode: basis }, { url: 'decidedBy', valueReference: { reference: `Organization/${world.organizations.icb}` } }, { url: 'decidedOn', valueDate: decidedOn }] } : one)) });
    const early = await put(soon, rebased('nhs-chc', today));
    expect([early.status, errorCode(early)]).toEqual([422, 'NOT_ELIGIBLE']);
    await server.send('PUT', `Patient/${soon.subject[0].reference.slice(8)}`, { token: server.tokens.admin, body: { ...(await server.send('GET', soon.subject[0].reference, { token: server.tokens.admin })).body, birthDate: birthdayIn(0) } });
    const answer = await put(soon, rebased('nhs-chc', today));
    expect([answer.status, answer.body.status]).toEqual([200, 'active']);
    expect((await balanceOf(server, soon.id))['available']).toBe(890);
    expect((await server.send('GET', `Task/${task.id}`, { token: server.tokens.admin })).body.status).toBe('completed');
  });

  it('a budget of a former CCG is seen and amended by the board that took it over, and handed over to it', async () => {
    const account = await opened({ owner: world.organizations.oldCcg });
    expect((await server.send('GET', `Account/${account.id}`, { token: world.tokens.commissioner })).status).toBe(200);
    expect((await server.send('GET', `Account/${account.id}`, { token: world.tokens.otherCommissioner })).status).toBe(404);
    const by = await reviewed(account);
    expect((await act(account, 'adjust-allocation', [['delta', { valueMoney: gbp(10) }], text('reason', 'merged'), by], world.tokens.commissioner)).status).toBe(200);
    const now = await accountOf(server, account.id);
    const owner = { owner: { reference: `Organization/${world.organizations.icb}` } };
    const away = await put(now, { owner: { reference: `Organization/${world.organizations.otherIcb}` } }, await server.token('budget-manager', { practitionerRole: world.roles.manager, organization: 'QXX' }));
    expect([403, 404]).toContain(away.status);
    const moved = await put(now, owner);
    expect([moved.status, moved.body.owner]).toEqual([200, owner.owner]);
    const funding = await server.send('GET', moved.body.coverage[0].coverage.reference, { token: world.tokens.commissioner });
    expect([funding.status, funding.body.meta.versionId, funding.body.payor]).toEqual([200, '2', [owner.owner]]);
    expect((await balanceOf(server, account.id))['available']).toBe(12010);
  });

  it('the model changes after money was spent: only what was not used moves', async () => {
    const account = await opened();
    const [line] = linesOf(account);
    const claim = await recorded(server, purchase(account, 100));
    const paid = await call(server, server.tokens.admin, `Claim/${claim.id}/$pay`, [['amount', { valueMoney: gbp(100) }], ['paymentDate', { valueDate: today }]]);
    expect(paid.status).toBeLessThan(300);
    const third = (amount: number): Sent => ['line', { part: [{ name: 'model', valueCode: 'third-party' }, { name: 'amount', valueMoney: gbp(amount) }, { name: 'holder', valueReference: { reference: `Organization/${world.organizations.isf}` } }] }];
    const kept: Sent = ['line', { part: [{ name: 'lineId', valueId: line!.lineId }, { name: 'model', valueCode: 'notional' }, { name: 'amount', valueMoney: gbp(100) }] }];
    expect((await act(account, 'assign-allocation', [third(12000)])).status).toBe(422);
    expect((await act(account, 'assign-allocation', [third(11900.01), kept])).status).toBe(422);
    const answer = await act(account, 'assign-allocation', [third(11900), kept]);
    expect([answer.status, linesOf(answer.body).map(({ model, amount }) => [model, amount])]).toEqual([200, [['third-party', 11900], ['notional', 100]]]);
    expect((await server.send('GET', `Account/${account.id}`, { token: world.tokens.isf })).status).toBe(200);
  });
});

describe('the first review', () => {
  const pay = async (account: any): Promise<void> => {
    const claim = await recorded(server, purchase(account, 10));
    const { status, text: words } = await call(server, server.tokens.admin, `Claim/${claim.id}/$pay`, [['amount', { valueMoney: gbp(10) }], ['paymentDate', { valueDate: today }]]);
    if (status >= 300) throw new Error(words);
  };
  const inThreeMonths = (day: string): boolean => day > londonDate(Date.now() + 88 * DAY) && day < londonDate(Date.now() + 93 * DAY);

  it('is due three months after the first payment, once, however often it is looked for', async () => {
    const account = await opened();
    await sweepAt(Date.now());
    expect(await tasksOf(account)).toEqual([]);
    await pay(account);
    await Promise.all([sweepAt(Date.now()), sweepAt(Date.now())]);
    await pay(account);
    await sweepAt(Date.now());
    const [task, ...more] = await tasksOf(account, `&code=${BASE}/CodeSystem/task-code|budget-review`);
    expect([more, task.status, task.for, inThreeMonths(task.restriction.period.end)]).toEqual([[], 'requested', account.subject[0], true]);
  });

  it('comes forward where a later day had been set before any payment, and not where one was held since', async () => {
    const account = await opened();
    await act(account, 'review', [code('outcome', 'continue')]);
    await pay(account);
    await sweepAt(Date.now());
    const [due] = await tasksOf(account, '&status=requested');
    expect(inThreeMonths(due.restriction.period.end)).toBe(true);
    await act(account, 'review', [code('outcome', 'continue')]);
    await sweepAt(Date.now());
    const [next, ...more] = await tasksOf(account, '&status=requested');
    expect([more, next.restriction.period.end > londonDate(Date.now() + 360 * DAY)]).toEqual([[], true]);
  });
});
