// How a purchase on a joint budget is divided over the budgets in it, by the draw policy (domain.md 3.8 rule 9, ruling 56). Pure.
import { poundsText } from '../../fhir/decimal.js';
import { fail } from '../../fhir/errors.js';
import { businessError } from '../codes.js';
import { byBytes } from '../ledger/ledger.js';
import { shareOut, sumOf } from '../ledger/shares.js';

/** A line of a budget, with what it has available (pence, not below zero). */
export interface Source {
  readonly line: string;
  readonly available: bigint;
}

/** A budget in the joint one. */
export interface Pot {
  /** Logical id of the Account. */
  readonly account: string;
  /** A code of funding-source. */
  readonly funding: string;
  /** The lower is drawn on first; of equals, the one with the lower id. */
  readonly priority: number;
  /** In the order in which its own lines are drawn on. */
  readonly sources: readonly Source[];
}

/** What is taken of one line, in pence. */
export interface Share {
  readonly account: string;
  readonly line: string;
  readonly amount: bigint;
}

/** What a purchase comes to per code of directory-category; undefined for items without one. */
export type Categories = ReadonlyMap<string | undefined, bigint>;

/** Which funding pays for what, the first that is part of the joint budget. */
const FUNDED_BY: Readonly<Record<string, readonly string[]>> = {
  treatment: ['nhs'],
  therapy: ['nhs', 'education'],
  equipment: ['nhs', 'social-care', 'education'],
  'personal-care': ['social-care', 'nhs'],
  service: ['social-care', 'nhs', 'education'],
  activity: ['social-care', 'education', 'nhs'],
};

/**
 * Divides `amount` (pence, above zero) by the policy, a code of draw-policy. `categories` come to the whole purchase, of which `amount`
 * is what is to be found now. Throws 422: INSUFFICIENT_FUNDS where the budgets have too little, and where a category has no funding.
 * Shares come by Account id, then in the order of the lines; none is nothing, and none is more than its line has.
 */
export function split(policy: string | undefined, amount: bigint, pots: readonly Pot[], categories: Categories): Share[] {
  const ordered = [...pots].sort((a, b) => byBytes(a.account, b.account));
  const whole = ordered.reduce((sum, pot) => sum + availableIn(pot), 0n);
  if (amount > whole) throw insufficient(`The joint budget has £${poundsText(whole)} available for this, and £${poundsText(amount)} is asked for`);
  const taken = policy === 'by-category' ? byCategory(amount, ordered, categories) : policy === 'priority-order' ? inOrder(amount, ordered) : proRata(amount, ordered);
  return ordered.flatMap((pot) => fromLines(pot, taken.get(pot.account) ?? 0n));
}

export const availableIn = ({ sources }: Pot): bigint => sources.reduce((sum, { available }) => sum + available, 0n);

const insufficient = (text: string) => fail('business-rule', { text, expression: 'Claim.total', coding: businessError('INSUFFICIENT_FUNDS') });

/** Pence by Account id. */
type Taken = Map<string, bigint>;

function proRata(amount: bigint, pots: readonly Pot[], earlier: Taken = new Map()): Taken {
  const shares = shareOut(amount, pots.map((pot) => availableIn(pot) - (earlier.get(pot.account) ?? 0n)));
  return new Map(pots.map(({ account }, index) => [account, shares[index] ?? 0n]));
}

/** Each gives what it has; the rest falls through to the next. */
function inOrder(amount: bigint, pots: readonly Pot[]): Taken {
  let rest = amount;
  return new Map([...pots].sort((a, b) => a.priority - b.priority).map((pot) => {
    const available = availableIn(pot);
    const taken = available < rest ? available : rest;
    rest -= taken;
    return [pot.account, taken];
  }));
}

/** What falls to each category is paid by the budgets of its funding alone, in proportion where there are several. */
function byCategory(amount: bigint, pots: readonly Pot[], categories: Categories): Taken {
  const list = [...categories].sort(([a = ''], [b = '']) => byBytes(a, b));
  const parts = shareOut(amount, list.map(([, pence]) => pence));
  const taken: Taken = new Map();
  for (const [index, [category]] of list.entries()) {
    const part = parts[index] ?? 0n;
    if (part === 0n) continue;
    const paying = payersOf(category, pots);
    const left = paying.reduce((sum, pot) => sum + availableIn(pot) - (taken.get(pot.account) ?? 0n), 0n);
    if (part > left) throw insufficient(`What the joint budget has of funding source ${paying[0]?.funding} does not cover £${poundsText(part)} for ${category}: by-category draws on no other`);
    for (const [account, pence] of proRata(part, paying, taken)) taken.set(account, (taken.get(account) ?? 0n) + pence);
  }
  return taken;
}

function payersOf(category: string | undefined, pots: readonly Pot[]): readonly Pot[] {
  const expression = 'Claim.item';
  if (category === undefined) throw fail('required', { text: 'This joint budget pays by category: give each item a coding of directory-category in productOrService or category, or ext-directory-entry', expression });
  for (const funding of FUNDED_BY[category] ?? []) {
    const paying = pots.filter((pot) => pot.funding === funding);
    if (paying.length > 0) return paying;
  }
  throw fail('business-rule', { text: `No budget in the joint one pays for ${category}: that is paid by funding source ${(FUNDED_BY[category] ?? []).join(' or ')}`, expression });
}

function fromLines({ account, sources }: Pot, amount: bigint): Share[] {
  let rest = amount;
  return sources.flatMap(({ line, available }) => {
    const taken = available < rest ? available : rest;
    rest -= taken;
    return taken === 0n ? [] : [{ account, line, amount: taken }];
  });
}

/** What stays where it was reserved when `total` is divided anew: all of it, or in proportion where less is needed now. */
export function keep(total: bigint, reserved: readonly Share[]): Share[] {
  const whole = sumOf(reserved);
  if (whole === 0n) return [];
  const shares = shareOut(total < whole ? total : whole, reserved.map(({ amount }) => amount));
  return reserved.map((one, index) => ({ ...one, amount: shares[index] ?? 0n }));
}

/** One share per line, by Account id and line. */
export function merged(shares: readonly Share[]): Share[] {
  const byLine = new Map<string, Share>();
  for (const one of shares) {
    const key = `${one.account} ${one.line}`;
    byLine.set(key, { ...one, amount: one.amount + (byLine.get(key)?.amount ?? 0n) });
  }
  return [...byLine].filter(([, { amount }]) => amount > 0n).sort(([a], [b]) => byBytes(a, b)).map(([, one]) => one);
}
