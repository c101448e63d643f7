// C32E2 by whom: each role records what it may, a broker drafts, a patient takes drafts back, and MGR or ICB decide what waits (domain.md
// section 4, rulings 13, 33, 35, 55).
import { BASE, errorCode } from './people.js';
import { extension, gbp, linesOf, type BudgetBody } from './budgets.js';
import { balanceOf, change, opened, purchaseBody, record, recorded, type Opened } from './purchases.js';
import { makeWorld, managerEntry, type World } from './world.js';
import { startServer, type Answer, type TestServer } from '../server.js';

let server: TestServer;
let world: World;
beforeAll(async () => {
  server = await startServer();
  world = await makeWorld(server);
});
afterAll(() => server.close());

let period = 2030;
/** A further budget of ada's, in a period of its own. */
async function budget(rest: Partial<BudgetBody> = {}): Promise<Opened> {
  const year = period++;
  return opened(server, { owner: world.organizations.icb, provider: world.organizations.provider }, { patient: world.patients.ada, start: `${year}-01-01`, end: `${year}-12-31`, ...rest });
}
const unsigned = (mine: Opened, rest: object = {}): any => {
  const body = purchaseBody({ ...mine, ...rest });
  return { ...body, extension: body.extension.filter(({ url }: any) => !url.endsWith('ext-recorded-by')) };
};
const recorderOf = ({ body }: Answer): string => body.extension.find(({ url }: any) => url === `${BASE}/StructureDefinition/ext-recorded-by`).valueReference.reference;
const decide = (code: string, claim: any, token: string, reason: string | undefined = 'looked into'): Promise<Answer> =>
  server.send('POST', `Claim/${claim.id}/$${code}`, { token, body: { resourceType: 'Parameters', ...(reason !== '' && { parameter: [{ name: 'reason', valueString: reason }] }) } });

describe('recording', () => {
  it.each(['ada', 'coordinator', 'manager'] as const)('is in the name of the token: %s', async (bearer) => {
    const answer = await record(server, unsigned(await budget()), world.tokens[bearer]);
    expect(answer.status).toBe(201);
    expect(recorderOf(answer)).toBe(bearer === 'ada' ? `Patient/${world.patients.ada}` : `PractitionerRole/${world.roles[bearer]}`);
  });

  it.each(['bob', 'otherCommissioner', 'commissioner', 'provider', 'stranger', 'nominee'] as const)('is not for %s', async (bearer) => {
    const mine = await budget();
    const answer = await record(server, unsigned(mine), world.tokens[bearer]);
    expect([403, 422]).toContain(answer.status);
    if (bearer === 'bob' || bearer === 'nominee') expect([answer.status, answer.body.issue[0].code]).toEqual([422, 'not-found']);
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 0 });
  });

  it.each(['budget before patient', 'patient before budget'])('for a patient without a relationship is refused as for one who is not there, wherever the reference stands: %s', async (order) => {
    const { extension: extensions, patient: _patient, ...rest } = unsigned(await budget());
    const ask = async (patient: string): Promise<unknown[]> => {
      const named = { patient: { reference: `Patient/${patient}` } };
      const { status, body } = await record(server, order.startsWith('budget') ? { extension: extensions, ...named, ...rest } : { ...named, extension: extensions, ...rest }, world.tokens.stranger);
      return [status, body.issue[0].details.coding[0].code, body.issue[0].details.text.replace(patient, 'X')];
    };
    const answer = await ask(world.patients.ada);
    expect(answer.slice(0, 2)).toEqual([403, 'NO_RELATIONSHIP']);
    expect(await ask('nobody')).toEqual(answer);
  });

  it('of a third party is on its own lines, the only one of which it need not name', async () => {
    const mine = await budget({ lines: [{ amount: gbp(100) }, { model: 'third-party', amount: gbp(200), holder: `Organization/${world.organizations.isf}` }] });
    const [notional, own] = linesOf(mine.body).map(({ lineId }) => lineId);
    const answer = await record(server, unsigned(mine), world.tokens.isf);
    expect([answer.status, recorderOf(answer)]).toEqual([201, `Organization/${world.organizations.isf}`]);
    expect(answer.body.extension).toContainEqual(extension('allocation-id', { valueId: own }));
    const other = await record(server, unsigned(mine, { line: notional }), world.tokens.isf);
    expect([other.status, other.body.issue[0].code]).toEqual([422, 'not-found']);
    expect(other.body.issue[0].details.text).not.toContain('100.00');
  });

  it('of a nominee is within what it was given', async () => {
    const mine = await budget();
    const entry: any = managerEntry(`RelatedPerson/${world.related.nominee}`, 'approved');
    entry.extension.push({ url: 'maxPerPurchase', valueMoney: gbp(25) });
    await server.seed([{ ...mine.body, extension: [...mine.body.extension, entry] }]);
    expect((await record(server, unsigned(mine, { amount: 25 }), world.tokens.nominee)).status).toBe(201);
    const answer = await record(server, unsigned(mine, { amount: 25.01 }), world.tokens.nominee);
    expect([answer.status, answer.body.issue[0].details.text]).toEqual([422, expect.stringContaining('£25.00')]);
  });

  it('of a broker is a draft', async () => {
    const mine = await budget();
    expect((await record(server, unsigned(mine), world.tokens.broker)).status).toBe(403);
    const draft = await record(server, unsigned(mine, { status: 'draft' }), world.tokens.broker);
    expect(draft.status).toBe(201);
    expect((await change(server, draft.body, { status: 'active' }, world.tokens.broker)).status).toBe(403);
    expect((await change(server, draft.body, { status: 'active' }, world.tokens.coordinator)).status).toBe(200);
    expect((await change(server, draft.body, { status: 'cancelled' }, world.tokens.broker)).status).toBe(403);
  });

  it('of a patient is taken back as a draft, and not changed otherwise', async () => {
    const mine = await budget();
    const [draft, active] = [await recorded(server, purchaseBody({ ...mine, status: 'draft' })), await recorded(server, purchaseBody(mine))];
    expect((await change(server, active, { status: 'cancelled' }, world.tokens.ada)).status).toBe(403);
    expect((await change(server, draft, { status: 'active' }, world.tokens.ada)).status).toBe(403);
    expect((await change(server, draft, { status: 'cancelled' }, world.tokens.ada)).status).toBe(200);
  });
});

describe('evidence as a file of its own', () => {
  const tokenOf = (bearer: string): Promise<string> | string => (bearer === 'office' ? server.token('budget-manager', { organization: 'QWE' }) : world.tokens[bearer as 'ada']);
  const evidence = (mine: Opened, reference: string, line?: string): any => ({
    ...unsigned(mine, { line }), supportingInfo: [{ sequence: 1, category: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/claiminformationcategory', code: 'attachment' }] }, valueReference: { reference } }],
  });
  const file = async (token: string): Promise<string> => {
    const answer = await server.send('POST', 'Binary', { token, body: { resourceType: 'Binary', contentType: 'text/plain', data: Buffer.from('paid').toString('base64') } });
    expect(answer.status).toBe(201);
    return `Binary/${answer.body.id}`;
  };

  it.each(['ada', 'coordinator', 'manager', 'office'])('comes from %s, who need not say whose it is, and goes with the purchase', async (bearer) => {
    const [mine, token] = [await budget(), await tokenOf(bearer)];
    const url = await file(token);
    const document = await server.send('POST', 'DocumentReference', { token, body: { resourceType: 'DocumentReference', status: 'current', subject: { reference: `Patient/${world.patients.ada}` }, content: [{ attachment: { contentType: 'text/plain', url } }] } });
    expect(document.status).toBe(201);
    const path = `DocumentReference/${document.body.id}`;
    expect((await server.send('GET', path, { token: world.tokens.commissioner })).status).toBe(404);
    expect((await record(server, evidence(mine, path), token)).status).toBe(201);
    for (const seen of [path, url]) expect((await server.send('GET', seen, { token: world.tokens.commissioner })).status).toBe(200);
  });

  it('comes from a third party for its own line', async () => {
    const mine = await budget({ lines: [{ amount: gbp(100) }, { model: 'third-party', amount: gbp(200), holder: `Organization/${world.organizations.isf}` }] });
    const url = await file(world.tokens.isf);
    expect((await record(server, evidence(mine, url, linesOf(mine.body)[1]?.lineId), world.tokens.isf)).status).toBe(201);
    expect((await server.send('GET', url, { token: world.tokens.commissioner })).status).toBe(200);
  });
});

describe('what waits for a decision', () => {
  const waiting = async (mine: Opened, rest: object = {}): Promise<any> => recorded(server, purchaseBody({ ...mine, amount: 30, ...rest }));
  const taskOf = async (claim: any): Promise<any> => (await server.send('GET', `Task?focus=Claim/${claim.id}&code=budget-request`, { token: world.tokens.commissioner })).body.entry?.[0]?.resource;

  it('is approved by the manager, with a reason that is kept, and then overspends', async () => {
    const mine = await budget({ lines: [{ amount: gbp(20) }], policy: 'approve' });
    const claim = await waiting(mine);
    expect([claim.status, (await taskOf(claim)).status]).toEqual(['draft', 'requested']);
    expect((await decide('approve', claim, world.tokens.manager, '')).status).toBe(422);
    expect((await decide('approve', claim, world.tokens.ada)).status).toBe(403);
    const answer = await decide('approve', claim, world.tokens.manager);
    expect([answer.status, answer.body.status, answer.headers['etag']]).toEqual([200, 'active', 'W/"2"']);
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 30, available: -10 });
    expect((await taskOf(claim)).status).toBe('completed');
    const { body } = await server.send('GET', `Provenance?target=Claim/${claim.id}`, { token: world.tokens.commissioner });
    expect(body.entry[0].resource).toMatchObject({ reason: [{ text: 'looked into' }], activity: { text: 'approve' } });
    expect((await decide('approve', claim, world.tokens.manager)).status).toBe(422);
  });

  it('is rejected by the commissioner, and holds nothing', async () => {
    const mine = await budget({ lines: [{ amount: gbp(20) }], policy: 'approve' });
    const claim = await waiting(mine);
    expect((await decide('reject', claim, world.tokens.otherCommissioner)).status).toBe(404);
    const answer = await decide('reject', claim, world.tokens.commissioner);
    expect([answer.status, answer.body.status]).toEqual([200, 'cancelled']);
    expect((await taskOf(claim)).status).toBe('rejected');
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 0, available: 20 });
  });

  it('is approved by the commissioner alone where it is excluded', async () => {
    const mine = await budget();
    const item = [{ sequence: 1, productOrService: { coding: [{ system: `${BASE}/CodeSystem/excluded-spend`, code: 'tobacco' }] }, net: gbp(30) }];
    const claim = await waiting(mine, { status: 'draft', rest: { item } });
    expect(errorCode(await decide('approve', claim, world.tokens.manager))).toBe('EXCLUDED_SPEND');
    expect((await decide('approve', claim, world.tokens.commissioner)).status).toBe(200);
    expect((await change(server, (await server.send('GET', `Claim/${claim.id}`, { token: server.tokens.admin })).body, { priority: { text: 'x' } })).status).toBe(200);
  });

  it('does not go past the policy block', async () => {
    const mine = await budget({ lines: [{ amount: gbp(20) }] });
    const claim = await waiting(mine, { status: 'draft' });
    expect(errorCode(await decide('approve', claim, world.tokens.commissioner))).toBe('INSUFFICIENT_FUNDS');
  });
});
