// C32E1 AC4: a budget is reviewed with its care plan, the next review is due, and whoever is late is seen (domain.md 2.1, 3.9, rulings 42, 45, 46).
import { londonDate } from '../../src/fhir/london.js';
import { startServer, type Answer, type TestServer } from '../server.js';
import { errorCode } from './people.js';
import { accountOf, call, code, makeWorld, neighbour, openBudget, planBody, put, refers, text, type Sent, type World } from './world.js';

let server: TestServer;
let world: World;
beforeAll(async () => {
  server = await startServer();
  world = await makeWorld(server);
});
afterAll(() => server.close());

const DAY = 86_400_000;
const day = (ago: number): string => londonDate(Date.now() - ago * DAY);
const opened = async (planned = true): Promise<any> => openBudget(server, world, { patient: await neighbour(server, world), planned });
const review = (account: any, parameters: readonly Sent[], token = world.tokens.manager): Promise<Answer> => call(server, token, `Account/${account.id}/$review`, parameters);
const tasks = async (query: string, token = world.tokens.commissioner): Promise<any[]> => ((await server.send('GET', `Task?${query}`, { token })).body.entry ?? []).map(({ resource }: any) => resource);
const outcomeOf = (task: any): unknown => task.output.find(({ type }: any) => type.text === 'outcome').valueCode;

describe('$review', () => {
  it('answers 200 with the completed review, which is found by the account, and the next one is due', async () => {
    const account = await opened();
    const answer = await review(account, [code('outcome', 'continue'), ['reviewedOn', { valueDate: day(3) }], text('notes', 'goes well'), ['nextDue', { valueDate: day(-90) }]]);
    expect([answer.status, answer.body.resourceType, answer.body.status, outcomeOf(answer.body)]).toEqual([200, 'Task', 'completed', 'continue']);
    expect(answer.body).toMatchObject({ focus: { reference: `Account/${account.id}` }, for: account.subject[0], executionPeriod: { start: day(3), end: day(3) }, note: [{ text: 'goes well' }] });
    const found = await tasks(`focus=Account/${account.id}&code=budget-review`);
    expect(found.map(({ status }) => status).sort()).toEqual(['completed', 'requested']);
    const [due] = found.filter(({ status }) => status === 'requested');
    expect(due.restriction.period.end).toBe(day(-90));
    expect((await accountOf(server, account.id)).meta.versionId).toBe(account.meta.versionId);
    // Who held it is told to whoever sees the budget.
    const { body } = await server.send('GET', `Provenance?target=Task/${answer.body.id}`, { token: world.tokens.commissioner });
    expect(body.entry).toMatchObject([{ resource: { activity: { text: 'review' }, reason: [{ coding: [{ code: 'continue' }] }], target: [{ reference: `Task/${answer.body.id}/_history/1` }, { reference: `Account/${account.id}` }], agent: [{ type: { text: 'budget-manager' } }] } }]);
    expect((await server.send('GET', `Provenance?target=Task/${answer.body.id}`, { token: world.tokens.otherCommissioner })).body.entry).toBeUndefined();
  });

  it('is due again within twelve months where nothing else is said, and holding it ends what was due', async () => {
    const account = await opened();
    await review(account, [code('outcome', 'continue')]);
    const [due] = await tasks(`focus=Account/${account.id}&status=requested`);
    expect(due.restriction.period.end).toBe(`${Number(day(0).slice(0, 4)) + 1}${day(0).slice(4).replace('-02-29', '-02-28')}`);
    const again = await review(account, [code('outcome', 'amend')], world.tokens.commissioner);
    expect([again.body.id, again.body.restriction.period.end]).toEqual([due.id, due.restriction.period.end]);
    const found = await tasks(`focus=Account/${account.id}&code=budget-review`);
    expect(found.map(({ status }) => status).sort()).toEqual(['completed', 'completed', 'requested']);
  });

  it('shows reviews that are overdue to the commissioner, and to no other', async () => {
    const account = await opened();
    await review(account, [code('outcome', 'continue'), ['reviewedOn', { valueDate: day(60) }], ['nextDue', { valueDate: day(1) }]]);
    const overdue = `due=lt${day(0)}&status=requested`;
    expect((await tasks(overdue)).map(({ focus }) => focus.reference)).toContain(`Account/${account.id}`);
    expect((await tasks(`due=lt${day(1)}&status=requested`)).map(({ focus }) => focus.reference)).not.toContain(`Account/${account.id}`);
    expect(await tasks(overdue, world.tokens.otherCommissioner)).toEqual([]);
  });

  const refused: readonly [string, readonly Sent[], number][] = [
    ['without an outcome', [], 422],
    ['with an outcome that is none', [code('outcome', 'perhaps')], 422],
    ['that will be held tomorrow', [code('outcome', 'continue'), ['reviewedOn', { valueDate: day(-1) }]], 422],
    ['on a day the calendar has not got', [code('outcome', 'continue'), ['reviewedOn', { valueDate: '2026-02-30' }]], 400],
    ['with the next one before it', [code('outcome', 'continue'), ['nextDue', { valueDate: day(0) }]], 422],
    ['with the next one in two years', [code('outcome', 'continue'), ['nextDue', { valueDate: day(-730) }]], 422],
    ['of a plan that is not linked', [code('outcome', 'continue'), refers('carePlan', 'CarePlan/none')], 422],
  ];
  it.each(refused)('is refused %s', async (_case, parameters, status) => {
    const account = await opened();
    expect((await review(account, parameters)).status).toBe(status);
    expect(await tasks(`focus=Account/${account.id}`)).toEqual([]);
  });

  it('needs a linked care plan, by default the primary one', async () => {
    const bare = await opened(false);
    const answer = await review(bare, [code('outcome', 'continue')]);
    expect([answer.status, answer.body.issue[0].code]).toEqual([422, 'business-rule']);
    const account = await opened();
    const other = await put(server, planBody(account.subject[0].reference.slice('Patient/'.length)));
    expect(errorCode(await review(account, [code('outcome', 'continue'), refers('carePlan', `CarePlan/${other}`)]))).toBe('CAREPLAN_MISMATCH');
    const { body } = await review(account, [code('outcome', 'continue')]);
    const [plan] = account.extension.filter(({ url }: any) => url.endsWith('/ext-budget-careplan'));
    expect(body.basedOn).toEqual([plan.extension.find(({ url }: any) => url === 'plan').valueReference]);
  });

  it('is for who looks after the budget: the patient gets 403, another commissioner 404', async () => {
    const account = await opened();
    const patient = await server.token('patient', { patient: account.subject[0].reference.slice('Patient/'.length) });
    expect((await review(account, [code('outcome', 'continue')], patient)).status).toBe(403);
    expect((await review(account, [code('outcome', 'continue')], world.tokens.otherCommissioner)).status).toBe(404);
    expect((await review(account, [code('outcome', 'continue')], world.tokens.coordinator)).status).toBe(200);
  });
});
