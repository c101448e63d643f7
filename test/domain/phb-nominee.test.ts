// C32E1 AC2: the patient chooses who manages the budget; from approval until the end, and never before or after, that person sees it and buys
// from it (domain.md 2.1, section 4, 6.10, rulings 24 and 33).
import { setTimeout as sleep } from 'node:timers/promises';
import { londonDate } from '../../src/fhir/london.js';
import { startServer, type Answer, type TestServer } from '../server.js';
import { errorCode } from './people.js';
import { purchaseBody } from './purchases.js';
import { accountOf, call, code, coded, makeWorld, neighbour, openBudget, put, refers, text, type Sent, type World } from './world.js';

let server: TestServer;
let world: World;
let account: any;
/** Another budget, of somebody else. */
let others: any;
beforeAll(async () => {
  server = await startServer();
  world = await makeWorld(server, 999_420_000);
  account = await openBudget(server, world);
  others = await openBudget(server, world, { patient: world.patients.bob, owner: world.organizations.otherIcb });
});
afterAll(() => server.close());

const DAY = 86_400_000;
const day = (ahead: number): string => londonDate(Date.now() + ahead * DAY);
const act = async (operation: string, parameters: readonly Sent[], token: string, version?: string): Promise<Answer> =>
  call(server, token, `Account/${account.id}/$${operation}`, parameters, version ?? (await accountOf(server, account.id)).meta.versionId);
/** As a nominee calls it: no version is known. */
const own = (operation: string, token: string, parameters: readonly Sent[] = []): Promise<Answer> => call(server, token, `Account/${account.id}/$${operation}`, parameters);

interface Person { readonly party: string; readonly token: string }
async function relative(rest: object = {}): Promise<Person> {
  const id = await put(server, { resourceType: 'RelatedPerson', active: true, patient: { reference: `Patient/${world.patients.ada}` }, relationship: [coded('nominee-role', 'friend')], name: [{ family: 'Friend' }], ...rest });
  return { party: `RelatedPerson/${id}`, token: await server.token('nominee', { relatedPerson: id }) };
}
const nominate = (party: Sent, more: readonly Sent[] = [], token = world.tokens.ada): Promise<Answer> => act('nominate', [party, ...more], token);
async function nominated(more: readonly Sent[] = []): Promise<Person> {
  const person = await relative();
  const answer = await nominate(refers('party', person.party), more);
  if (answer.status !== 200) throw new Error(answer.text);
  return person;
}
async function approved(more: readonly Sent[] = [], settings: readonly Sent[] = []): Promise<Person> {
  const person = await nominated(more);
  for (const answer of [await own('accept-nomination', person.token), await act('approve-nomination', [refers('party', person.party), ...settings], world.tokens.coordinator)]) if (answer.status !== 200) throw new Error(answer.text);
  return person;
}
const stateOf = async (party: string): Promise<string | undefined> => {
  const entries = (await accountOf(server, account.id)).extension.filter(({ url }: any) => url.endsWith('/ext-budget-manager')).map(({ extension }: any) => Object.fromEntries(extension.map(({ url, ...value }: any) => [url, Object.values(value)[0]])));
  return entries.filter((entry: any) => entry.party.reference === party).at(-1)?.state;
};
const read = (token: string, id = account.id): Promise<Answer> => server.send('GET', `Account/${id}`, { token });
const buy = ({ party, token }: Person, amount = 10, id = account.id): Promise<Answer> => server.send('POST', 'Claim', {
  token, body: purchaseBody({ patient: world.patients.ada, account: id, provider: world.organizations.provider, amount, recordedBy: party }),
});
const shut = async (person: Person): Promise<void> => {
  expect((await read(person.token)).status).toBe(404);
  const refused = await buy(person);
  expect([refused.status, refused.body.issue[0].code]).toEqual([422, 'not-found']);
};

describe('a nomination', () => {
  it('has effect from its approval until its end', async () => {
    const person = await nominated();
    expect(await stateOf(person.party)).toBe('proposed');
    await shut(person);

    const accepted = await own('accept-nomination', person.token);
    expect([accepted.status, accepted.body.resourceType]).toEqual([200, 'Parameters']);
    expect(Object.fromEntries(accepted.body.parameter.map(({ name, ...value }: any) => [name, Object.values(value)[0]]))).toEqual({ party: { reference: person.party }, role: 'nominee', state: 'accepted', period: { start: day(0) } });
    await shut(person);

    const done = await act('approve-nomination', [], world.tokens.coordinator);
    expect([done.status, done.body.resourceType, await stateOf(person.party)]).toEqual([200, 'Account', 'approved']);
    expect((await read(person.token)).status).toBe(200);
    const bought = await buy(person);
    expect([bought.status, bought.body.extension.find(({ url }: any) => url.endsWith('/ext-recorded-by')).valueReference.reference]).toEqual([201, person.party]);
    expect((await read(person.token, others.id)).status).toBe(404);
    expect((await server.send('GET', 'Account', { token: person.token })).body.total).toBe(1);

    expect((await act('end-nomination', [refers('party', person.party), text('reason', 'moved away')], world.tokens.ada)).status).toBe(200);
    expect(await stateOf(person.party)).toBe('ended');
    await shut(person);
    expect((await server.send('GET', `Claim/${bought.body.id}`, { token: person.token })).status).toBe(404);
    expect((await server.send('GET', `Claim/${bought.body.id}`, { token: world.tokens.ada })).status).toBe(200);
  });

  it('may come with the person, who is stored with it', async () => {
    const person = { resourceType: 'RelatedPerson', patient: { reference: `Patient/${world.patients.ada}` }, relationship: [coded('nominee-role', 'parent')], name: [{ family: 'Parent' }], birthDate: '1970-05-05' };
    const answer = await nominate(['party', { resource: person }], [['period', { valuePeriod: { start: day(-1), end: day(30) } }], ['maxPerPurchase', { valueMoney: { value: 50.5, currency: 'GBP' } }]]);
    expect(answer.status).toBe(200);
    const parts = Object.fromEntries(answer.body.extension.at(-1).extension.map(({ url, ...value }: any) => [url, Object.values(value)[0]]));
    expect(parts).toMatchObject({ state: 'proposed', period: { start: day(-1), end: day(30) }, maxPerPurchase: { value: 50.5 } });
    expect(answer.text).toContain('"value":50.50');
    const { body } = await server.send('GET', parts['party'].reference, { token: world.tokens.coordinator });
    expect(body).toMatchObject({ active: true, patient: { reference: `Patient/${world.patients.ada}` }, name: [{ family: 'Parent' }] });
    const stored = await server.send('GET', 'RelatedPerson?name=Parent', { token: server.tokens.admin });
    expect(stored.body.total).toBe(1);
    const refused = await nominate(['party', { resource: { ...person, name: [{ family: 'Younger' }], birthDate: `${Number(day(0).slice(0, 4)) - 15}${day(0).slice(4)}` } }]);
    expect(refused.status).toBe(422);
    expect((await server.send('GET', 'RelatedPerson?name=Younger', { token: server.tokens.admin })).body.total).toBe(0);
  });

  it('is nothing before its period begins and after it ends', async () => {
    const early = await approved([['period', { valuePeriod: { start: day(2) } }]]);
    await shut(early);
    const short = await approved([], [['period', { valuePeriod: { end: day(0) } }]]);
    expect((await read(short.token)).status).toBe(200);
    await server.seed([withPeriodsMoved(await accountOf(server, account.id), short.party, { start: day(-9), end: day(-1) })]);
    await shut(short);
  });

  it('is refused for somebody under 16, of another patient, without a record, or of whom there is one already', async () => {
    const birthday = (years: number, ahead: number): string => `${Number(day(ahead).slice(0, 4)) - years}${day(ahead).slice(4)}`;
    const child = await relative({ birthDate: birthday(16, 1) });
    expect((await nominate(refers('party', child.party))).status).toBe(422);
    expect((await nominate(refers('party', (await relative({ birthDate: birthday(16, 0) })).party))).status).toBe(200);
    const stranger = await relative({ patient: { reference: `Patient/${world.patients.bob}` } });
    const gone = await relative({ active: false });
    const past = await relative({ period: { start: '2020-01-01', end: day(-1) } });
    for (const party of [stranger.party, gone.party, past.party, 'RelatedPerson/none', `Patient/${world.patients.ada}`]) expect((await nominate(refers('party', party))).status).toBe(422);
    const person = await nominated();
    expect((await nominate(refers('party', person.party))).status).toBe(422);
    expect((await nominate(refers('party', (await relative()).party), [['period', { valuePeriod: { start: '2020-01-01', end: day(-1) } }]])).status).toBe(422);
    expect((await nominate(refers('party', (await relative()).party), [code('role', 'chauffeur')])).status).toBe(422);
    expect((await nominate(refers('party', (await relative()).party), [['maxPerPurchase', { valueMoney: { value: 0, currency: 'GBP' } }]])).status).toBe(422);
  });

  it('is the patient\'s to propose: a nominee and a professional can\'t, another patient finds nothing', async () => {
    const nominee = await approved();
    const person = await relative();
    for (const token of [nominee.token, world.tokens.coordinator, world.tokens.manager, world.tokens.commissioner]) expect((await nominate(refers('party', person.party), [], token)).status).toBe(403);
    expect((await nominate(refers('party', person.party), [], world.tokens.bob)).status).toBe(404);
    const { meta } = await accountOf(server, account.id);
    const stale = String(Number(meta.versionId) - 1);
    expect((await act('nominate', [refers('party', person.party)], world.tokens.ada, stale)).status).toBe(412);
    expect((await own('nominate', world.tokens.ada, [refers('party', person.party)])).status).toBe(412);
  });

  it('is accepted by the nominee alone, then approved, in this order', async () => {
    const person = await nominated();
    const other = await relative();
    const party = refers('party', person.party);
    expect((await own('accept-nomination', other.token)).status).toBe(404);
    expect((await own('accept-nomination', other.token, [party])).status).toBe(404);
    expect((await own('accept-nomination', world.tokens.ada)).status).toBe(403);
    expect((await act('approve-nomination', [party], world.tokens.manager)).status).toBe(422);
    expect((await act('approve-nomination', [party], person.token)).status).toBe(403);
    expect((await own('accept-nomination', person.token)).status).toBe(200);
    expect((await own('accept-nomination', person.token)).status).toBe(422);
    expect((await act('approve-nomination', [party], world.tokens.otherCommissioner)).status).toBe(404);
    expect((await call(server, world.tokens.manager, `Account/${account.id}/$approve-nomination`, [party])).status).toBe(412);
    expect((await act('approve-nomination', [party], world.tokens.manager)).status).toBe(200);
    expect((await act('approve-nomination', [party], world.tokens.manager)).status).toBe(422);
  });

  it('is rejected before approval and ended after it, by the nominee too', async () => {
    const declined = await nominated();
    const answer = await own('end-nomination', declined.token);
    expect([answer.status, answer.body.parameter.find(({ name }: any) => name === 'state').valueCode]).toEqual([200, 'rejected']);
    expect((await own('end-nomination', declined.token)).status).toBe(404);
    const refused = await nominated();
    await own('accept-nomination', refused.token);
    expect((await act('end-nomination', [refers('party', refused.party)], world.tokens.commissioner)).status).toBe(200);
    expect(await stateOf(refused.party)).toBe('rejected');
    const leaving = await approved();
    expect((await own('end-nomination', leaving.token)).status).toBe(200);
    expect(await stateOf(leaving.party)).toBe('ended');
    await shut(leaving);
    expect((await act('end-nomination', [refers('party', leaving.party)], world.tokens.ada)).status).toBe(422);
    expect((await nominate(refers('party', leaving.party))).status).toBe(200);
  });

  it('is changed by nothing else: a PUT or PATCH of managers is refused with the name of the operation', async () => {
    const person = await nominated();
    const current = await accountOf(server, account.id);
    const body = JSON.parse(JSON.stringify(current).replaceAll('"proposed"', '"approved"'));
    const put = await server.send('PUT', `Account/${account.id}`, { token: server.tokens.admin, body, headers: { 'if-match': `W/"${current.meta.versionId}"` } });
    expect([put.status, errorCode(put), put.body.issue[0].details.text]).toEqual([422, 'FORBIDDEN_UPDATE', expect.stringContaining('$approve-nomination')]);
    await shut(person);
  });

  it('that ends while purchases are on their way lets each through whole or not at all', async () => {
    const person = await approved();
    const [ended, ...bought] = await Promise.all([act('end-nomination', [refers('party', person.party)], world.tokens.ada), ...Array.from({ length: 12 }, () => buy(person, 1))]);
    expect(ended.status).toBe(200);
    for (const { status } of bought) expect([201, 403, 422]).toContain(status);
    const { body } = await server.send('GET', `Claim?budget=Account/${account.id}&_count=0`, { token: server.tokens.admin });
    const { rows } = await server.database.query<{ n: number }>({ text: 'select count(*)::int as n from fhir.claim_commitment where account = $1', values: [account.id] });
    expect(rows[0]?.n).toBe(body.total);
    await shut(person);
  });
});

describe('a nominee', () => {
  it('buys up to the limit for one purchase, which the approver may set, and no more', async () => {
    const person = await approved([['maxPerPurchase', { valueMoney: { value: 50, currency: 'GBP' } }]], [['maxPerPurchase', { valueMoney: { value: 20.5, currency: 'GBP' } }]]);
    expect((await buy(person, 20.51)).status).toBe(422);
    expect((await buy(person, 20.5)).status).toBe(201);
  });

  it('loses the budget of a patient who died; a representative still reads what became of it', async () => {
    const patient = await neighbour(server, world);
    const budget = await openBudget(server, world, { patient });
    const mine = await server.token('patient', { patient });
    const [nominee, representative] = [await relative({ patient: { reference: `Patient/${patient}` } }), await relative({ patient: { reference: `Patient/${patient}` } })];
    const on = async (operation: string, parameters: readonly Sent[], token: string): Promise<Answer> => call(server, token, `Account/${budget.id}/$${operation}`, parameters, (await accountOf(server, budget.id)).meta.versionId);
    for (const [{ party, token }, role] of [[nominee, 'nominee'], [representative, 'representative']] as const) {
      const steps = [await on('nominate', [refers('party', party), code('role', role)], mine), await on('accept-nomination', [], token), await on('approve-nomination', [refers('party', party)], world.tokens.manager)];
      expect(steps.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect((await read(token, budget.id)).status).toBe(200);
    }
    const { body: review } = await on('review', [code('outcome', 'close')], world.tokens.manager);
    expect((await on('close', [refers('review', `Task/${review.id}`), code('reason', 'death')], world.tokens.manager)).status).toBe(200);
    expect([(await read(nominee.token, budget.id)).status, (await read(representative.token, budget.id)).status]).toEqual([404, 200]);
    expect((await server.send('GET', `Account/${budget.id}/$balance`, { token: representative.token })).status).toBe(200);
    expect((await on('nominate', [refers('party', nominee.party)], mine)).status).toBe(422);
  });

  it('buys nothing by a purchase that was under way: it is judged again once it has its turn at the money', async () => {
    const person = await approved();
    const waiting = async (count: number): Promise<void> => {
      for (let tries = 0; tries < 200; tries += 1) {
        const { rows } = await server.database.beside.query<{ n: number }>({ text: "select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'", values: [] });
        if ((rows[0]?.n ?? 0) >= count) return;
        await sleep(20);
      }
      throw new Error('nobody waits');
    };
    const answers = await server.database.transaction(async (db) => {
      await db.query({ text: 'select from fhir.budget_account where account = $1 for update', values: [account.id] });
      const ended = act('end-nomination', [refers('party', person.party)], world.tokens.ada);
      await waiting(1);
      const bought = buy(person, 1);
      await waiting(2);
      return [ended, bought] as const;
    });
    const [ended, bought] = await Promise.all(answers);
    expect(ended.status).toBe(200);
    expect([403, 422]).toContain(bought.status);
    await shut(person);
  });
});

/** Past periods can't be agreed on: this is what time makes of one. */
function withPeriodsMoved(current: any, party: string, period: object): any {
  const extension = current.extension.map((one: any) => {
    const mine = one.url.endsWith('/ext-budget-manager') && one.extension.some(({ valueReference }: any) => valueReference?.reference === party);
    return mine ? { ...one, extension: one.extension.map((part: any) => (part.url === 'period' ? { ...part, valuePeriod: period } : part)) } : one;
  });
  return { ...current, extension };
}
