// The acts that the model test puts together by chance, and sequences that chance seldom finds.
import fc from 'fast-check';

/** How a purchase is sent. */
export type Road = 'alone' | 'transaction' | 'patch';
/** Amounts in pence. `on`, `of`, `line` and `to` choose among what there is; `road`: a new purchase that would be patched is sent alone. */
export type Act =
  | { readonly act: 'buy'; readonly on: number; readonly line: number; readonly nets: readonly number[]; readonly kinds: readonly number[]; readonly commits: boolean; readonly draft: boolean; readonly road: Road }
  | { readonly act: 'amend'; readonly of: number; readonly line: number; readonly nets: readonly number[]; readonly kinds: readonly number[]; readonly same: boolean; readonly road: Road }
  | { readonly act: 'fulfil'; readonly of: number; readonly line: number; readonly pence: number; readonly final: boolean }
  | { readonly act: 'pay' | 'refund' | 'cancel' | 'approve' | 'reject'; readonly of: number; readonly pence: number; readonly whole: boolean }
  | { readonly act: 'advance' | 'clawback'; readonly on: number; readonly line: number; readonly pence: number }
  | { readonly act: 'transfer' | 'adjust' | 'assign'; readonly on: number; readonly line: number; readonly to: number; readonly pence: number }
  | { readonly act: 'suspend' | 'close' | 'reopen' | 'join' | 'leave'; readonly on: number; readonly release: boolean };
/** `again`: where it was taken it is sent once more, with the same X-Request-ID. */
export interface Sent { readonly act: Act; readonly again: boolean }

export const POLICIES = ['block', 'warn', 'approve'] as const;
export const DRAWS = ['pro-rata', 'priority-order', 'by-category'] as const;
export const CATEGORIES = ['equipment', 'personal-care', 'activity', 'therapy', undefined] as const;
export interface Setting { readonly policies: readonly (typeof POLICIES)[number][]; readonly draw: (typeof DRAWS)[number]; readonly acts: readonly Sent[] }

const pence = fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 1, max: 9000 }) }, { weight: 1, arbitrary: fc.integer({ min: 9000, max: 40_000 }) });
const place = fc.nat({ max: 50 });
const nets = fc.array(pence, { minLength: 1, maxLength: 3 });
const kinds = fc.array(fc.oneof({ weight: 5, arbitrary: fc.nat({ max: 3 }) }, { weight: 1, arbitrary: fc.constant(4) }), { minLength: 3, maxLength: 3 });
const road = fc.constantFrom<Road[]>('alone', 'transaction', 'patch');
const seldom = fc.nat({ max: 6 }).map((n) => n === 0);
const constants = <T extends string>(...names: T[]) => fc.constantFrom<T[]>(...names);
const one = <T>(weight: number, arbitrary: fc.Arbitrary<T>): { weight: number; arbitrary: fc.Arbitrary<T> } => ({ weight, arbitrary });

const act: fc.Arbitrary<Act> = fc.oneof(
  one(6, fc.record({ act: constants('buy'), on: place, line: place, nets, kinds, commits: fc.nat({ max: 2 }).map((n) => n === 0), draft: seldom, road })),
  one(3, fc.record({ act: constants('amend'), of: place, line: place, nets, kinds, same: seldom, road })),
  one(2, fc.record({ act: constants('fulfil'), of: place, line: place, pence, final: fc.boolean() })),
  one(7, fc.record({ act: constants('pay', 'pay', 'pay', 'refund', 'cancel', 'approve', 'approve', 'reject'), of: place, pence, whole: fc.boolean() })),
  one(3, fc.record({ act: constants('advance', 'advance', 'clawback'), on: place, line: place, pence })),
  one(3, fc.record({ act: constants('transfer', 'adjust', 'assign'), on: place, line: place, to: place, pence: fc.oneof(pence, pence.map((n) => -n)) })),
  one(5, fc.record({ act: constants('suspend', 'close', 'reopen', 'reopen', 'join', 'join', 'leave'), on: place, release: fc.boolean() })),
);

export const setting: fc.Arbitrary<Setting> = fc.record({
  policies: fc.tuple(fc.constantFrom(...POLICIES), fc.constantFrom(...POLICIES)), draw: fc.constantFrom(...DRAWS),
  acts: fc.array(fc.record({ act, again: seldom }), { minLength: 12, maxLength: 30, size: 'max' }),
});

interface Way { readonly line?: number; readonly commits?: boolean; readonly draft?: boolean; readonly of?: readonly number[]; readonly road?: Road }
interface Amending { readonly of?: number; readonly line?: number; readonly road?: Road }
/** Budget 0 has lines notional (300.00), direct payment (200.00) and third party (100.00); budget 1 notional (250.00) and direct payment (50.00); 2 is the joint one. */
const buys = (on: number, amounts: readonly number[], { line = 0, commits = false, draft = false, of = [0, 1, 2], road: by = 'alone' }: Way = {}): Act => ({ act: 'buy', on, line, nets: amounts, kinds: of, commits, draft, road: by });
const amends = (amounts: readonly number[] | 'same', { of = 0, line = 1, road: by = 'alone' }: Amending = {}): Act => ({ act: 'amend', of, line, nets: amounts === 'same' ? [1] : amounts, kinds: [0, 0, 0], same: amounts === 'same', road: by });
const fulfils = (amount: number, final: boolean, line = 0): Act => ({ act: 'fulfil', of: 0, line, pence: amount, final });
const does = (name: 'suspend' | 'close' | 'reopen' | 'join' | 'leave', on: number, release = true): Act => ({ act: name, on, release });
const settles = (name: 'pay' | 'refund' | 'cancel' | 'approve' | 'reject', amount?: number, of = 0): Act => ({ act: name, of, pence: amount ?? 1, whole: amount === undefined });
const hands = (name: 'advance' | 'clawback', amount: number, on = 0, line = 1): Act => ({ act: name, on, line, pence: amount });
const grants = (name: 'transfer' | 'adjust' | 'assign', amount: number, line = 0, to = 1): Act => ({ act: name, on: 0, line, to, pence: amount });
const sent = (acts: readonly Act[]): readonly Sent[] => acts.map((one) => ({ act: one, again: true }));

export const EXAMPLES: readonly Setting[] = [
  { policies: ['block', 'block'], draw: 'pro-rata', acts: sent([
    grants('assign', -50_000, 0, 0), buys(0, [9_999, 1]), buys(0, [2_500], { commits: true }), settles('pay'), does('close', 0, false), does('close', 0), settles('refund', 3_333), does('reopen', 0), buys(0, [29_000]), does('suspend', 0), does('reopen', 0),
  ]) },
  { policies: ['block', 'block'], draw: 'pro-rata', acts: sent([
    buys(2, [100]), does('join', 0), does('join', 1), buys(2, [10_001], { commits: true }), fulfils(3_334, false), fulfils(7_003, true),
    settles('pay'), settles('refund', 1_111), does('leave', 1), does('suspend', 0), buys(2, [50]), does('close', 1), settles('pay'), does('reopen', 0), settles('pay'), does('close', 1), does('leave', 1),
  ]) },
  // A commitment that was used in part, sent again as it is and then changed; one that was used whole.
  { policies: ['block', 'approve'], draw: 'pro-rata', acts: sent([
    buys(0, [10_000], { commits: true }), fulfils(4_000, false), amends('same'), amends([12_000]), settles('cancel'), buys(1, [3_000], { commits: true }), fulfils(3_000, true), amends('same', { of: 2 }),
  ]) },
  // A purchase that uses part of a commitment becomes dearer, up to the rest and beyond, then cheaper; another beside it, and one that is the last.
  { policies: ['block', 'warn'], draw: 'priority-order', acts: sent([
    buys(0, [20_000], { commits: true }), fulfils(8_000, false), amends([10_000], { of: 1 }), amends([29_000], { of: 1 }), amends([21_000], { of: 1, road: 'patch' }), amends([4_000], { of: 1, road: 'transaction' }), fulfils(18_000, false), amends([17_000], { of: 2 }),
    amends([5_000], { of: 2 }), settles('cancel', undefined, 2), fulfils(2_000, true), amends([1_000], { of: 1 }), amends([2_500], { of: 3 }), settles('pay', undefined, 1),
  ]) },
  { policies: ['block', 'block'], draw: 'pro-rata', acts: sent([
    does('join', 0), does('join', 1), buys(2, [10_001], { commits: true }), fulfils(3_334, false), amends([7_777], { of: 1 }), amends([30_000], { of: 1 }), amends([9_001], { of: 1 }), amends([5], { of: 1 }), settles('cancel'), amends([4], { of: 1 }),
  ]) },
  // A direct payment: handed out, spent beyond it, given back, taken back; and the end of the budget with cash in hand.
  { policies: ['block', 'block'], draw: 'pro-rata', acts: sent([
    hands('advance', 15_000), buys(0, [12_000], { line: 1 }), settles('pay'), hands('clawback', 3_001), hands('clawback', 1_000), buys(0, [9_000], { line: 1 }), grants('transfer', 100, 1, 0), hands('advance', 9_000), settles('refund', 2_000),
    grants('adjust', 3_000, 1), hands('advance', 4_000), settles('pay'), does('close', 0), hands('clawback', 2_000), does('reopen', 0), hands('clawback', 500),
  ]) },
  // What awaits a decision reserves nothing until it is taken, and what was reserved for it needs none.
  { policies: ['approve', 'warn'], draw: 'by-category', acts: sent([
    buys(0, [31_000]), settles('reject'), buys(0, [32_000], { draft: true }), settles('approve'), buys(0, [500]), amends([400], { of: 2 }), buys(1, [24_000], { commits: true }), buys(1, [2_000]), fulfils(24_000, true), settles('pay'),
    grants('transfer', 1, 0, 1), does('close', 1), grants('adjust', 2_500), does('close', 0),
  ]) },
  { policies: ['warn', 'block'], draw: 'priority-order', acts: sent([
    buys(1, [60, 40]), settles('pay', 30), amends([40, 60]), amends('same'), does('join', 1), does('join', 0), buys(2, [31_000, 70]), amends([40_000]), amends([20_000], { road: 'patch' }), buys(0, [40_000], { line: 2, road: 'transaction' }), buys(2, [30_000]), settles('pay', 12_345), settles('refund', 12_344), settles('cancel'), does('leave', 0),
  ]) },
  { policies: ['block', 'warn'], draw: 'by-category', acts: sent([
    does('join', 0), buys(2, [100], { of: [4, 4, 4] }), buys(2, [7_777, 3_333, 1], { of: [0, 1, 2] }), does('join', 1), buys(2, [7_777, 3_333, 1], { of: [0, 1, 2] }), settles('pay', 10_000), settles('refund', 777), buys(2, [31_000], { of: [1, 1, 1] }), grants('assign', 4_321), grants('transfer', 4_000, 3, 0), grants('assign', 0, 1), grants('assign', -1),
  ]) },
];
