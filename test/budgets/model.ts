// The rules of money on budgets, written a second time and on their own: which acts are taken, which are refused and how, and what every
// figure is afterwards. Nothing here is shared with the code that keeps the ledger. All amounts are pence.
import { parted } from './resource-sums.js';

export type State = 'active' | 'on-hold' | 'inactive';
/** How an act is answered: `ok`, or status and business-error code of the refusal. */
export type Outcome = 'ok' | '409' | '422' | '409 ACCOUNT_NOT_ACTIVE' | '409 OUTSTANDING_CLAIMS' | '422 ACCOUNT_NOT_ACTIVE' | '422 INSUFFICIENT_FUNDS' | '422 REFUND_EXCEEDS_PAYMENT';

interface Sums { allocated: number; committed: number; spent: number }
export interface Line extends Sums { readonly id: string }
/** A row as the statement shows it. */
export interface Row { readonly kind: string; readonly line: string; readonly amount: number; readonly balance: number }
export interface Account {
  readonly id: string;
  state: State;
  joined: boolean;
  readonly lines: readonly Line[];
  readonly rows: Row[];
  /** What closing took, by line, in order. */
  taken: { line: string; amount: number }[];
}

interface Hold { readonly account: string; readonly line: string; committed: number; paid: number; refunded: number }
export interface Claim {
  id: string;
  /** The budget charged, which may be the joint one. */
  readonly on: string;
  readonly commitment: boolean;
  readonly fulfils: boolean;
  status: 'draft' | 'active' | 'cancelled';
  holds: Hold[];
}
export interface Notice { readonly id: string; readonly claim: Claim; readonly parts: { readonly hold: Hold; readonly amount: number; refunded: number }[] }

export interface Purchase {
  readonly id: string;
  readonly on: string;
  /** Of a budget of its own; a joint one has none. */
  readonly line?: string;
  readonly total: number;
  readonly commitment?: boolean;
  readonly draft?: boolean;
  readonly fulfils?: { readonly claim: Claim; readonly final: boolean };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
const byId = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const availableOf = ({ allocated, committed, spent }: Sums): number => allocated - committed - spent;

/** What is taken of each hold of a commitment, and what of it is given back. */
interface Take { readonly hold: Hold; readonly used: number; readonly back: number }
interface Share { readonly account: string; readonly line: string; readonly amount: number }

export class Model {
  readonly accounts = new Map<string, Account>();
  readonly claims: Claim[] = [];
  readonly notices: Notice[] = [];

  constructor(readonly joint: string) {}

  open(id: string, lines: readonly { readonly id: string; readonly amount: number }[]): void {
    const account: Account = { id, state: 'active', joined: false, lines: lines.map((line) => ({ id: line.id, allocated: 0, committed: 0, spent: 0 })), rows: [], taken: [] };
    this.accounts.set(id, account);
    for (const { id: line, amount } of lines) this.move(account.id, line, 'allocation', amount);
  }

  available(id: string): number {
    return sum(this.account(id).lines.map(availableOf));
  }

  /** Records it where it is taken. */
  buy(purchase: Purchase): Outcome {
    const { on, total, fulfils } = purchase;
    if (fulfils && fulfils.claim.status !== 'active') return '422';
    const takes = fulfils ? takesOf(fulfils.claim, total, fulfils.final) : [];
    const shares = on === this.joint ? this.divided(total, takes) : this.ofLine(purchase, takes);
    if (typeof shares === 'string') return shares;
    const claim: Claim = { id: purchase.id, on, commitment: purchase.commitment === true, fulfils: fulfils !== undefined, status: purchase.draft === true ? 'draft' : 'active', holds: [] };
    this.claims.push(claim);
    if (claim.status === 'draft') return 'ok';
    for (const { hold, used } of takes) this.release(hold, used);
    for (const { account, line, amount } of shares) {
      claim.holds.push({ account, line, committed: amount, paid: 0, refunded: 0 });
      this.move(account, line, 'commit', amount);
    }
    for (const { hold, back } of takes) this.release(hold, back);
    return 'ok';
  }

  private ofLine({ on, line = '', total, draft }: Purchase, takes: readonly Take[]): readonly Share[] | Outcome {
    const account = this.account(on);
    if (account.state !== 'active') return '422 ACCOUNT_NOT_ACTIVE';
    if (draft === true) return [];
    const given = sum(takes.filter(({ hold }) => hold.line === line).map(({ used, back }) => used + back));
    const needed = total - given;
    return needed > 0 && availableOf(this.line(on, line)) < needed ? '422 INSUFFICIENT_FUNDS' : [{ account: on, line, amount: total }];
  }

  /** What was reserved stays where it was; the rest is pro rata to what each budget has available. */
  private divided(total: number, takes: readonly Take[]): readonly Share[] | Outcome {
    const pots = this.parts();
    if (pots.length === 0) return '422';
    if (pots.some(({ state }) => state !== 'active')) return '409 ACCOUNT_NOT_ACTIVE';
    const kept = takes.map(({ hold, used }) => ({ account: hold.account, line: hold.line, amount: used }));
    const rest = total - sum(kept.map(({ amount }) => amount));
    const weights = pots.map(({ id }) => Math.max(0, this.available(id)));
    if (rest > sum(weights)) return '422 INSUFFICIENT_FUNDS';
    const parts = rest === 0 ? pots.map(() => 0) : parted(rest, weights);
    const fresh = pots.flatMap((pot, index) => fromLines(pot, parts[index] ?? 0));
    return merged([...kept, ...fresh]);
  }

  pay(claim: Claim, amount: number, notice: string): Outcome {
    if (claim.commitment || claim.status !== 'active') return '422';
    if (claim.holds.some((hold) => this.account(hold.account).state !== 'active')) return '422 ACCOUNT_NOT_ACTIVE';
    const due = sum(claim.holds.map(({ committed }) => committed));
    if (amount > due) return '422';
    const parts = parted(amount, claim.holds.map(({ committed }) => committed));
    const made = claim.holds.map((hold, index) => ({ hold, amount: parts[index] ?? 0, refunded: 0 })).filter((part) => part.amount > 0);
    for (const { hold, amount: part } of made) {
      hold.committed -= part;
      hold.paid += part;
      this.move(hold.account, hold.line, 'spend', part);
    }
    this.notices.push({ id: notice, claim, parts: made });
    return 'ok';
  }

  refund({ parts }: Notice, amount: number): Outcome {
    const left = parts.map((part) => part.amount - part.refunded);
    if (amount > sum(left)) return '422 REFUND_EXCEEDS_PAYMENT';
    const shares = parted(amount, left);
    const back = parts.map((part, index) => ({ part, pence: shares[index] ?? 0 })).filter(({ pence }) => pence > 0);
    for (const { part, pence } of back) {
      part.refunded += pence;
      part.hold.refunded += pence;
      this.move(part.hold.account, part.hold.line, 'refund', pence);
    }
    for (const { part: { hold }, pence } of back) if (this.account(hold.account).state === 'inactive') this.take(hold.account, hold.line, pence);
    return 'ok';
  }

  cancel(claim: Claim): Outcome {
    if (claim.holds.some(({ paid, refunded }) => paid > refunded)) return '409';
    for (const hold of claim.holds) this.release(hold, hold.committed);
    claim.status = 'cancelled';
    return 'ok';
  }

  transfer(id: string, from: string, to: string, amount: number): Outcome {
    if (this.account(id).state === 'inactive') return '422 ACCOUNT_NOT_ACTIVE';
    if (availableOf(this.line(id, from)) < amount) return '422 INSUFFICIENT_FUNDS';
    this.move(id, from, 'transfer-out', amount);
    this.move(id, to, 'transfer-in', amount);
    return 'ok';
  }

  adjust(id: string, line: string, delta: number): Outcome {
    if (this.account(id).state === 'inactive') return '422 ACCOUNT_NOT_ACTIVE';
    if (delta < 0 && availableOf(this.line(id, line)) < -delta) return '422 INSUFFICIENT_FUNDS';
    this.move(id, line, 'adjustment', delta);
    return 'ok';
  }

  suspend(id: string): Outcome {
    if (this.account(id).state !== 'active') return '422 ACCOUNT_NOT_ACTIVE';
    this.account(id).state = 'on-hold';
    return 'ok';
  }

  close(id: string, release: boolean): Outcome {
    const account = this.account(id);
    if (account.state === 'inactive') return '422 ACCOUNT_NOT_ACTIVE';
    const open = this.claims.filter(({ holds }) => holds.some((hold) => hold.account === id && hold.committed > 0));
    if (open.some((claim) => !release || !claim.commitment || claim.on !== id)) return '409 OUTSTANDING_CLAIMS';
    for (const claim of open.sort((a, b) => byId(a.id, b.id))) this.cancel(claim);
    for (const line of account.lines) if (availableOf(line) > 0) this.take(id, line.id, availableOf(line));
    account.state = 'inactive';
    return 'ok';
  }

  reopen(id: string): Outcome {
    const account = this.account(id);
    if (account.state === 'active') return '422 ACCOUNT_NOT_ACTIVE';
    if (account.state === 'inactive') {
      for (const { line, amount } of account.taken) this.move(id, line, 'adjustment', amount);
      account.taken = [];
    }
    account.state = 'active';
    return 'ok';
  }

  join(id: string): Outcome {
    const account = this.account(id);
    if (account.joined) return '422';
    if (account.state !== 'active') return '422 ACCOUNT_NOT_ACTIVE';
    account.joined = true;
    return 'ok';
  }

  leave(id: string): Outcome {
    const account = this.account(id);
    if (!account.joined) return '422';
    if (this.claims.some(({ on, holds }) => on === this.joint && holds.some((hold) => hold.account === id && hold.committed > 0))) return '409 OUTSTANDING_CLAIMS';
    account.joined = false;
    return 'ok';
  }

  /** Bought and not given back, and what of it is paid: of all purchases that are active. */
  spend(): { readonly net: number; readonly paid: number } {
    const holds = this.claims.filter(({ commitment, status }) => !commitment && status === 'active').flatMap((claim) => claim.holds);
    return { net: sum(holds.map(({ committed, paid, refunded }) => committed + paid - refunded)), paid: sum(holds.map(({ paid, refunded }) => paid - refunded)) };
  }

  account(id: string): Account {
    const found = this.accounts.get(id);
    if (!found) throw new Error(`no account ${id}`);
    return found;
  }

  /** The budgets in the joint one. */
  parts(): readonly Account[] {
    return [...this.accounts.values()].filter(({ joined }) => joined).sort((a, b) => byId(a.id, b.id));
  }

  private line(id: string, line: string): Line {
    const found = this.account(id).lines.find((one) => one.id === line);
    if (!found) throw new Error(`no line ${line}`);
    return found;
  }

  private release(hold: Hold, amount: number): void {
    if (amount === 0) return;
    hold.committed -= amount;
    this.move(hold.account, hold.line, 'release', amount);
  }

  /** Goes back to who granted it, until the budget is opened again. */
  private take(id: string, line: string, amount: number): void {
    this.move(id, line, 'clawback', amount);
    this.account(id).taken.push({ line, amount });
  }

  private move(id: string, line: string, kind: string, amount: number): void {
    const sums = this.line(id, line);
    if (kind === 'allocation' || kind === 'adjustment' || kind === 'transfer-in') sums.allocated += amount;
    if (kind === 'transfer-out' || kind === 'clawback') sums.allocated -= amount;
    if (kind === 'commit') sums.committed += amount;
    if (kind === 'release' || kind === 'spend') sums.committed -= amount;
    if (kind === 'spend') sums.spent += amount;
    if (kind === 'refund') sums.spent -= amount;
    this.account(id).rows.push({ kind, line, amount, balance: this.available(id) });
  }
}

function takesOf({ holds }: Claim, total: number, final: boolean): readonly Take[] {
  const reserved = sum(holds.map(({ committed }) => committed));
  if (reserved === 0) return [];
  const used = parted(Math.min(reserved, total), holds.map(({ committed }) => committed));
  return holds.map((hold, index) => ({ hold, used: used[index] ?? 0, back: final ? hold.committed - (used[index] ?? 0) : 0 }));
}

function fromLines({ id, lines }: Account, amount: number): readonly Share[] {
  let rest = amount;
  return lines.flatMap((line) => {
    const taken = Math.min(rest, Math.max(0, availableOf(line)));
    rest -= taken;
    return taken === 0 ? [] : [{ account: id, line: line.id, amount: taken }];
  });
}

function merged(shares: readonly Share[]): readonly Share[] {
  const lines = new Map<string, Share>();
  for (const one of shares) {
    const key = `${one.account} ${one.line}`;
    lines.set(key, { ...one, amount: one.amount + (lines.get(key)?.amount ?? 0) });
  }
  return [...lines].filter(([, { amount }]) => amount > 0).sort(([a], [b]) => byId(a, b)).map(([, share]) => share);
}
