// How a charge on a joint budget is divided: exact by every policy, within what each line has, and always the same.
import fc from 'fast-check';
import { availableIn, keep, merged, split, type Pot, type Share } from '../../src/budgets/purchase/joint-split.js';

const sum = (list: readonly bigint[]): bigint => list.reduce((total, one) => total + one, 0n);
const amounts = (shares: readonly Share[]): bigint[] => shares.map(({ amount }) => amount);
const pot = (account: string, available: bigint, rest: Partial<Pot> = {}): Pot => ({ account, funding: 'nhs', priority: 1, sources: [{ line: `${account}-1`, available }], ...rest });

const FUNDINGS = ['nhs', 'social-care', 'education', 'other'] as const;
const pence = fc.bigInt({ min: 0n, max: 99_999_999_999n });
const pots: fc.Arbitrary<Pot[]> = fc.array(fc.record({ funding: fc.constantFrom(...FUNDINGS), priority: fc.nat(5), lines: fc.array(pence, { minLength: 1, maxLength: 3 }) }), { minLength: 1, maxLength: 6 })
  .map((list) => list.map(({ lines, ...rest }, index) => ({ ...rest, account: `a${index}`, sources: lines.map((available, place) => ({ line: `a${index}-${place}`, available })) })))
  .filter((list) => sum(list.map(availableIn)) > 0n);
const part = fc.bigInt({ min: 1n, max: 1000n });

it.each(['pro-rata', 'priority-order'])('%s never fails while the total suffices, adds up exactly, and takes of no line more than it has', (policy) => {
  fc.assert(fc.property(pots, part, (list, thousandth) => {
    const whole = sum(list.map(availableIn));
    const amount = (whole * thousandth) / 1000n;
    if (amount === 0n) return;
    const shares = split(policy, amount, list, new Map());
    expect(sum(amounts(shares))).toBe(amount);
    for (const { account, line, amount: taken } of shares) {
      const source = list.find((one) => one.account === account)?.sources.find((one) => one.line === line);
      expect(taken > 0n && source !== undefined && taken <= source.available).toBe(true);
    }
    expect(split(policy, amount, [...list].reverse(), new Map())).toEqual(shares);
  }));
});

it('pro-rata is within a penny of each one\'s proportion', () => {
  fc.assert(fc.property(pots, part, (list, thousandth) => {
    const whole = sum(list.map(availableIn));
    const amount = (whole * thousandth) / 1000n;
    if (amount === 0n) return;
    const shares = split('pro-rata', amount, list, new Map());
    for (const one of list) {
      const taken = sum(amounts(shares.filter(({ account }) => account === one.account)));
      const exact = amount * availableIn(one);
      expect(taken * whole > exact - whole && taken * whole < exact + whole).toBe(true);
    }
  }));
});

it('priority-order leaves a budget alone until those before it have nothing left', () => {
  const list = [pot('a', 100n, { priority: 2 }), pot('b', 50n), pot('c', 70n, { priority: 2 })];
  expect(split('priority-order', 30n, list, new Map())).toEqual([{ account: 'b', line: 'b-1', amount: 30n }]);
  expect(split('priority-order', 160n, list, new Map())).toEqual([{ account: 'a', line: 'a-1', amount: 100n }, { account: 'b', line: 'b-1', amount: 50n }, { account: 'c', line: 'c-1', amount: 10n }]);
});

describe('by-category', () => {
  const list = [pot('a', 100n), pot('b', 300n), pot('c', 1000n, { funding: 'social-care' })];

  it('shares what one funding pays over its budgets in proportion', () => {
    expect(split('by-category', 60n, list, new Map([['treatment', 40n], ['activity', 20n]]))).toEqual([
      { account: 'a', line: 'a-1', amount: 10n }, { account: 'b', line: 'b-1', amount: 30n }, { account: 'c', line: 'c-1', amount: 20n },
    ]);
  });

  it('counts what other categories of the same purchase have taken', () => {
    expect(sum(amounts(split('by-category', 400n, list, new Map([['treatment', 200n], ['therapy', 200n]]))))).toBe(400n);
    expect(() => split('by-category', 401n, list, new Map([['treatment', 200n], ['therapy', 201n]]))).toThrow('for treatment');
  });

  it('divides a part of the purchase as the whole', () => {
    expect(amounts(split('by-category', 30n, list, new Map([['treatment', 40n], ['activity', 20n]])))).toEqual([5n, 15n, 10n]);
  });

  it('refuses what has no category, and what nobody in it pays for', () => {
    expect(() => split('by-category', 1n, list, new Map([[undefined, 1n]]))).toThrow('directory-category');
    expect(() => split('by-category', 1n, [pot('c', 10n, { funding: 'social-care' })], new Map([['treatment', 1n]]))).toThrow('nhs');
  });
});

it('refuses more than there is, with what is available', () => {
  expect(() => split('pro-rata', 201n, [pot('a', 100n), pot('b', 100n)], new Map())).toThrow('£2.00');
});

it('keeps what was reserved where it was, in proportion where less is needed', () => {
  const shares = fc.array(pence, { minLength: 1, maxLength: 6 }).map((list) => list.map((amount, index) => ({ account: `a${index}`, line: 'x', amount })));
  fc.assert(fc.property(shares, fc.bigInt({ min: 1n, max: 999_999_999_999n }), (reserved, total) => {
    const whole = sum(amounts(reserved));
    const kept = keep(total, reserved);
    expect(sum(amounts(kept))).toBe(whole === 0n || total > whole ? whole : total);
    for (const [index, one] of kept.entries()) expect(one.amount <= reserved[index]!.amount).toBe(true);
  }));
});

it('adds up shares of the same line, in one order', () => {
  const share = (account: string, amount: bigint): Share => ({ account, line: 'x', amount });
  expect(merged([share('b', 1n), share('a', 2n), share('b', 3n), share('c', 0n)])).toEqual([share('a', 2n), share('b', 4n)]);
});
