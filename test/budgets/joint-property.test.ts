// Joint budgets under random acts and many clients: sums stay exact, money comes back in proportion, and nothing is overspent
// (domain.md 3.8 rules 9, 11 and 13). The model is separate code: it knows the rules, and nothing of the ledger.
import fc from 'fast-check';
import { closeBalanced, organization } from '../domain/budgets.js';
import { balanceOf, change, purchaseBody, record } from '../domain/purchases.js';
import { paidIn, pay, refund } from '../domain/payments.js';
import { jointOf, type Joint } from '../domain/joint.js';
import { startServer, type TestServer } from '../server.js';

let server: TestServer;
let provider: string;
beforeAll(async () => {
  server = await startServer();
  provider = await organization(server, 'GYM1', 'provider');
});
afterAll(() => closeBalanced(server));

const FUNDINGS = ['nhs', 'social-care', 'education', 'other'] as const;
const pounds = (pence: number): number => Number((pence / 100).toFixed(2));
const total = (list: readonly number[]): number => list.reduce((sum, one) => sum + one, 0);

/** Largest remainder, in pence: small enough for doubles to be exact. `order` gives the places in which odd pence of equal claims go out. */
function apportion(amount: number, weights: readonly number[], order: readonly number[]): number[] {
  const whole = total(weights);
  const shares = weights.map((weight) => Math.floor((amount * weight) / whole));
  const ranked = [...order].sort((a, b) => ((amount * weights[b]!) % whole) - ((amount * weights[a]!) % whole));
  for (const place of ranked.slice(0, amount - total(shares))) shares[place]! += 1;
  return shares;
}

interface Bought {
  readonly claim: any;
  readonly shares: readonly number[];
  readonly paid: number[];
  /** What each payment took, and what is left of it. */
  readonly payments: { readonly notice: string; readonly left: number[] }[];
  cancelled: boolean;
}

interface Act {
  readonly kind: 'buy' | 'alone' | 'pay' | 'refund' | 'cancel';
  /** Which of those there are, and how much of what is possible, in thousandths: above 1000 is too much. */
  readonly pick: number;
  readonly part: number;
}

const acts: fc.Arbitrary<Act[]> = fc.array(fc.record({ kind: fc.constantFrom<Act['kind'][]>('buy', 'buy', 'alone', 'pay', 'pay', 'refund', 'refund', 'cancel'), pick: fc.nat(20), part: fc.integer({ min: 1, max: 1100 }) }), { minLength: 4, maxLength: 14 });

class Model {
  readonly available: number[];
  readonly bought: Bought[] = [];
  readonly order: readonly number[];

  constructor(readonly on: Joint, granted: readonly number[]) {
    this.available = [...granted];
    this.order = [...on.children.keys()].sort((a, b) => (on.children[a].id < on.children[b].id ? -1 : 1));
  }

  async run({ kind, pick, part }: Act): Promise<void> {
    if (kind === 'buy') return this.buy(Math.floor((total(this.available) * part) / 1000));
    if (kind === 'alone') return this.alone(pick % this.available.length, part);
    const one = this.bought[pick % this.bought.length];
    if (!one || one.cancelled) return undefined;
    if (kind === 'pay') return this.pay(one, part);
    return kind === 'refund' ? this.refund(one, pick, part) : this.cancel(one);
  }

  private async buy(amount: number): Promise<void> {
    if (amount === 0) return;
    const answer = await record(server, purchaseBody({ patient: this.on.patient, account: this.on.joint, provider, amount: pounds(amount) }));
    expect(answer.status).toBe(amount > total(this.available) ? 422 : 201);
    if (answer.status !== 201) return;
    const shares = apportion(amount, this.available, this.order);
    for (const [place, share] of shares.entries()) this.available[place]! -= share;
    this.bought.push({ claim: answer.body, shares, paid: shares.map(() => 0), payments: [], cancelled: false });
  }

  private async alone(place: number, part: number): Promise<void> {
    const amount = Math.floor((this.available[place]! * part) / 3000);
    if (amount === 0) return;
    expect((await record(server, purchaseBody({ patient: this.on.patient, account: this.on.children[place].id, provider, amount: pounds(amount) }))).status).toBe(201);
    this.available[place]! -= amount;
  }

  private async pay(one: Bought, part: number): Promise<void> {
    const due = one.shares.map((share, place) => share - one.paid[place]!);
    const amount = Math.floor((total(due) * part) / 1000);
    if (amount === 0) return;
    const answer = await pay(server, one.claim.id, pounds(amount));
    expect(answer.status).toBe(amount > total(due) ? 422 : 200);
    if (answer.status !== 200) return;
    const taken = apportion(amount, due, this.order);
    for (const [place, share] of taken.entries()) one.paid[place]! += share;
    one.payments.push({ notice: paidIn(answer).notice.id, left: taken });
  }

  private async refund(one: Bought, pick: number, part: number): Promise<void> {
    const payment = one.payments[pick % one.payments.length];
    const amount = Math.floor((total(payment?.left ?? []) * part) / 1000);
    if (!payment || amount === 0) return;
    const answer = await refund(server, payment.notice, pounds(amount));
    expect(answer.status).toBe(amount > total(payment.left) ? 422 : 201);
    if (answer.status !== 201) return;
    for (const [place, share] of apportion(amount, payment.left, this.order).entries()) {
      payment.left[place]! -= share;
      this.available[place]! += share;
    }
  }

  private async cancel(one: Bought): Promise<void> {
    const stands = total(one.payments.flatMap(({ left }) => left)) > 0;
    const { body } = await server.send('GET', `Claim/${one.claim.id}`, { token: server.tokens.admin });
    expect((await change(server, body, { status: 'cancelled' })).status).toBe(stands ? 409 : 200);
    if (stands) return;
    one.cancelled = true;
    for (const [place, share] of one.shares.entries()) this.available[place]! += share - one.paid[place]!;
  }
}

it('keeps every budget to the penny through purchases, payments, refunds and cancellations in any order', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 50_000 }), { minLength: 1, maxLength: 4 }), acts, async (granted, sequence) => {
    const on = await jointOf(server, granted.map((amount, index) => ({ funding: FUNDINGS[index] ?? 'other', amount: pounds(amount) })));
    const model = new Model(on, granted);
    for (const one of sequence) await model.run(one);
    const found = await Promise.all(on.children.map(async ({ id }) => (await balanceOf(server, id))['available']));
    expect(found).toEqual(model.available.map(pounds));
    const joint = await balanceOf(server, on.joint);
    expect(joint['available']).toBe(pounds(total(model.available)));
    // All that was paid and is not back comes back whole: then every budget has what it had, less what it bought alone or still owes.
    for (const one of model.bought) {
      for (const { notice, left } of one.payments) if (total(left) > 0) expect((await refund(server, notice, pounds(total(left)))).status).toBe(201);
    }
    const restored = await Promise.all(on.children.map(async ({ id }) => (await balanceOf(server, id))['spent']));
    expect(restored).toEqual(granted.map(() => 0));
  }), { numRuns: 12 });
}, 120_000);

it('never overdraws a budget, whatever comes at once on it and on the joint one', async () => {
  const on = await jointOf(server, [{ funding: 'nhs', amount: 100 }, { funding: 'social-care', amount: 70 }, { funding: 'education', amount: 30.01 }]);
  const joint = Array.from({ length: 24 }, (_, index) => record(server, purchaseBody({ patient: on.patient, account: on.joint, provider, amount: 7 + index / 100 })));
  const alone = Array.from({ length: 24 }, (_, index) => record(server, purchaseBody({ patient: on.patient, account: on.children[index % 3].id, provider, amount: 5 })));
  const answers = await Promise.all([...joint, ...alone]);
  expect(answers.map(({ status }) => status).filter((status) => status !== 201 && status !== 422)).toEqual([]);
  const made = answers.filter(({ status }) => status === 201).map(({ body }) => Math.round(body.total.value * 100));
  const balances = await Promise.all(on.children.map(({ id }) => balanceOf(server, id)));
  expect(balances.every(({ available = -1 }) => available >= 0)).toBe(true);
  expect(Math.round(total(balances.map(({ committed = 0 }) => committed)) * 100)).toBe(total(made));
  // Whoever was refused on the joint budget asked for more than was there at that moment; what is left is less than the least of them asked for.
  const refused = joint.length - (await Promise.all(joint)).filter(({ status }) => status === 201).length;
  expect(refused).toBeGreaterThan(0);
  expect((await balanceOf(server, on.joint))['available']).toBeLessThan(7.24);
}, 120_000);
