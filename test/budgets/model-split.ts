// How a joint purchase falls on the budgets in it, written a second time for the model. All amounts are pence.
import { parted } from './resource-sums.js';

export type DrawPolicy = 'pro-rata' | 'priority-order' | 'by-category';
export interface Item { readonly net: number; readonly category?: string | undefined }
export interface Share { readonly account: string; readonly line: string; readonly amount: number }
/** A budget with the lines that have something, in their order. `place`: the lower pays first. */
export interface Pot { readonly id: string; readonly funding: string; readonly place: number; readonly lines: readonly { readonly id: string; readonly available: number }[] }

export const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
export const byId = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const has = ({ lines }: Pot): number => sum(lines.map(({ available }) => available));

/** The funding sources that may pay for what, the first that is there. */
const PAYS: Readonly<Record<string, readonly string[]>> = {
  treatment: ['nhs'], therapy: ['nhs', 'education'], equipment: ['nhs', 'social-care', 'education'], 'personal-care': ['social-care', 'nhs'],
  service: ['social-care', 'nhs', 'education'], activity: ['social-care', 'education', 'nhs'],
};

type Refused = '422 INSUFFICIENT_FUNDS' | '422 MISSING_VALUE' | '422';

/** Pence by budget, or the refusal. `pots` come by id. */
export function divided(policy: DrawPolicy, amount: number, pots: readonly Pot[], items: readonly Item[]): Map<string, number> | Refused {
  if (amount > sum(pots.map(has))) return '422 INSUFFICIENT_FUNDS';
  if (policy === 'by-category') return byCategory(amount, pots, items);
  if (policy === 'pro-rata') return new Map(parted(amount, pots.map(has)).map((part, index) => [pots[index]?.id ?? '', part]));
  let rest = amount;
  return new Map([...pots].sort((a, b) => a.place - b.place).map((pot) => {
    const part = Math.min(rest, has(pot));
    rest -= part;
    return [pot.id, part];
  }));
}

function byCategory(amount: number, pots: readonly Pot[], items: readonly Item[]): Map<string, number> | Refused {
  const categories = [...new Set(items.map(({ category }) => category))].sort((a = '', b = '') => byId(a, b));
  const parts = parted(amount, categories.map((category) => sum(items.filter((item) => item.category === category).map(({ net }) => net))));
  const taken = new Map<string, number>();
  for (const [index, category] of categories.entries()) {
    const part = parts[index] ?? 0;
    if (part === 0) continue;
    if (category === undefined) return '422 MISSING_VALUE';
    const funding = PAYS[category]?.find((source) => pots.some((pot) => pot.funding === source));
    if (funding === undefined) return '422';
    const payers = pots.filter((pot) => pot.funding === funding);
    const left = payers.map((pot) => has(pot) - (taken.get(pot.id) ?? 0));
    if (part > sum(left)) return '422 INSUFFICIENT_FUNDS';
    for (const [place, share] of parted(part, left).entries()) taken.set(payers[place]?.id ?? '', (taken.get(payers[place]?.id ?? '') ?? 0) + share);
  }
  return taken;
}

/** A budget's part is taken of its lines in their order. */
export function fromLines({ id, lines }: Pot, amount: number): readonly Share[] {
  let rest = amount;
  return lines.flatMap((line) => {
    const taken = Math.min(rest, line.available);
    rest -= taken;
    return taken === 0 ? [] : [{ account: id, line: line.id, amount: taken }];
  });
}

/** One share a line, by budget and line. */
export function merged(shares: readonly Share[]): readonly Share[] {
  const lines = new Map<string, Share>();
  for (const one of shares) {
    const key = `${one.account} ${one.line}`;
    lines.set(key, { ...one, amount: one.amount + (lines.get(key)?.amount ?? 0) });
  }
  return [...lines].filter(([, { amount }]) => amount > 0).sort(([a], [b]) => byId(a, b)).map(([, share]) => share);
}
