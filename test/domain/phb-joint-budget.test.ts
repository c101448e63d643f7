// C32E10: purchases on a joint budget are divided over the budgets in it, and each owner sees its own (domain.md 2.1 E10, 3.8 rule 9, edge
// case 6.8; rulings 20, 56, 57).
import { BASE, errorCode, parametersOf } from './people.js';
import { closeBalanced, extension, gbp, linesOf, made, organization } from './budgets.js';
import { balanceOf, change, purchaseBody, record, recorded } from './purchases.js';
import { codeIn, directLine, linkPlan, paidIn, pay, refund } from './payments.js';
import { jointOf, move, type Joint, type Part } from './joint.js';
import { startServer, type Answer, type TestServer } from '../server.js';

let server: TestServer;
let provider: string;
beforeAll(async () => {
  server = await startServer();
  provider = await organization(server, 'GYM1', 'provider');
});
afterAll(() => closeBalanced(server));

const read = (path: string, token = server.tokens.admin): Promise<Answer> => server.send('GET', path, { token });
const words = ({ body }: Answer): string => body.issue[0].details.text;
const THREE: readonly Part[] = [{ funding: 'nhs' }, { funding: 'social-care' }, { funding: 'education' }];
const body = ({ patient, joint }: Joint, rest: object = {}): any => purchaseBody({ patient, account: joint, provider, ...rest });

/** Pence of each kind that the Claim moved on each budget, by place among the children. */
async function rowsOf(on: Joint, claim: string): Promise<[number, string, number][]> {
  const { rows } = await server.database.query<any>({ text: 'select account, kind, amount::int from fhir.ledger where claim = $1', values: [claim] });
  return rows.map(({ account, kind, amount }) => [on.children.findIndex(({ id }) => id === account), kind, amount] as [number, string, number]).sort(([a], [b]) => a - b);
}
const available = async ({ children }: Joint): Promise<number[]> => Promise.all(children.map(async ({ id }) => (await balanceOf(server, id))['available'] ?? NaN));
const hold = (account: string, state: string): Promise<unknown> => server.database.query({ text: 'update fhir.budget_account set state = $1 where account = $2', values: [state, account] });
/** Places of the children by Account id: odd pence go to the first. */
const byId = ({ children }: Joint): number[] => [...children.keys()].sort((a, b) => (children[a].id < children[b].id ? -1 : 1));
const odd = (on: Joint): number[] => on.children.map((_, index) => (index === byId(on)[0] ? 33.34 : 33.33));

describe('edge case 6.8: three budgets of equal size are charged 100.00', () => {
  it('is 33.34 + 33.33 + 33.33, the odd penny to the first by Account id, with one insurance for each', async () => {
    const on = await jointOf(server, THREE);
    const claim = await recorded(server, body(on, { amount: 100 }));
    expect(await available(on)).toEqual(odd(on).map((share) => Number((100 - share).toFixed(2))));
    expect(await balanceOf(server, on.joint)).toMatchObject({ allocated: 300, committed: 100, available: 200 });
    expect(claim.insurance).toEqual(byId(on).map((place, index) => ({ sequence: index + 1, focal: index === 0, coverage: on.children[place].coverage[0].coverage })));
    expect(codeIn(claim, 'allocation-id')).toBeUndefined();
  });

  it('when the second is not active, then the whole is 409 and nothing moves', async () => {
    const on = await jointOf(server, THREE);
    await hold(on.children[1].id, 'inactive');
    const answer = await record(server, body(on, { amount: 100 }));
    expect([answer.status, errorCode(answer), words(answer)]).toEqual([409, 'ACCOUNT_NOT_ACTIVE', expect.stringContaining(on.children[1].id)]);
    await hold(on.children[1].id, 'active');
    expect(await available(on)).toEqual([100, 100, 100]);
  });

  it('when the second is suspended while the charge waits, then the whole is 409 all the same', async () => {
    const on = await jointOf(server, THREE);
    let charge: Promise<Answer> | undefined;
    await server.database.transaction(async (db) => {
      await db.query({ text: 'update fhir.budget_account set state = $1 where account = $2', values: ['on-hold', on.children[1].id] });
      charge = record(server, body(on, { amount: 100 }));
      await new Promise((resolve) => { setTimeout(resolve, 300); });
    });
    expect((await charge)?.status).toBe(409);
    await hold(on.children[1].id, 'active');
    expect(await available(on)).toEqual([100, 100, 100]);
  });

  it('a refund returns in the original proportions, not to whoever has money', async () => {
    const on = await jointOf(server, THREE);
    const claim = await recorded(server, body(on, { amount: 100 }));
    const { notice } = paidIn(await pay(server, claim.id, 100));
    // Since then one of them is all but spent.
    await recorded(server, purchaseBody({ patient: on.patient, account: on.children[2].id, provider, amount: 60 }));
    expect((await refund(server, notice.id, 30)).status).toBe(201);
    expect((await rowsOf(on, claim.id)).filter(([, kind]) => kind === 'refund').map(([place, , pence]) => [place, pence])).toEqual([[0, 1000], [1, 1000], [2, 1000]]);
    expect((await refund(server, notice.id, 70)).status).toBe(201);
    expect(await available(on)).toEqual([100, 100, 40]);
    expect(errorCode(await refund(server, notice.id, 0.01))).toBe('REFUND_EXCEEDS_PAYMENT');
    expect((await change(server, (await read(`Claim/${claim.id}`)).body, { status: 'cancelled' })).status).toBe(200);
    expect(await available(on)).toEqual([100, 100, 40]);
  });

  it('an owner sees the joint total and its own rows, with date, provider and its share, and nothing of the items', async () => {
    const on = await jointOf(server, THREE);
    const ods = `LA${on.joint.slice(-8)}`;
    await server.send('PUT', `Organization/${on.owners[1]}`, { token: server.tokens.admin, body: { ...(await read(`Organization/${on.owners[1]}`)).body, identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: ods }] } });
    const officer = await server.token('budget-manager', { organization: ods });
    const claim = await recorded(server, body(on, { amount: 100 }));
    const { notice } = paidIn(await pay(server, claim.id, 100));
    expect((await read(`Account/${on.joint}`, officer)).status).toBe(200);
    expect((await balanceOf(server, on.joint, officer))['available']).toBe(200);
    const lines = (await read(`Account/${on.joint}/$balance?byAllocation=true`, officer)).body.parameter.filter(({ name }: any) => name === 'line');
    expect(lines.map(({ part }: any) => parametersOf({ parameter: part })['lineId'])).toEqual([linesOf(on.children[1])[0]!.lineId]);
    for (const path of [`Claim/${claim.id}`, `PaymentNotice/${notice.id}`, `Account/${on.children[0].id}`, `Account/${on.children[0].id}/$statement`]) expect([path, (await read(path, officer)).status]).toEqual([path, 404]);
    const statement = await read(`Account/${on.joint}/$statement`, officer);
    const shown = statement.body.entry.filter(({ search }: any) => search.mode === 'match');
    const share = gbp(odd(on)[1]!);
    expect(shown.map(({ extension: list }: any) => list.find(({ url }: any) => url.endsWith('/ext-ledger-kind')).valueCode)).toEqual(['allocation', 'commit', 'spend']);
    expect(shown[1].resource).toEqual({ resourceType: 'Claim', meta: expect.anything(), created: claim.created, provider: claim.provider, total: share });
    for (const secret of ['Gym', claim.id, on.children[0].id, on.children[2].id]) expect(statement.text).not.toContain(secret);
    expect((await read(`Claim?budget=${on.joint}`, officer)).body.total).toBe(0);
  });

  it('of whom one pays all, that one sees the purchase', async () => {
    const on = await jointOf(server, [{ funding: 'nhs' }, { funding: 'social-care' }], 'priority-order');
    const ods = `QX${on.joint.slice(-8)}`;
    await server.send('PUT', `Organization/${on.owners[0]}`, { token: server.tokens.admin, body: { ...(await read(`Organization/${on.owners[0]}`)).body, identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: ods }] } });
    const owner = await server.token('commissioner', { organization: ods });
    const alone = await recorded(server, body(on, { amount: 60 }));
    const shared = await recorded(server, body(on, { amount: 60 }));
    expect([(await read(`Claim/${alone.id}`, owner)).status, (await read(`Claim/${shared.id}`, owner)).status]).toEqual([200, 404]);
  });
});

describe('given 12000.00 for health and 3000.00 for care, joined', () => {
  const both = (policy?: string): Promise<Joint> => jointOf(server, [{ funding: 'nhs', amount: 12000 }, { funding: 'social-care', amount: 3000 }], policy);

  it('when 200.00 are bought, then 160.00 and 40.00 are reserved, and paid and cancelled in the same way', async () => {
    const on = await both();
    const claim = await recorded(server, body(on, { amount: 200 }));
    expect(await rowsOf(on, claim.id)).toEqual([[0, 'commit', 16000], [1, 'commit', 4000]]);
    expect(claim.insurance.map(({ focal, coverage }: any) => [focal, coverage.reference])).toEqual(byId(on).map((place) => [place === 0, on.children[place].coverage[0].coverage.reference]));
    await pay(server, claim.id, 50);
    expect((await rowsOf(on, claim.id)).filter(([, kind]) => kind === 'spend')).toEqual([[0, 'spend', 4000], [1, 'spend', 1000]]);
    expect(await balanceOf(server, on.joint)).toMatchObject({ committed: 150, spent: 50, available: 14800 });
    const other = await recorded(server, body(on, { amount: 0.01 }));
    expect((await change(server, other, { status: 'cancelled' })).status).toBe(200);
    expect((await balanceOf(server, on.joint))['available']).toBe(14800);
  });

  it('when it is drawn on to the last penny, then it is never refused before, and 422 after', async () => {
    const on = await both();
    const over = await record(server, body(on, { amount: 15000.01 }));
    expect([over.status, errorCode(over), words(over)]).toEqual([422, 'INSUFFICIENT_FUNDS', expect.stringContaining('£15000.00')]);
    expect((await record(server, body(on, { amount: 15000 }))).status).toBe(201);
    expect(await available(on)).toEqual([0, 0]);
    expect(errorCode(await record(server, body(on, { amount: 0.01 })))).toBe('INSUFFICIENT_FUNDS');
  });

  it('when the amount of an unpaid purchase changes, then less is given back in proportion, and more is found anew', async () => {
    const on = await both();
    const claim = await recorded(server, body(on, { amount: 200 }));
    const less = await change(server, claim, { item: [{ ...claim.item[0], unitPrice: gbp(100), net: gbp(100) }], total: gbp(100) });
    expect([less.status, await available(on)]).toEqual([200, [11920, 2980]]);
    const more = await change(server, less.body, { item: [{ ...claim.item[0], unitPrice: gbp(14990), net: gbp(14990) }], total: gbp(14990) });
    expect([more.status, (await balanceOf(server, on.joint))['available']]).toEqual([200, 10]);
    expect((await change(server, more.body, { note: undefined, priority: claim.priority })).status).toBe(200);
  });

  it('when a commitment is fulfilled, then it is consumed where it was reserved, and never added to', async () => {
    const on = await both();
    const commitment = await recorded(server, body(on, { amount: 100, use: 'preauthorization' }));
    const claim = await recorded(server, body(on, { amount: 90, fulfils: commitment.id }));
    expect((await balanceOf(server, on.joint))['available']).toBe(14910);
    expect(await available(on)).toEqual([11928, 2982]);
    expect((await rowsOf(on, claim.id)).map(([place, , pence]) => [place, pence])).toEqual([[0, 7200], [1, 1800]]);
    const { notice } = paidIn(await pay(server, claim.id, 90));
    expect((await change(server, (await read(`Claim/${claim.id}`)).body, { status: 'cancelled' })).status).toBe(409);
    expect((await refund(server, notice.id, 90)).status).toBe(201);
    expect(await available(on)).toEqual([12000, 3000]);
  });

  it('when a purchase that fulfils part of a commitment changes its amount, then it draws on the rest, and gives back, where that was reserved', async () => {
    const on = await both();
    const commitment = await recorded(server, body(on, { amount: 100, use: 'preauthorization' }));
    const claim = await recorded(server, body(on, { amount: 40, fulfils: commitment.id, final: false }));
    const costs = (amount: number): Promise<Answer> => change(server, claim, { item: [{ ...claim.item[0], unitPrice: gbp(amount), net: gbp(amount) }], total: gbp(amount) });
    expect([(await costs(70)).status, await available(on)]).toEqual([200, [11920, 2980]]);
    expect([(await costs(120)).status, await available(on)]).toEqual([200, [11904, 2976]]);
    expect([(await costs(50)).status, await available(on)]).toEqual([200, [11920, 2980]]);
  });

  it('when two purchases come in one transaction, then the second finds what the first leaves', async () => {
    const on = await both();
    const entry = (amount: number): object => ({ resource: body(on, { amount }), request: { method: 'POST', url: 'Claim' } });
    const bundle = (...entries: object[]): Promise<Answer> => server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type: 'transaction', entry: entries } });
    expect((await bundle(entry(8000), entry(7000.01))).status).toBe(422);
    expect((await bundle(entry(8000), entry(7000))).status).toBe(200);
    expect(await available(on)).toEqual([0, 0]);
  });

  it('when it is drafted, then nothing is reserved until it is active', async () => {
    const on = await both();
    const draft = await recorded(server, body(on, { amount: 200, status: 'draft' }));
    expect([draft.insurance.length, await available(on)]).toEqual([2, [12000, 3000]]);
    expect((await change(server, draft, { status: 'active' })).status).toBe(200);
    expect(await available(on)).toEqual([11840, 2960]);
  });

  it('when it names a line, another\'s coverage, or a joint budget of nothing, then 422', async () => {
    const on = await both();
    const other = await both();
    const named = await record(server, body(on, { line: linesOf(on.children[0])[0]!.lineId }));
    expect([named.status, words(named)]).toEqual([422, expect.stringContaining('draw policy')]);
    expect((await record(server, body(on, { rest: { insurance: [{ sequence: 1, focal: true, coverage: other.children[0].coverage[0].coverage }] } }))).status).toBe(422);
    const empty = await jointOf(server, []);
    for (const status of ['active', 'draft']) {
      const answer = await record(server, body(empty, { status }));
      expect([answer.status, words(answer)]).toEqual([422, expect.stringContaining('$join')]);
    }
  });

  it('when one would leave while a joint purchase reserves money of it, then 409 listing that', async () => {
    const on = await both();
    const claim = await recorded(server, body(on, { amount: 200 }));
    const answer = await move(server, 'leave', on.joint, on.children[1].id, []);
    expect([answer.status, errorCode(answer), words(answer)]).toEqual([409, 'OUTSTANDING_CLAIMS', expect.stringContaining(`Claim/${claim.id} reserves £40.00`)]);
    const { notice } = paidIn(await pay(server, claim.id, 200));
    expect((await move(server, 'leave', on.joint, on.children[1].id, [])).status).toBe(200);
    // What was paid together comes back to both.
    expect((await refund(server, notice.id, 100)).status).toBe(201);
    expect(await available(on)).toEqual([11920, 2980]);
  });
});

describe('draw policies', () => {
  it('priority-order takes from the first as long as it lasts, then falls through to the next', async () => {
    const on = await jointOf(server, THREE, 'priority-order');
    const claim = await recorded(server, body(on, { amount: 150 }));
    expect(await rowsOf(on, claim.id)).toEqual([[0, 'commit', 10000], [1, 'commit', 5000]]);
    const joint = (await read(`Account/${on.joint}`)).body;
    const last = { ...joint, coverage: joint.coverage.map((one: any, index: number) => ({ ...one, priority: 9 - index })) };
    expect((await server.send('PUT', `Account/${on.joint}`, { token: server.tokens.admin, body: last, headers: { 'if-match': `W/"${joint.meta.versionId}"` } })).status).toBe(200);
    expect(await rowsOf(on, (await recorded(server, body(on, { amount: 20 }))).id)).toEqual([[2, 'commit', 2000]]);
  });

  const item = (sequence: number, net: number, category?: string): object => ({
    sequence, net: gbp(net), productOrService: category === undefined ? { text: 'Something' } : { coding: [{ system: `${BASE}/CodeSystem/directory-category`, code: category }] },
  });
  const items = (total: number, ...list: object[]): object => ({ amount: total, rest: { item: list } });

  it('by-category takes each item from the budget of its funding, and from no other', async () => {
    const on = await jointOf(server, [{ funding: 'nhs' }, { funding: 'social-care', amount: 50 }], 'by-category');
    const claim = await recorded(server, body(on, items(70, item(1, 40, 'therapy'), item(2, 30, 'personal-care'))));
    expect(await rowsOf(on, claim.id)).toEqual([[0, 'commit', 4000], [1, 'commit', 3000]]);
    const over = await record(server, body(on, items(30, item(1, 30, 'personal-care'))));
    expect([over.status, errorCode(over), words(over)]).toEqual([422, 'INSUFFICIENT_FUNDS', expect.stringContaining('personal-care')]);
    expect(words(over)).not.toContain('£20.00');
    const unknown = await record(server, body(on, items(1, item(1, 1))));
    expect([unknown.status, words(unknown)]).toEqual([422, expect.stringContaining('directory-category')]);
  });

  it('by-category refuses what no budget in it pays for, and takes the category of the directory', async () => {
    const on = await jointOf(server, [{ funding: 'social-care' }, { funding: 'education' }], 'by-category');
    expect(words(await record(server, body(on, items(1, item(1, 1, 'treatment')))))).toContain('nhs');
    const list = await made(server, { resourceType: 'List', status: 'current', mode: 'working', code: { coding: [{ system: `${BASE}/CodeSystem/list-code`, code: 'phb-directory' }] }, extension: [extension('directory-owner', { valueReference: { reference: `Organization/${on.owners[0]}` } })] });
    const service = await made(server, {
      resourceType: 'HealthcareService', active: true, name: 'Speech', providedBy: { reference: `Organization/${provider}` }, category: [{ coding: [{ system: `${BASE}/CodeSystem/directory-category`, code: 'therapy' }] }],
      extension: [extension('directory', { valueReference: { reference: `List/${list.id}` } }), extension('price', { extension: [{ url: 'amount', valueMoney: gbp(10) }, { url: 'unit', valueCode: 'hour' }] })],
    });
    const entry = { ...item(1, 10), extension: [extension('directory-entry', { valueReference: { reference: `HealthcareService/${service.id}` } })] };
    expect(await rowsOf(on, (await recorded(server, body(on, items(10, entry)))).id)).toEqual([[1, 'commit', 1000]]);
  });

  it('within a budget its lines are drawn on in their order', async () => {
    const patientLines = await jointOf(server, [{ funding: 'nhs', lines: [{ amount: gbp(30) }, { model: 'notional', amount: gbp(70) }] }, { funding: 'social-care' }]);
    const claim = await recorded(server, body(patientLines, { amount: 100 }));
    const { rows } = await server.database.query<any>({ text: 'select line, amount::int from fhir.ledger where claim = $1 and account = $2 order by number', values: [claim.id, patientLines.children[0].id] });
    expect(rows).toEqual(linesOf(patientLines.children[0]).map(({ lineId }, index) => ({ line: lineId, amount: [3000, 2000][index] })));
  });
});

it('a direct payment in a joint budget is drawn on once a care plan is linked', async () => {
  const on = await jointOf(server, [{ funding: 'social-care', lines: [{ amount: gbp(10) }] }]);
  const line = await directLine(server, on.patient, 50);
  const account = (await read(`Account/${on.children[0].id}`)).body;
  const assigned = await server.send('POST', `Account/${account.id}/$assign-allocation`, { token: server.tokens.admin, headers: { 'if-match': `W/"${account.meta.versionId}"` }, body: { resourceType: 'Parameters', parameter: [{ name: 'line', part: [
    { name: 'model', valueCode: 'direct-payment' }, { name: 'amount', valueMoney: gbp(10) }, { name: 'holder', valueReference: { reference: line.holder } }, { name: 'consent', valueReference: { reference: line.consent } }] }] } });
  expect(assigned.status).toBe(200);
  expect(errorCode(await record(server, body(on, { amount: 5 })))).toBe('INSUFFICIENT_FUNDS');
  await linkPlan(server, account.id, on.patient);
  expect((await record(server, body(on, { amount: 5 }))).status).toBe(201);
});
