// Who may subscribe to what around a budget: one's own Subscriptions, to what one finds by search, told under the same Grant (domain.md ruling 22).
import { openReceiver, plainBody, STATUS_CRITERIA, subscribed, topicBody, until, type Receiver } from '../domain/subscribers.js';
import { accountOf, makeWorld, openBudget, purchaseBody, put, teamBody, type World } from '../domain/world.js';
import { startServer, type Answer, type TestServer } from '../server.js';

let server: TestServer;
let world: World;
let receiver: Receiver;
let [adas, bobs] = ['', ''];
let lines: string[] = [];

beforeAll(async () => {
  server = await startServer({ SUBSCRIPTION_RETRY_MS: '50' });
  world = await makeWorld(server);
  const opened = await openBudget(server, world, { lines: [{ model: 'notional', amount: 5000 }, { model: 'third-party', amount: 5000, holder: `Organization/${world.organizations.isf}` }] });
  adas = opened.id;
  bobs = (await openBudget(server, world, { patient: world.patients.bob, owner: world.organizations.otherIcb, planned: false })).id;
  lines = (await accountOf(server, adas)).extension.filter(({ url }: any) => url.endsWith('/ext-allocation')).map(({ extension }: any) => extension.find(({ url }: any) => url === 'lineId').valueId);
});
afterAll(() => server.close());
beforeEach(async () => { receiver = await openReceiver(); });
afterEach(() => receiver.close());

type Bearer = keyof World['tokens'];
const as = (bearer: Bearer, method: string, path: string, body?: object): Promise<Answer> => server.send(method, path, { token: world.tokens[bearer], ...(body && { body }) });
const listen = (bearer: Bearer, criteria = 'Claim'): Promise<string> => subscribed(server, plainBody(criteria, `${receiver.endpoint}/${bearer}`), world.tokens[bearer]);
const toldTo = (bearer: Bearer): string[] => receiver.received.flatMap(({ url }) => (url.includes(`/${bearer}/Claim/`) ? [url.split('/').at(-1) ?? ''] : [])).sort();
const off = async (bearer: Bearer, id: string): Promise<void> => { expect((await as(bearer, 'DELETE', `Subscription/${id}`)).status).toBe(204); };

async function buy(whose: 'ada' | 'bob', line?: string): Promise<string> {
  const patient = world.patients[whose];
  const { insurance: _, ...body } = purchaseBody({ patient, budget: whose === 'ada' ? adas : bobs, provider: world.organizations.provider, recordedBy: `Patient/${patient}`, ...(line !== undefined && { line }) });
  return put(server, body);
}

const LISTENERS = ['ada', 'bob', 'ended', 'coordinator', 'stranger', 'broker', 'manager', 'commissioner', 'otherCommissioner', 'authority', 'isf', 'otherIsf'] as const;

test('each is told of the purchases that it finds by search, and of no other', async () => {
  const subscriptions = new Map<Bearer, string>();
  for (const bearer of ['admin', ...LISTENERS] as const) subscriptions.set(bearer, await listen(bearer));
  const made = [await buy('ada', lines[0]), await buy('ada', lines[1]), await buy('bob')].sort();
  await until('all purchases', () => toldTo('admin').length === made.length);
  const expected = new Map<Bearer, string[]>();
  for (const bearer of LISTENERS) expected.set(bearer, ((await as(bearer, 'GET', 'Claim')).body.entry ?? []).map(({ resource }: any) => resource.id).sort());
  await until('what each may see', () => LISTENERS.every((bearer) => toldTo(bearer).length >= (expected.get(bearer)?.length ?? 0)));
  expect(LISTENERS.map((bearer) => [bearer, toldTo(bearer)])).toEqual(LISTENERS.map((bearer) => [bearer, expected.get(bearer)]));
  expect(LISTENERS.map((bearer) => expected.get(bearer)?.length)).toEqual([2, 1, 0, 2, 0, 2, 2, 2, 1, 0, 1, 0]);
  for (const [bearer, id] of subscriptions) await off(bearer, id);
});

test('a Subscription is its own caller\'s: to others it is not there', async () => {
  const id = await listen('manager');
  for (const bearer of ['ada', 'coordinator', 'broker', 'commissioner', 'otherCommissioner', 'isf', 'provider'] as const) {
    expect((await as(bearer, 'GET', 'Subscription')).body.entry).toBeUndefined();
    for (const [method, path] of [['GET', ''], ['GET', '/_history/1'], ['GET', '/$status'], ['GET', '/$events'], ['GET', '/$dead-letters'], ['DELETE', '']] as const) {
      expect([bearer, method, path, (await as(bearer, method, `Subscription/${id}${path}`)).status]).toEqual([bearer, method, path, 404]);
    }
    expect((await as(bearer, 'PUT', `Subscription/${id}`, { ...plainBody('Claim', `${receiver.endpoint}/thief`), id })).status).toBeGreaterThanOrEqual(400);
  }
  expect((await as('manager', 'GET', 'Subscription')).body.entry.map(({ resource }: any) => resource.id)).toEqual([id]);
  expect((await as('manager', 'GET', `Subscription/${id}/$status`)).status).toBe(200);
  await off('manager', id);
});

test('nobody subscribes to what is not its to search for: 403', async () => {
  for (const [bearer, criteria] of [
    ['provider', 'Claim'], ['provider', 'Account'], ['ada', 'Observation'], ['ada', 'Group'], ['nominee', 'Consent'], ['isf', 'CarePlan'], ['isf', 'Patient'], ['commissioner', 'Consent'], ['broker', 'Measure'],
    ['practice', 'Task'], ['practice', 'Patient'],
  ] as const) expect([bearer, criteria, (await as(bearer, 'POST', 'Subscription', plainBody(criteria, `${receiver.endpoint}/x`))).status]).toEqual([bearer, criteria, 403]);
  for (const bearer of ['ada', 'coordinator', 'manager', 'commissioner', 'isf'] as const) {
    for (const body of [topicBody(`${receiver.endpoint}/x`, 'full-resource'), plainBody(STATUS_CRITERIA, `${receiver.endpoint}/x`)]) expect([bearer, (await as(bearer, 'POST', 'Subscription', body)).status]).toEqual([bearer, 403]);
  }
});

test('what has ended since is told to nobody: a relationship, a permission', async () => {
  const told = [await listen('admin'), await listen('coordinator'), await listen('manager')];
  await put(server, { ...teamBody(world.patients.ada, [`PractitionerRole/${world.roles.coordinator}`], 'inactive'), id: world.team });
  const { body: role } = await as('admin', 'GET', `PractitionerRole/${world.roles.manager}`);
  await put(server, { ...role, active: false });
  const id = await buy('ada', lines[0]);
  await until('the purchase', () => toldTo('admin').includes(id));
  const tried = await until('an attempt for the manager', async () => {
    const { rows } = await server.database.query<{ error: string }>({ text: 'select error from fhir.notification where subscription = $1 and error is not null', values: [told[2]] });
    return rows[0];
  });
  expect(tried.error).toContain('may not see this any more');
  expect([toldTo('coordinator'), toldTo('manager')]).toEqual([[], []]);
});
