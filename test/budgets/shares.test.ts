// Amounts shared out to the penny: what comes out is what went in, in proportion, and nobody gives more than there is.
import fc from 'fast-check';
import { shareOut } from '../../src/budgets/ledger/shares.js';

const sum = (list: readonly bigint[]): bigint => list.reduce((total, one) => total + one, 0n);
const weights = fc.array(fc.bigInt({ min: 0n, max: 99_999_999_999n }), { minLength: 1, maxLength: 8 }).filter((list) => sum(list) > 0n);

it('shares 100.00 over three alike as 33.34, 33.33 and 33.33', () => {
  expect(shareOut(10_000n, [1n, 1n, 1n])).toEqual([3334n, 3333n, 3333n]);
  expect(shareOut(10_000n, [1200n, 300n])).toEqual([8000n, 2000n]);
  expect(shareOut(5n, [0n, 7n, 0n])).toEqual([0n, 5n, 0n]);
});

it('gives the odd penny to the largest remainder, else to the first', () => {
  expect(shareOut(1n, [1n, 2n])).toEqual([0n, 1n]);
  expect(shareOut(1n, [5n, 5n])).toEqual([1n, 0n]);
});

it('adds up exactly, is within a penny of the proportion, and takes no more than a weight where there is enough', () => {
  fc.assert(fc.property(weights, fc.bigInt({ min: 0n, max: 10_000n }), (list, part) => {
    const whole = sum(list);
    const amount = (whole * part) / 10_000n;
    const shares = shareOut(amount, list);
    expect(sum(shares)).toBe(amount);
    for (const [index, share] of shares.entries()) {
      const exact = amount * list[index]!;
      expect(share * whole > exact - whole && share * whole < exact + whole).toBe(true);
      expect(share >= 0n && share <= list[index]!).toBe(true);
    }
  }));
});

it('shares nothing over nothing', () => {
  expect(() => shareOut(1n, [0n, 0n])).toThrow();
});
