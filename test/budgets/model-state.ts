// What the model of the money of budgets knows: budgets, purchases and payments as plain values, and what a movement does to them. All amounts are pence.
import { byId, sum, type Item, type Share } from './model-split.js';
import { parted } from './resource-sums.js';

export type State = 'active' | 'on-hold' | 'inactive';
export type Policy = 'block' | 'warn' | 'approve';
/** How an act is answered: `ok` and what became of a purchase, or status and code of the refusal. */
export type Outcome = 'ok' | 'ok draft' | 'ok overspent' | '409' | '422' | `${'409' | '422'} ${string}`;

export interface Sums { allocated: number; committed: number; spent: number; disbursed: number }
export interface Line extends Sums { readonly id: string; readonly model: string }
/** A row as the statement shows it. */
export interface Row { readonly kind: string; readonly line: string; readonly amount: number; readonly balance: number }
export interface Account {
  readonly id: string;
  readonly policy: Policy;
  readonly funding: string;
  state: State;
  /** Its place in the joint budget; undefined outside. */
  joined: number | undefined;
  readonly lines: Line[];
  readonly rows: Row[];
  /** What closing took, by line, in order. */
  taken: { line: string; amount: number }[];
}

export interface Hold { readonly account: string; readonly line: string; committed: number; paid: number; refunded: number }
/** What a purchase says of itself. */
export interface Said {
  readonly items: readonly Item[];
  /** Of a budget of its own; a joint one has none. */
  readonly line?: string | undefined;
  readonly status: 'draft' | 'active';
}
export interface Claim {
  readonly id: string;
  /** The budget charged, which may be the joint one. */
  readonly on: string;
  readonly commitment: boolean;
  readonly fulfils?: { readonly claim: Claim; readonly final: boolean } | undefined;
  items: readonly Item[];
  line?: string | undefined;
  status: 'draft' | 'active' | 'cancelled';
  overspent: boolean;
  holds: Hold[];
}
export interface Notice { readonly id: string; readonly claim: Claim; readonly parts: { readonly hold: Hold; readonly amount: number; refunded: number }[] }

export interface Movement { readonly account: string; readonly line: string; readonly kind: string; readonly amount: number; readonly claim?: Claim }
/** What is taken of each hold of a commitment, and what of it is given back. */
export interface Take { readonly claim: Claim; readonly hold: Hold; readonly used: number; readonly back: number }
export interface Judged { readonly overdraw: boolean; readonly awaits: boolean; readonly overspent: boolean }

export const UNALLOCATED = 'unallocated';
export const CALM: Judged = { overdraw: false, awaits: false, overspent: false };
export const availableOf = ({ allocated, committed, spent }: Sums): number => allocated - committed - spent;
export const totalOf = ({ items }: Pick<Said, 'items'>): number => sum(items.map(({ net }) => net));
export const sameNets = (one: Pick<Said, 'items'>, other: Pick<Said, 'items'>): boolean => one.items.map(({ net }) => net).join() === other.items.map(({ net }) => net).join();
/** What the holder of a direct payment has in hand. */
export const heldOf = ({ model, disbursed, spent }: Line): number => (model === 'direct-payment' ? disbursed - spent : 0);
/** What may leave the line: not what its holder has. */
export const movableOf = (line: Line): number => availableOf(line) - Math.max(0, heldOf(line));
export const NOT_ACTIVE: Outcome = '422 ACCOUNT_NOT_ACTIVE';
export const INSUFFICIENT: Outcome = '422 INSUFFICIENT_FUNDS';

export type Effects = readonly (readonly [keyof Sums, 1 | -1])[];
export const EFFECTS: Readonly<Record<string, Effects>> = {
  allocation: [['allocated', 1]], adjustment: [['allocated', 1]], 'transfer-in': [['allocated', 1]], 'transfer-out': [['allocated', -1]], clawback: [['allocated', -1]],
  commit: [['committed', 1]], release: [['committed', -1]], spend: [['committed', -1], ['spent', 1]], refund: [['spent', -1]], advance: [['disbursed', 1]],
};

export function holdOf(claim: Claim, account: string, line: string): Hold {
  const found = claim.holds.find((hold) => hold.account === account && hold.line === line);
  if (found) return found;
  const hold: Hold = { account, line, committed: 0, paid: 0, refunded: 0 };
  claim.holds.push(hold);
  claim.holds.sort((a, b) => byId(`${a.account} ${a.line}`, `${b.account} ${b.line}`));
  return hold;
}

type Place = Pick<Hold, 'account' | 'line'>;
export const sameLine = (one: Place) => (other: Place): boolean => one.account === other.account && one.line === other.line;

export const released = (part: 'used' | 'back') => ({ claim, hold: { account, line }, ...take }: Take): Movement => ({ account, line, kind: 'release', amount: take[part], claim });

/** From what is held to the shares. */
export function changes(claim: Claim, shares: readonly Share[]): Movement[] {
  const elsewhere = claim.holds.filter((hold) => !shares.some(({ account, line }) => account === hold.account && line === hold.line));
  return [
    ...elsewhere.map(({ account, line, committed }) => ({ account, line, kind: 'release', amount: committed, claim })),
    ...shares.flatMap(({ account, line, amount }) => {
      const more = amount - sum(claim.holds.filter((hold) => hold.account === account && hold.line === line).map(({ committed, paid }) => committed + paid));
      return [{ account, line, kind: more < 0 ? 'release' : 'commit', amount: Math.abs(more), claim }];
    }),
  ];
}

export function takesOf(claim: Claim, total: number, final: boolean): readonly Take[] {
  const { holds } = claim;
  const reserved = sum(holds.map(({ committed }) => committed));
  if (reserved === 0) return [];
  const used = parted(Math.min(reserved, total), holds.map(({ committed }) => committed));
  return holds.map((hold, index) => ({ claim, hold, used: used[index] ?? 0, back: final ? hold.committed - (used[index] ?? 0) : 0 }));
}
