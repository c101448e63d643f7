// A commitment and the purchase that fulfils it may come in one transaction, in any order (domain.md 3.8 rule 4, section 6, ruling 50).
import { gbp } from './budgets.js';
import { expectRefusal } from '../api/refusal.js';
import { errorCode } from './people.js';
import { balanceOf, ledgerOf, opened, parties, purchaseBody, recorded, type Opened, type PurchaseBody } from './purchases.js';
import { startServer, type Answer, type TestServer } from '../server.js';

let server: TestServer;
let known: { owner: string; provider: string };
beforeAll(async () => {
  server = await startServer();
  known = await parties(server);
});
afterAll(() => server.close());

const URN = 'urn:uuid:0b6f0b0e-53c2-4d0e-9b0c-6f8f8f6f5a01';
interface Entry { readonly fullUrl?: string; readonly resource: any; readonly request: object }
const entry = (resource: any, fullUrl?: string): Entry => ({ ...(fullUrl !== undefined && { fullUrl }), resource, request: { method: 'POST', url: 'Claim' } });
const reserve = (on: Opened, amount: number): Entry => entry(purchaseBody({ ...on, amount, use: 'preauthorization' }), URN);
const fulfil = (on: Opened, amount: number, rest: Partial<PurchaseBody> = {}): Entry =>
  entry(JSON.parse(JSON.stringify(purchaseBody({ ...on, amount, fulfils: 'x', ...rest })).replace('Claim/x', URN)));
const send = (...entries: readonly Entry[]): Promise<Answer> => server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type: 'transaction', entry: entries } });
const ledger = (account: string): Promise<[string, number][]> => ledgerOf(server, account);

test.each(['commitment first', 'purchase first'])('%s: what is reserved is taken over, and the rest released', async (order) => {
  const on = await opened(server, known, { lines: [{ amount: gbp(100) }] });
  const entries = [reserve(on, 100), fulfil(on, 90)];
  const answer = await send(...(order === 'commitment first' ? entries : entries.reverse()));
  expect([answer.status, answer.body.entry.map(({ response }: any) => response.status.slice(0, 3))]).toEqual([200, ['201', '201']]);
  expect(await balanceOf(server, on.account)).toMatchObject({ committed: 90, available: 10 });
  expect(await ledger(on.account)).toEqual([['allocation', 10000], ['commit', 10000], ['release', 9000], ['commit', 9000], ['release', 1000]]);
});

test('two purchases take one commitment in turn, the first leaving the rest to the second', async () => {
  const on = await opened(server, known, { lines: [{ amount: gbp(100) }] });
  const answer = await send(fulfil(on, 30, { final: false }), fulfil(on, 50), reserve(on, 100));
  expect(answer.status).toBe(200);
  expect(await balanceOf(server, on.account)).toMatchObject({ committed: 80, available: 20 });
});

test('one that was there before and one of the same transaction', async () => {
  const on = await opened(server, known, { lines: [{ amount: gbp(100) }] });
  const before = await recorded(server, purchaseBody({ ...on, amount: 40, use: 'preauthorization' }));
  const both = fulfil(on, 100);
  both.resource.related.push({ claim: { reference: `Claim/${before.id}` }, relationship: both.resource.related[0].relationship });
  expect((await send(both, reserve(on, 60))).status).toBe(200);
  expect(await balanceOf(server, on.account)).toMatchObject({ committed: 100, available: 0 });
});

test('too much for the line, or a draft that reserves nothing: all is refused, and nothing is stored', async () => {
  const on = await opened(server, known, { lines: [{ amount: gbp(100) }] });
  const tooMuch = await send(reserve(on, 60), fulfil(on, 101));
  expectRefusal(tooMuch, 422, { code: 'business-rule', text: '40.00 available' });
  expect(errorCode(tooMuch)).toBe('INSUFFICIENT_FUNDS');
  const drafted = reserve(on, 60);
  drafted.resource.status = 'draft';
  expectRefusal(await send(drafted, fulfil(on, 10)), 422, { text: 'draft', expression: 'Bundle.entry[1].resource.related[0].claim' });
  expect(await balanceOf(server, on.account)).toMatchObject({ committed: 0, available: 100 });
  expect((await server.send('GET', `Claim?budget=Account/${on.account}`, { token: server.tokens.admin })).body.total).toBe(0);
});

test.each([['another purchase that becomes dearer', true], ['a new purchase', false]])('what one purchase gives back to a commitment is there for %s', async (_what, dearer) => {
  const on = await opened(server, known, { lines: [{ amount: gbp(100) }] });
  const commitment = await recorded(server, purchaseBody({ ...on, amount: 100, use: 'preauthorization' }));
  const part = (amount: number): PurchaseBody => ({ ...on, amount, fulfils: commitment.id, final: false });
  const [first, second] = [await recorded(server, purchaseBody(part(60))), await recorded(server, purchaseBody(part(40)))];
  const costs = (claim: any, amount: number): Entry => ({ resource: { ...purchaseBody(part(amount)), id: claim.id }, request: { method: 'PUT', url: `Claim/${claim.id}` } });
  const answer = await send(costs(first, 40), dearer ? costs(second, 60) : entry(purchaseBody(part(20))));
  expect([answer.status, await balanceOf(server, on.account)]).toMatchObject([200, { committed: 100, available: 0 }]);
});
