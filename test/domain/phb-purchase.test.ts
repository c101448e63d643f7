// C32E2: a purchase is recorded on a budget with its evidence, and reserves its money exactly (domain.md 2.1, 3.8; rulings 2, 11, 33, 50, 53).
import { readFileSync } from 'node:fs';
import { BASE, errorCode } from './people.js';
import { extension, gbp, made } from './budgets.js';
import { directLine, linkPlan, pay } from './payments.js';
import { balanceOf, change, ledgerOf, opened, parties, purchaseBody, record, recorded, type Opened } from './purchases.js';
import { startServer, type TestServer } from '../server.js';

let server: TestServer;
let known: { owner: string; provider: string };
beforeAll(async () => {
  server = await startServer();
  known = await parties(server);
});
afterAll(() => server.close());

const budget = (rest: object = {}): Promise<Opened> => opened(server, known, rest);
const issue = (answer: any): any => answer.body.issue[0];
const valueOf = (claim: any, id: string): any => claim.extension.find(({ url }: any) => url === `${BASE}/StructureDefinition/ext-${id}`);
const wire = (name: string): string => readFileSync(`test/domain/wire/${name}`, 'utf8');
const ledger = (account: string): Promise<[string, number][]> => ledgerOf(server, account);

describe('recording a purchase', () => {
  it('takes the wire example as printed: 201, amounts as written, its money reserved on the only line', async () => {
    const { patient, account, provider, coverage } = await budget();
    const sent = wire('phb-purchase.json').replaceAll('[account]', account).replaceAll('[id]', patient).replaceAll('[provider]', provider).replaceAll('Coverage/[from Account.coverage]', coverage);
    const plan = await linkPlan(server, account, patient);
    const answer = await server.send('POST', 'Claim', { token: await server.token('patient', { patient }), body: sent.replace('[plan]', plan) });
    expect([answer.status, answer.headers['etag']]).toEqual([201, 'W/"1"']);
    expect(valueOf(answer.body, 'allocation-id').valueId).toMatch(/./);
    expect(valueOf(answer.body, 'outstanding').valueBoolean).toBe(true);
    expect(answer.text.match(/"value":30\.00/g)).toHaveLength(3);
    expect(await balanceOf(server, account)).toMatchObject({ allocated: 12000, committed: 30, spent: 0, available: 11970 });
    expect(await ledger(account)).toEqual([['allocation', 1200000], ['commit', 3000]]);
  });

  it('fills in the coverage, the line and who recorded it, and keeps 30.00 as written', async () => {
    const { patient, account, provider, coverage } = await budget();
    const { extension: [ofBudget], ...body } = purchaseBody({ patient, account, provider, amount: '£' });
    const text = JSON.stringify({ ...body, extension: [ofBudget] }).replaceAll('"£"', '{"value":30.00,"currency":"GBP"}');
    const answer = await server.send('POST', 'Claim', { token: await server.token('patient', { patient }), body: text });
    expect(answer.status).toBe(201);
    expect(answer.body.insurance).toEqual([{ sequence: 1, focal: true, coverage: { reference: coverage } }]);
    expect(valueOf(answer.body, 'recorded-by').valueReference).toEqual({ reference: `Patient/${patient}` });
    expect(answer.text.match(/"value":30\.00/g)).toHaveLength(3);
  });

  it('works in a transaction that opens the budget too', async () => {
    const { patient, provider } = await budget();
    const { body: account } = { body: (await import('./budgets.js')).budgetBody({ patient, owner: known.owner, basis: 'wheelchair' }) };
    const urn = 'urn:uuid:8c1f4b54-34a4-4f0c-8f0b-9d6a0f2a6f11';
    const claim = JSON.parse(JSON.stringify(purchaseBody({ patient, account: 'x', provider })).replaceAll('Account/x', urn));
    const entry = (type: string, resource: object, fullUrl?: string): object => ({ ...(fullUrl && { fullUrl }), request: { method: 'POST', url: type }, resource });
    const answer = await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type: 'transaction', entry: [entry('Claim', claim), entry('Account', account, urn)] } });
    expect(answer.status).toBe(200);
    const [, id] = /Account\/([^/]+)/.exec(answer.body.entry[1].response.location) ?? [];
    expect(await balanceOf(server, id ?? '')).toMatchObject({ committed: 30, available: 11970 });
  });

  it('is found as outstanding, and by the evidence that it lacks', async () => {
    const { patient, account, provider } = await budget();
    const receipt = { sequence: 1, category: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/claiminformationcategory', code: 'attachment' }] }, valueAttachment: { contentType: 'application/pdf', data: 'JVBERi0xLjQKJSVFT0YK' } };
    const bare = await recorded(server, purchaseBody({ patient, account, provider }));
    const proven = await recorded(server, purchaseBody({ patient, account, provider, rest: { supportingInfo: [receipt] } }));
    const draft = await recorded(server, purchaseBody({ patient, account, provider, status: 'draft', rest: { supportingInfo: [receipt] } }));
    const found = async (query: string): Promise<string[]> => {
      const { body } = await server.send('GET', `Claim?budget=Account/${account}&${query}&_sort=_id`, { token: server.tokens.admin });
      return (body.entry ?? []).map(({ resource }: any) => resource.id);
    };
    expect(await found('outstanding=true')).toEqual([bare.id, proven.id].sort());
    expect(await found('outstanding=false')).toEqual([draft.id]);
    expect(await found('evidence-missing=true')).toEqual([bare.id]);
    expect(await found('evidence-missing=false')).toEqual([proven.id, draft.id].sort());
  });

  it('is found by its budget, its line and as outstanding', async () => {
    const { patient, account, provider } = await budget();
    const claim = await recorded(server, purchaseBody({ patient, account, provider }));
    const line = valueOf(claim, 'allocation-id').valueId;
    for (const query of [`budget=Account/${account}`, `allocation=${line}`]) {
      const { body } = await server.send('GET', `Claim?${query}`, { token: server.tokens.admin });
      expect(body.entry.map(({ resource }: any) => resource.id)).toEqual([claim.id]);
    }
  });

  const usd = { value: 30, currency: 'USD' };
  const two = (first: unknown, second: unknown): object => ({ item: [
    { sequence: 1, productOrService: { text: 'a' }, net: first }, { sequence: 2, productOrService: { text: 'b' }, net: second },
  ] });
  const refused: readonly [string, object, string | undefined, string][] = [
    ['whose total is not the sum', { total: gbp(31) }, 'TOTAL_MISMATCH', 'business-rule'],
    ['whose total is not the sum of two items', { ...two(gbp(10.1), gbp(20.2)), total: gbp(30) }, 'TOTAL_MISMATCH', 'business-rule'],
    ['in dollars', { item: [{ sequence: 1, productOrService: { text: 'a' }, net: usd }], total: usd }, 'CURRENCY_MISMATCH', 'business-rule'],
    ['with a fraction of a penny', { ...two(gbp(29.995), gbp(0.005)) }, undefined, 'invalid'],
    ['whose net is not quantity times price', { item: [{ sequence: 1, productOrService: { text: 'a' }, quantity: { value: 2 }, unitPrice: gbp(30), net: gbp(30) }] }, 'TOTAL_MISMATCH', 'business-rule'],
    ['with a net below zero', { ...two(gbp(-1), gbp(31)) }, undefined, 'business-rule'],
    ['of nothing', { ...two(gbp(0), gbp(0)), total: gbp(0) }, undefined, 'business-rule'],
    ['without items', { item: undefined }, undefined, 'required'],
    ['without a total', { total: undefined }, undefined, 'required'],
    ['insured elsewhere', { insurance: [{ sequence: 1, focal: true, coverage: { reference: 'Coverage/other' } }] }, undefined, 'business-rule'],
    ['that is cancelled', { status: 'cancelled' }, undefined, 'business-rule'],
    ['of more than there is', { ...two(gbp(6000.01), gbp(6000)), total: gbp(12000.01) }, 'INSUFFICIENT_FUNDS', 'business-rule'],
  ];
  it.each(refused)('refuses one %s', async (_words, rest, code, type) => {
    const { patient, account, provider } = await budget();
    const answer = await record(server, purchaseBody({ patient, account, provider, rest }));
    expect([answer.status, issue(answer).code]).toEqual([422, type]);
    if (code !== undefined) expect(errorCode(answer)).toBe(code);
    expect(await balanceOf(server, account)).toMatchObject({ committed: 0, available: 12000 });
  });

  it('says how much there is where it is not enough', async () => {
    const { patient, account, provider } = await budget();
    const answer = await record(server, purchaseBody({ patient, account, provider, amount: 12000.01 }));
    expect(issue(answer).details.text).toContain('£12000.00 available');
  });

  it('rounds half a penny up: 3 times 0.125 hours at 10.20', async () => {
    const { patient, account, provider } = await budget();
    const item = (net: number): object => ({ item: [{ sequence: 1, productOrService: { text: 'hours' }, quantity: { value: 0.125 }, unitPrice: gbp(10.2), factor: 3, net: gbp(net) }], total: gbp(net) });
    expect((await record(server, purchaseBody({ patient, account, provider, rest: item(3.83) }))).status).toBe(201);
    expect((await record(server, purchaseBody({ patient, account, provider, rest: item(3.82) }))).status).toBe(422);
  });

  it('refuses an account of another, one that is none, and one that is no budget, in the same words', async () => {
    const [mine, other] = [await budget(), await budget()];
    const token = await server.token('patient', { patient: mine.patient });
    const plain = await made(server, { resourceType: 'Account', status: 'active' });
    const [theirs, none] = await Promise.all([other.account, 'no-such-account'].map((account) => record(server, purchaseBody({ ...mine, account }), token)));
    expect([theirs?.status, issue(theirs).code]).toEqual([422, 'not-found']);
    expect(none?.text.replaceAll('no-such-account', 'x').replace(none.body.id, '')).toBe(theirs?.text.replaceAll(other.account, 'x').replace(theirs.body.id, ''));
    expect((await record(server, purchaseBody({ ...mine, account: plain.id }))).body.issue[0].code).toBe('not-found');
  });

  it('refuses another patient than the budget\'s', async () => {
    const [mine, other] = [await budget(), await budget()];
    const answer = await record(server, purchaseBody({ ...mine, patient: other.patient, recordedBy: `Patient/${mine.patient}` }));
    expect([answer.status, issue(answer).expression]).toEqual([422, ['Claim.patient']]);
  });

  it('asks which line where there are several, and lists them', async () => {
    const { patient, account, provider, body } = await budget({ lines: [{ amount: gbp(100) }, { amount: gbp(200) }] });
    const lines: string[] = body.extension.filter(({ url }: any) => url.endsWith('ext-allocation')).map((one: any) => one.extension[0].valueId);
    const answer = await record(server, purchaseBody({ patient, account, provider }));
    expect([answer.status, issue(answer).code]).toEqual([422, 'required']);
    for (const line of lines) expect(issue(answer).details.text).toContain(line);
    expect((await record(server, purchaseBody({ patient, account, provider, line: 'none' }))).body.issue[0].code).toBe('not-found');
    expect((await record(server, purchaseBody({ patient, account, provider, line: lines[1] }))).status).toBe(201);
    expect((await record(server, purchaseBody({ patient, account, provider, line: lines[1], amount: 170.01 }))).status).toBe(422);
  });

  it('is recorded in one\'s own name only', async () => {
    const { patient, account, provider } = await budget();
    const token = await server.token('patient', { patient });
    const answer = await record(server, purchaseBody({ patient, account, provider, recordedBy: 'RelatedPerson/other' }), token);
    expect([answer.status, issue(answer).details.text]).toEqual([422, expect.stringContaining(`Patient/${patient}`)]);
  });

  it('has an identifier of its own: 409 for a second', async () => {
    const { patient, account, provider } = await budget();
    const rest = { identifier: [{ system: 'urn:receipts', value: 'R-1' }] };
    const both = await Promise.all([1, 2].map(() => record(server, purchaseBody({ patient, account, provider, rest }))));
    expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
    expect(issue(both.find(({ status }) => status === 409)).code).toBe('duplicate');
    const first = both.find(({ status }) => status === 201)!.body;
    expect((await change(server, first, { status: 'entered-in-error' })).status).toBe(200);
    expect((await record(server, purchaseBody({ patient, account, provider, rest }))).status).toBe(201);
    expect(await balanceOf(server, account)).toMatchObject({ committed: 30 });
  });

  it('of two at once that the budget can\'t both bear, takes one', async () => {
    const { patient, account, provider } = await budget({ lines: [{ amount: gbp(100) }] });
    const both = await Promise.all([1, 2].map(() => record(server, purchaseBody({ patient, account, provider, amount: 60 }))));
    expect(both.map(({ status }) => status).sort()).toEqual([201, 422]);
    expect(errorCode(both.find(({ status }) => status === 422)!)).toBe('INSUFFICIENT_FUNDS');
    expect(await balanceOf(server, account)).toMatchObject({ committed: 60, available: 40 });
  });

  it('leaves plain claims alone', async () => {
    const { patient, provider } = await budget();
    const { extension: _marks, type: _type, insurance: _insurance, ...rest } = purchaseBody({ patient, account: 'x', provider });
    const plain = { ...rest, type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/claim-type', code: 'oral' }] }, total: { value: 1, currency: 'USD' }, insurance: [{ sequence: 1, focal: true, coverage: { display: 'mine' } }] };
    const claim = await made(server, plain);
    expect((await server.send('DELETE', `Claim/${claim.id}`, { token: server.tokens.admin })).status).toBe(204);
  });
});

describe('the life of a purchase', () => {
  it('reserves nothing as a draft, its total when active, nothing when cancelled', async () => {
    const { patient, account, provider } = await budget();
    const draft = await recorded(server, purchaseBody({ patient, account, provider, status: 'draft' }));
    expect(await balanceOf(server, account)).toMatchObject({ committed: 0 });
    const active = await change(server, draft, { status: 'active' });
    expect([active.status, valueOf(active.body, 'outstanding').valueBoolean]).toEqual([200, true]);
    expect(await balanceOf(server, account)).toMatchObject({ committed: 30 });
    const cancelled = await change(server, active.body, { status: 'cancelled' });
    expect([cancelled.status, valueOf(cancelled.body, 'outstanding').valueBoolean]).toEqual([200, false]);
    expect(await balanceOf(server, account)).toMatchObject({ committed: 0, available: 12000 });
    expect(await ledger(account)).toEqual([['allocation', 1200000], ['commit', 3000], ['release', 3000]]);
    expect((await change(server, cancelled.body, { status: 'active' })).status).toBe(422);
  });

  it('may change its amount while nothing is paid, by PUT and by PATCH', async () => {
    const { patient, account, provider } = await budget();
    const claim = await recorded(server, purchaseBody({ patient, account, provider }));
    const more = purchaseBody({ patient, account, provider, amount: 45.5 });
    expect((await change(server, claim, { item: more.item, total: more.total })).status).toBe(200);
    expect(await balanceOf(server, account)).toMatchObject({ committed: 45.5 });
    const patch = ['/item/0/net/value', '/item/0/unitPrice/value', '/total/value'].map((path) => ({ op: 'replace', path, value: 20 }));
    const patched = await server.send('PATCH', `Claim/${claim.id}`, { token: server.tokens.admin, body: patch, headers: { 'content-type': 'application/json-patch+json' } });
    expect(patched.status).toBe(200);
    expect(await balanceOf(server, account)).toMatchObject({ committed: 20, available: 11980 });
    expect((await server.send('PATCH', `Claim/${claim.id}`, { token: server.tokens.admin, body: patch.slice(2).map((one) => ({ ...one, value: 10 })), headers: { 'content-type': 'application/json-patch+json' } })).status).toBe(422);
  });

  const forbidden: readonly [string, (other: Opened) => object][] = [
    ['lose its mark', () => ({ extension: undefined, type: { text: 'plain' }, insurance: [{ sequence: 1, focal: true, coverage: { display: 'x' } }] })],
    ['become a draft', () => ({ status: 'draft' })],
    ['change its budget', (other) => ({ extension: [extension('budget', { valueReference: { reference: `Account/${other.account}` } })], patient: { reference: `Patient/${other.patient}` }, insurance: undefined })],
    ['become a commitment', () => ({ use: 'preauthorization', fundsReserve: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/fundsreserve', code: 'provider' }] } })],
  ];
  it.each(forbidden)('can\'t %s', async (_words, rest) => {
    const [mine, other] = [await budget(), await budget()];
    const claim = await recorded(server, purchaseBody(mine));
    const answer = await change(server, claim, rest(other));
    expect([answer.status, errorCode(answer)]).toEqual([422, 'FORBIDDEN_UPDATE']);
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 30 });
  });

  it('is deleted only as a draft', async () => {
    const mine = await budget();
    const numbered = purchaseBody({ ...mine, status: 'draft', rest: { identifier: [{ system: 'urn:receipts', value: 'D-1' }] } });
    const [draft, active] = [await recorded(server, numbered), await recorded(server, purchaseBody(mine))];
    expect((await server.send('DELETE', `Claim/${draft.id}`, { token: server.tokens.admin })).status).toBe(204);
    expect((await record(server, numbered)).status).toBe(201);
    const answer = await server.send('DELETE', `Claim/${active.id}`, { token: server.tokens.admin });
    expect([answer.status, issue(answer).details.text]).toEqual([422, expect.stringContaining('cancelled')]);
  });
});

describe('a commitment', () => {
  const amounting = (amount: number): object => ({ item: [{ sequence: 1, productOrService: { text: 'Gym membership' }, net: gbp(amount) }], total: gbp(amount) });
  const commitment = (mine: Opened, amount: number): object => purchaseBody({ ...mine, amount, use: 'preauthorization' });

  it('is consumed by the purchase that fulfils it, which is final unless it says otherwise', async () => {
    const mine = await budget({ lines: [{ amount: gbp(1000) }] });
    const committed = await recorded(server, commitment(mine, 100));
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 100, available: 900 });
    const part = await record(server, purchaseBody({ ...mine, amount: 40, fulfils: committed.id, final: false }));
    expect(part.status).toBe(201);
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 100, available: 900 });
    const last = await record(server, purchaseBody({ ...mine, amount: 50, fulfils: committed.id }));
    expect(last.status).toBe(201);
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 90, available: 910 });
    expect((await ledger(mine.account)).slice(1)).toEqual([['commit', 10000], ['release', 4000], ['commit', 4000], ['release', 5000], ['commit', 5000], ['release', 1000]]);
    const { body } = await server.send('GET', `Claim?budget=Account/${mine.account}&outstanding=false`, { token: server.tokens.admin });
    expect(body.entry.map(({ resource }: any) => resource.id)).toEqual([committed.id]);
  });

  it('covers a purchase that the rest of the budget would not', async () => {
    const mine = await budget({ lines: [{ amount: gbp(100) }] });
    const committed = await recorded(server, commitment(mine, 90));
    expect(errorCode(await record(server, purchaseBody({ ...mine, amount: 90 })))).toBe('INSUFFICIENT_FUNDS');
    expect((await record(server, purchaseBody({ ...mine, amount: 100, fulfils: committed.id }))).status).toBe(201);
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 100, available: 0 });
  });

  it('gives first to a purchase that becomes dearer, and takes back what one does not need', async () => {
    const mine = await budget({ lines: [{ amount: gbp(150) }] });
    const committed = await recorded(server, commitment(mine, 100));
    const part = await recorded(server, purchaseBody({ ...mine, amount: 40, fulfils: committed.id, final: false }));
    const costs = (amount: number, status = 200): Promise<void> => change(server, part, amounting(amount)).then((answer) => expect([amount, answer.status]).toEqual([amount, status]));
    const outstanding = async (): Promise<boolean> => JSON.stringify((await server.send('GET', `Claim/${committed.id}`, { token: server.tokens.admin })).body).includes('ext-outstanding","valueBoolean":true');
    await costs(60);
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 100, available: 50 });
    await costs(150);
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 150, available: 0 });
    expect(await outstanding()).toBe(false);
    await costs(150.01, 422);
    await costs(110);
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 110, available: 40 });
    await costs(30);
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 100, available: 50 });
    expect(await outstanding()).toBe(true);
    expect((await ledger(mine.account)).slice(4)).toEqual([['release', 2000], ['commit', 2000], ['release', 4000], ['commit', 9000], ['release', 4000], ['release', 8000], ['commit', 7000]]);
    expect((await change(server, part, { ...amounting(30), status: 'cancelled' })).status).toBe(200);
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 70, available: 80 });
  });

  it('takes nothing back once the last purchase is made', async () => {
    const mine = await budget({ lines: [{ amount: gbp(1000) }] });
    const committed = await recorded(server, commitment(mine, 100));
    const [first, last] = [await recorded(server, purchaseBody({ ...mine, amount: 40, fulfils: committed.id, final: false })), await recorded(server, purchaseBody({ ...mine, amount: 50, fulfils: committed.id }))];
    for (const claim of [first, last]) expect((await change(server, claim, amounting(20))).status).toBe(200);
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 40, available: 960 });
    expect((await change(server, last, amounting(90))).status).toBe(200);
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 110, available: 890 });
  });

  it('takes back what all that fulfil it no longer use together', async () => {
    const mine = await budget({ lines: [{ amount: gbp(1000) }] });
    const committed = await recorded(server, commitment(mine, 100));
    const both = [1, 2].map(() => recorded(server, purchaseBody({ ...mine, amount: 60, fulfils: committed.id, final: false })));
    const [one, other] = [await both[0], await both[1]];
    expect((await change(server, one, amounting(30))).status).toBe(200);
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 100 });
    expect((await change(server, other, amounting(70))).status).toBe(200);
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 100 });
    expect((await change(server, committed, { status: 'cancelled' })).status).toBe(200);
    expect((await change(server, other, amounting(50))).status).toBe(200);
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 80 });
  });

  it('is consumed once, though two fulfil it at the same moment', async () => {
    const mine = await budget({ lines: [{ amount: gbp(100) }] });
    const committed = await recorded(server, commitment(mine, 90));
    const both = await Promise.all([1, 2].map(() => record(server, purchaseBody({ ...mine, amount: 90, fulfils: committed.id }))));
    expect(both.map(({ status }) => status).sort()).toEqual([201, 422]);
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 90, available: 10 });
  });

  it('is released when it is cancelled', async () => {
    const mine = await budget();
    const committed = await recorded(server, commitment(mine, 100));
    expect((await change(server, committed, { status: 'cancelled' })).status).toBe(200);
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 0, available: 12000 });
  });

  it('is a commitment, active and on the same budget, or is not fulfilled', async () => {
    const [mine, other] = [await budget(), await budget()];
    const [purchase, elsewhere] = [await recorded(server, purchaseBody(mine)), await recorded(server, commitment(other, 10))];
    const ended = (await change(server, await recorded(server, commitment(mine, 10)), { status: 'cancelled' })).body;
    for (const fulfils of [purchase.id, elsewhere.id, ended.id, 'none']) {
      const answer = await record(server, purchaseBody({ ...mine, fulfils }));
      expect([fulfils, answer.status, issue(answer).expression]).toEqual([fulfils, 422, ['Claim.related[0].claim']]);
    }
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 30 });
  });
});

describe('more than there is', () => {
  const outcome = { prefer: 'return=OperationOutcome' };
  const send = (body: object, headers: Record<string, string> = {}): Promise<any> => server.send('POST', 'Claim', { token: server.tokens.admin, body, headers });
  const tasks = async (claim: string): Promise<any[]> => {
    const { body } = await server.send('GET', `Task?focus=Claim/${claim}`, { token: server.tokens.admin });
    return (body.entry ?? []).map(({ resource }: any) => resource);
  };
  const direct = async (): Promise<Opened> => {
    const patient = (await budget()).patient;
    return budget({ patient, basis: 'wheelchair', lines: [await directLine(server, patient, 100)] });
  };

  it('is refused at its total, with what is available', async () => {
    const mine = await budget({ lines: [{ amount: gbp(20) }] });
    const purchase = await recorded(server, purchaseBody({ ...mine, amount: 20 }));
    const dearer = { item: [{ ...purchase.item[0], unitPrice: gbp(21), net: gbp(21) }], total: gbp(21) };
    for (const answer of [await send(purchaseBody(mine)), await change(server, purchase, dearer)]) {
      expect([answer.status, issue(answer).expression, issue(answer).details.text]).toEqual([422, ['Claim.total'], expect.stringContaining('£0.00 available')]);
    }
  });

  it('is recorded with a warning under the policy warn', async () => {
    const mine = await budget({ lines: [{ amount: gbp(20) }], policy: 'warn' });
    const answer = await send(purchaseBody(mine), outcome);
    expect([answer.status, issue(answer)]).toEqual([201, expect.objectContaining({ severity: 'warning', code: 'business-rule' })]);
    expect(issue(answer).details.text).toContain('£10.00');
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 30, available: -10 });
    const { body } = await server.send('GET', `Claim?budget=Account/${mine.account}`, { token: server.tokens.admin });
    expect(valueOf(body.entry[0].resource, 'overspend').valueBoolean).toBe(true);
    expect((await change(server, body.entry[0].resource, { priority: { text: 'soon' } })).body.extension).toEqual(body.entry[0].resource.extension);
  });

  it('waits as a draft under the policy approve', async () => {
    const mine = await budget({ lines: [{ amount: gbp(20) }], policy: 'approve' });
    const answer = await send(purchaseBody(mine));
    expect([answer.status, answer.body.status, valueOf(answer.body, 'outstanding').valueBoolean]).toEqual([201, 'draft', false]);
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 0, available: 20 });
    expect(await tasks(answer.body.id)).toMatchObject([{ status: 'requested', owner: { reference: `Organization/${known.owner}` } }]);
    expect((await send(purchaseBody({ ...mine, amount: 20 }))).body.status).toBe('active');
  });

  it('is recorded on a direct payment that was made, flagged to the commissioner; a commitment is not', async () => {
    const mine = await direct();
    expect((await send(purchaseBody(mine))).body.issue[0].details.text).toContain('$link-careplan');
    await linkPlan(server, mine.account, mine.patient);
    expect(errorCode(await send(purchaseBody({ ...mine, amount: 100.01, use: 'preauthorization' })))).toBe('INSUFFICIENT_FUNDS');
    const answer = await send(purchaseBody({ ...mine, amount: 130 }));
    expect([answer.status, valueOf(answer.body, 'overspend')?.valueBoolean]).toEqual([201, true]);
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 130, available: -30 });
    expect(await tasks(answer.body.id)).toMatchObject([{ code: { coding: [{ code: 'overspend' }] }, owner: { reference: `Organization/${known.owner}` }, statusReason: { text: expect.stringContaining('£30.00') } }]);
  });

  it('is flagged for each of a transaction that overspends, not for those before', async () => {
    const mine = await budget({ lines: [{ amount: gbp(50) }], policy: 'warn' });
    const entry = { request: { method: 'POST', url: 'Claim' }, resource: purchaseBody(mine) };
    const answer = await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type: 'transaction', entry: [entry, entry, entry] }, headers: { prefer: 'return=representation' } });
    expect(answer.body.entry.map(({ resource }: any) => valueOf(resource, 'overspend')?.valueBoolean ?? false)).toEqual([false, true, true]);
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 90, available: -40 });
  });
});

describe('what is bought', () => {
  const item = (rest: object, net = 30): object => ({ item: [{ sequence: 1, productOrService: { text: 'a' }, net: gbp(net), ...rest }], total: gbp(net) });
  const link = (plan: string, activityId: string): object => ({ extension: [extension('careplan-activity', { extension: [{ url: 'plan', valueReference: { reference: `CarePlan/${plan}` } }, { url: 'activityId', valueId: activityId }] })] });
  const patchPlan = (plan: string, patch: object[]): Promise<any> =>
    server.send('PATCH', `CarePlan/${plan}`, { token: server.tokens.admin, body: patch, headers: { 'content-type': 'application/json-patch+json', 'if-match': 'W/"1"' } });

  it('serves an activity of a linked care plan, and is found by it', async () => {
    const mine = await budget();
    const plan = await linkPlan(server, mine.account, mine.patient);
    const claim = await recorded(server, purchaseBody({ ...mine, rest: item(link(plan, 'a1')) }));
    const { body } = await server.send('GET', `Claim?careplan-activity=a1&careplan=CarePlan/${plan}`, { token: server.tokens.admin });
    expect(body.entry.map(({ resource }: any) => resource.id)).toEqual([claim.id]);
    const unlinked = await made(server, JSON.parse(JSON.stringify((await server.send('GET', `CarePlan/${plan}`, { token: server.tokens.admin })).body).replaceAll(plan, 'copy')));
    for (const [other, activity] of [[plan, 'a9'], [unlinked.id, 'a1'], ['none', 'a1']] as const) {
      const answer = await record(server, purchaseBody({ ...mine, rest: item(link(other, activity)) }));
      expect([answer.status, errorCode(answer), issue(answer).expression]).toEqual([422, 'CAREPLAN_MISMATCH', ['Claim.item[0].extension[0]']]);
    }
    expect((await patchPlan(plan, [{ op: 'replace', path: '/activity/0/detail/status', value: 'cancelled' }])).status).toBe(200);
    expect(errorCode(await record(server, purchaseBody({ ...mine, rest: item(link(plan, 'a1')) })))).toBe('CAREPLAN_MISMATCH');
    expect((await change(server, claim, { priority: { text: 'still may change' } })).status).toBe(200);
  });

  const entryBody = (rest: object = {}): any => ({
    resourceType: 'HealthcareService', active: true, name: 'Gym', category: [{ coding: [{ system: `${BASE}/CodeSystem/directory-category`, code: 'activity' }] }], providedBy: { reference: `Organization/${known.provider}` },
    extension: [extension('directory', { valueReference: { reference: 'List/any' } }), extension('price', { extension: [{ url: 'amount', valueMoney: gbp(50) }, { url: 'unit', valueCode: 'month' }] })], ...rest,
  });

  it('keeps the name and the price of the day of an entry of the directory', async () => {
    const mine = await budget();
    const list = await made(server, { resourceType: 'List', status: 'current', mode: 'working', code: { coding: [{ system: `${BASE}/CodeSystem/list-code`, code: 'phb-directory' }] }, extension: [extension('directory-owner', { valueReference: { reference: `Organization/${known.owner}` } })] });
    const body = JSON.parse(JSON.stringify(entryBody()).replace('List/any', `List/${list.id}`));
    const entry = await made(server, body);
    const linked = { extension: [extension('directory-entry', { valueReference: { reference: `HealthcareService/${entry.id}` } })] };
    const claim = await recorded(server, purchaseBody({ ...mine, rest: item({ ...linked, quantity: { value: 2 } }, 100) }));
    expect(claim.item[0]).toMatchObject({ unitPrice: gbp(50), extension: [{ valueReference: { display: 'Gym' } }] });
    const cheaper = await recorded(server, purchaseBody({ ...mine, rest: item(linked, 45) }));
    expect(cheaper.item[0].unitPrice).toBeUndefined();
    const put = (rest: object, version: number): Promise<any> => server.send('PUT', `HealthcareService/${entry.id}`, { token: server.tokens.admin, body: { ...entry, ...rest }, headers: { 'if-match': `W/"${version}"` } });
    expect((await put({ name: 'Gym and pool' }, 1)).status).toBe(200);
    const kept = await change(server, claim, { priority: { text: 'later' } });
    expect(kept.body.item[0]).toMatchObject({ unitPrice: gbp(50), extension: [{ valueReference: { display: 'Gym' } }] });
    expect((await put({ active: false }, 2)).status).toBe(200);
    expect((await record(server, purchaseBody({ ...mine, rest: item(linked) }))).body.issue[0]).toMatchObject({ code: 'not-found', details: { text: expect.stringContaining('active') } });
    const { body: found } = await server.send('GET', `Claim?directory-entry=HealthcareService/${entry.id}`, { token: server.tokens.admin });
    expect(found.entry).toHaveLength(2);
  });

  it('is nothing that is excluded, unless it waits for the commissioner', async () => {
    const mine = await budget();
    const wine = item({ productOrService: { coding: [{ system: `${BASE}/CodeSystem/excluded-spend`, code: 'alcohol' }] } });
    const answer = await record(server, purchaseBody({ ...mine, rest: wine }));
    expect([answer.status, errorCode(answer), issue(answer).expression]).toEqual([422, 'EXCLUDED_SPEND', ['Claim.item[0].productOrService']]);
    const draft = await record(server, purchaseBody({ ...mine, status: 'draft', rest: wine }));
    expect(draft.status).toBe(201);
    expect(errorCode(await change(server, draft.body, { status: 'active' }))).toBe('EXCLUDED_SPEND');
  });

  it.each([['2026-10-31', 422], ['2026-11-01', 201], ['2026-12-31', 201], ['2027-01-01', 422]])('was given within the budget\'s period: %s is %i', async (servicedDate, status) => {
    const mine = await budget({ end: '2026-12-31' });
    expect((await record(server, purchaseBody({ ...mine, rest: item({ servicedDate }) }))).status).toBe(status);
  });

  it('is on a budget that is active', async () => {
    const mine = await budget();
    const draft = await recorded(server, purchaseBody({ ...mine, status: 'draft' }));
    const active = await recorded(server, purchaseBody(mine));
    await server.database.query({ text: `update fhir.budget_account set state = 'on-hold' where account = $1`, values: [mine.account] });
    expect(errorCode(await record(server, purchaseBody(mine)))).toBe('ACCOUNT_NOT_ACTIVE');
    expect(errorCode(await change(server, draft, { status: 'active' }))).toBe('ACCOUNT_NOT_ACTIVE');
    expect((await change(server, draft, { status: 'cancelled' })).status).toBe(200);
    expect((await change(server, active, { status: 'cancelled' })).status).toBe(200);
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 0 });
  });
});

describe('evidence', () => {
  const pdf = Buffer.from('%PDF-1.4\n%%EOF\n').toString('base64');
  const info = (value: object): object => ({ sequence: 1, category: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/claiminformationcategory', code: 'attachment' }] }, ...value });
  const attached = (contentType: string | undefined, data: string): object => ({ supportingInfo: [info({ valueAttachment: { ...(contentType && { contentType }), data } })] });
  const referring = (reference: string): object => ({ supportingInfo: [info({ valueReference: { reference } })] });
  const binary = (rest: object = {}): object => ({ resourceType: 'Binary', contentType: 'application/pdf', data: pdf, ...rest });
  const base64 = (...bytes: number[]): string => Buffer.from(bytes).toString('base64');

  it.each([
    ['application/pdf', pdf], ['image/jpeg', base64(0xff, 0xd8, 0xff, 0xe0)], ['image/png', base64(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)],
    ['image/heic', Buffer.from('\0\0\0\x18ftypheic', 'latin1').toString('base64')], ['text/csv', Buffer.from('a,b\n1,2\n').toString('base64')], ['text/plain; charset=utf-8', Buffer.from('£30').toString('base64')],
  ])('takes %s', async (contentType, data) => {
    expect((await record(server, purchaseBody({ ...(await budget()), rest: attached(contentType, data) }))).status).toBe(201);
  });

  it.each([
    ['of another type', 'text/html', Buffer.from('<html>').toString('base64'), 422], ['of a type that is not said', undefined, pdf, 400], ['that is no PDF', 'application/pdf', base64(0x4d, 0x5a, 0x90, 0), 422],
    ['that is no text', 'text/plain', base64(0x4d, 0x5a, 0x90, 0), 422], ['with nothing in it', 'text/plain', '', 400],
  ])('refuses a file %s', async (_words, contentType, data, status) => {
    const mine = await budget();
    const answer = await record(server, purchaseBody({ ...mine, rest: attached(contentType, data) }));
    expect(answer.status).toBe(status);
    expect(await balanceOf(server, mine.account)).toMatchObject({ committed: 0 });
  });

  it('takes 10 MiB and not a byte more: 413', async () => {
    const mine = await budget();
    const file = (bytes: number): string => Buffer.concat([Buffer.from('%PDF-1.4\n'), Buffer.alloc(bytes - 9, 0x20)]).toString('base64');
    expect((await record(server, purchaseBody({ ...mine, rest: attached('application/pdf', file(10 * 1024 * 1024)) }))).status).toBe(201);
    const answer = await record(server, purchaseBody({ ...mine, rest: attached('application/pdf', file(10 * 1024 * 1024 + 1)) }));
    expect([answer.status, issue(answer).code]).toEqual([413, 'too-long']);
  });

  it('may be a Binary or a DocumentReference that the author sees; the commissioner reads it', async () => {
    const mine = await budget();
    const token = await server.token('patient', { patient: mine.patient });
    const upload = await server.send('POST', 'Binary', { token, body: binary() });
    expect(upload.status).toBe(201);
    const commissioner = await server.token('commissioner', { organization: 'QWE' });
    expect((await server.send('GET', `Binary/${upload.body.id}`, { token: commissioner })).status).toBe(404);
    const answer = await record(server, purchaseBody({ ...mine, rest: referring(`Binary/${upload.body.id}`) }), token);
    expect(answer.status).toBe(201);
    const read = await server.send('GET', `Binary/${upload.body.id}`, { token: commissioner });
    expect([read.status, read.body.data, read.headers['x-content-type-options']]).toEqual([200, pdf, 'nosniff']);
    const other = await made(server, binary());
    for (const reference of [`Binary/${other.id}`, 'Binary/none', 'DocumentReference/none']) {
      const refused = await record(server, purchaseBody({ ...mine, rest: referring(reference) }), token);
      expect([refused.status, issue(refused).code]).toEqual([422, 'not-found']);
    }
    const elsewhere = await record(server, purchaseBody({ ...mine, rest: { supportingInfo: [info({ valueAttachment: { contentType: 'application/pdf', url: 'https://elsewhere.example/receipt.pdf' } })] } }));
    expect([elsewhere.status, issue(elsewhere).code]).toEqual([422, 'required']);
    const page = await made(server, binary({ contentType: 'text/html', data: Buffer.from('<html>').toString('base64') }));
    expect((await record(server, purchaseBody({ ...mine, rest: referring(`Binary/${page.id}`) }))).status).toBe(422);
  });

  it('comes with its purchase in a transaction', async () => {
    const mine = await budget();
    const urn = 'urn:uuid:8c1f4b54-34a4-4f0c-8f0b-9d6a0f2a6f21';
    const entry = (type: string, resource: object, fullUrl?: string): object => ({ ...(fullUrl && { fullUrl }), request: { method: 'POST', url: type }, resource });
    const body = { resourceType: 'Bundle', type: 'transaction', entry: [entry('Claim', purchaseBody({ ...mine, rest: referring(urn) })), entry('Binary', binary(), urn)] };
    expect((await server.send('POST', '', { token: await server.token('patient', { patient: mine.patient }), body })).status).toBe(200);
  });

  it('stays once money was paid on it: 409', async () => {
    const mine = await budget();
    const file = await made(server, binary());
    const document = await made(server, { resourceType: 'DocumentReference', status: 'current', subject: { reference: `Patient/${mine.patient}` }, content: [{ attachment: { contentType: 'application/pdf', url: `Binary/${file.id}` } }] });
    const loose = await made(server, binary());
    const claim = await recorded(server, purchaseBody({ ...mine, rest: referring(`DocumentReference/${document.id}`) }));
    expect((await pay(server, claim.id, 10)).status).toBe(200);
    for (const [type, id] of [['DocumentReference', document.id], ['Binary', file.id]]) {
      const answer = await server.send('DELETE', `${type}/${id}`, { token: server.tokens.admin });
      expect([type, answer.status, issue(answer).code]).toEqual([type, 409, 'business-rule']);
    }
    expect((await server.send('PUT', `Binary/${file.id}`, { token: server.tokens.admin, body: { ...file, data: base64(1) } })).status).toBe(409);
    expect((await change(server, claim, { supportingInfo: undefined })).status).toBe(409);
    expect((await server.send('DELETE', `Binary/${loose.id}`, { token: server.tokens.admin })).status).toBe(204);
  });
});
