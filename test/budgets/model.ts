// The rules of money on budgets, written a second time and on their own: which acts are taken, which are refused and how, and what every
// figure is afterwards. Nothing here is shared with the code that keeps the ledger. All amounts are pence.
import { byId, divided, fromLines, merged, sum, type DrawPolicy, type Share } from './model-split.js';
import {
  availableOf, CALM, changes, EFFECTS, heldOf, holdOf, INSUFFICIENT, movableOf, NOT_ACTIVE, released, sameLine, sameNets, takesOf, totalOf, UNALLOCATED,
  type Account, type Claim, type Judged, type Line, type Movement, type Notice, type Outcome, type Said, type Take,
} from './model-state.js';
import { parted } from './resource-sums.js';

export class Model {
  readonly accounts = new Map<string, Account>();
  readonly claims: Claim[] = [];
  readonly notices: Notice[] = [];
  private joins = 0;

  constructor(readonly joint: string, readonly drawPolicy: DrawPolicy) {}

  open({ id, policy, funding }: Pick<Account, 'id' | 'policy' | 'funding'>, lines: readonly { readonly id: string; readonly model: string; readonly amount: number }[]): void {
    const nothing = { allocated: 0, committed: 0, spent: 0, disbursed: 0 };
    this.accounts.set(id, { id, policy, funding, state: 'active', joined: undefined, lines: lines.map((line) => ({ ...nothing, id: line.id, model: line.model })), rows: [], taken: [] });
    for (const { id: line, amount } of lines) this.move({ account: id, line, kind: 'allocation', amount });
  }

  available(id: string): number {
    return sum(this.account(id).lines.map(availableOf));
  }

  /** A new purchase, kept where it is taken. */
  buy(claim: Pick<Claim, 'id' | 'on' | 'commitment' | 'fulfils'>, said: Said): Outcome {
    const fresh: Claim = { ...claim, items: [], status: 'draft', overspent: false, holds: [] };
    const outcome = this.record(fresh, said, false);
    if (outcome.startsWith('ok')) this.claims.push(fresh);
    return outcome;
  }

  /** The purchase says something else than before; a draft may become active. */
  amend(claim: Claim, said: Said): Outcome {
    return this.record(claim, said, false);
  }

  approve(claim: Claim): Outcome {
    return this.record(claim, { items: claim.items, line: claim.line, status: 'active' }, true);
  }

  reject(claim: Claim): Outcome {
    claim.status = 'cancelled';
    return 'ok';
  }

  private record(claim: Claim, said: Said, approving: boolean): Outcome {
    const was = claim.status === 'active';
    const { fulfils } = claim;
    const begins = said.status === 'active' && !was;
    if (begins && fulfils && fulfils.claim.status !== 'active') return '422';
    const takes = begins && fulfils ? takesOf(fulfils.claim, totalOf(said), fulfils.final) : was && fulfils ? takesOf(fulfils.claim, Math.max(0, totalOf(said) - totalOf(claim)), false) : [];
    const onJoint = claim.on === this.joint;
    const same = was && totalOf(said) === totalOf(claim) && said.line === claim.line;
    const judged = onJoint ? CALM : this.judge(claim, said, takes, { approving, same });
    const shares = onJoint ? this.joined(claim, said, takes, same) : [{ account: claim.on, line: said.line ?? '', amount: totalOf(said) }];
    if (typeof shares === 'string') return shares;
    const stays = said.status === 'draft' || judged.awaits;
    const refused = this.lifecycle(claim, same && sameNets(claim, said), same);
    if (refused) return refused;
    if (!stays && !same) {
      const movements = [...takes.map(released('used')), ...changes(claim, shares), ...takes.map(released('back')), ...this.givenBack(claim, said, shares)].filter(({ amount }) => amount > 0);
      if (!this.covered(movements, judged.overdraw)) return INSUFFICIENT;
      for (const movement of movements) this.move(movement);
    }
    Object.assign(claim, { items: said.items, line: said.line, status: stays ? 'draft' : 'active', overspent: !stays && judged.overspent });
    return stays ? 'ok draft' : judged.overspent ? 'ok overspent' : 'ok';
  }

  /** What a purchase that becomes cheaper gives back to its commitment: so that this reserves its total less what all that ever fulfilled it came to. */
  private givenBack(claim: Claim, said: Said, shares: readonly Share[]): readonly Movement[] {
    const less = claim.status === 'active' ? totalOf(claim) - totalOf(said) : 0;
    const { claim: commitment } = claim.fulfils ?? {};
    if (!commitment || less <= 0 || commitment.status !== 'active' || shares.some((share) => !claim.holds.some(sameLine(share)))) return [];
    const uses = this.claims.filter(({ fulfils, holds }) => fulfils?.claim === commitment && holds.length > 0);
    if (uses.some(({ fulfils }) => fulfils?.final)) return [];
    const reserves = Math.max(0, totalOf(commitment) - sum(uses.map(totalOf)) + less);
    const back = Math.min(less, reserves - sum(commitment.holds.map(({ committed }) => committed)));
    const freed = claim.holds.filter((hold) => commitment.holds.some(sameLine(hold))).map(({ account, line, committed }) => ({ account, line, amount: committed - sum(shares.filter(sameLine({ account, line })).map(({ amount }) => amount)) }));
    const parts = parted(Math.min(back, sum(freed.map(({ amount }) => amount))), freed.map(({ amount }) => amount));
    return freed.map((place, index) => ({ ...place, kind: 'commit', amount: parts[index] ?? 0, claim: commitment }));
  }

  /** By the budget's policy; what was bought on a direct payment is bought. */
  private judge(claim: Claim, { line = '', items, status }: Said, takes: readonly Take[], { approving, same }: { approving: boolean; same: boolean }): Judged {
    const { policy } = this.account(claim.on);
    const on = this.line(claim.on, line);
    if (status === 'draft' || (policy === 'block' && on.model !== 'direct-payment')) return CALM;
    const overdraw = (on.model === 'direct-payment' && !claim.commitment) || policy === 'warn' || approving;
    if (same) return { overdraw, awaits: false, overspent: claim.overspent };
    const has = sum(claim.holds.filter((hold) => hold.line === line).map(({ committed, paid }) => committed + paid));
    const given = sum(takes.filter(({ hold }) => hold.line === line).map(({ used, back }) => used + back));
    const needed = totalOf({ items }) - has - given;
    const short = needed > 0 && needed > availableOf(on);
    return { overdraw, awaits: short && !overdraw && policy === 'approve' && claim.status === 'draft', overspent: short && overdraw };
  }

  /** What was reserved stays where it was; the rest is found by the draw policy. */
  private joined(claim: Claim, said: Said, takes: readonly Take[], same: boolean): readonly Share[] | Outcome {
    const pots = this.parts();
    const empty = pots.length === 0;
    if (said.status === 'draft') return empty ? '422' : [];
    if (same) return claim.holds.map(({ account, line, committed, paid }) => ({ account, line, amount: committed + paid }));
    if (empty) return '422';
    if (pots.some(({ state }) => state !== 'active')) return '409 ACCOUNT_NOT_ACTIVE';
    const total = totalOf(said);
    const had = claim.status === 'active' ? claim.holds.map(({ account, line, committed, paid }) => ({ account, line, amount: committed + paid })) : [];
    const reserved = merged([...had, ...takes.map(({ hold: { account, line }, used }) => ({ account, line, amount: used }))]);
    const whole = sum(reserved.map(({ amount }) => amount));
    const stay = parted(Math.min(total, whole), reserved.map(({ amount }) => amount));
    const kept = reserved.map((share, index) => ({ ...share, amount: stay[index] ?? 0 }));
    const rest = total - Math.min(total, whole);
    if (rest === 0) return merged(kept);
    const sources = pots.map(({ id, funding, joined = 0, lines }) => ({
      id, funding, place: joined, lines: lines.filter((line) => line.id !== UNALLOCATED && availableOf(line) > 0).map((line) => ({ id: line.id, available: availableOf(line) })),
    }));
    const found = divided(this.drawPolicy, rest, sources, said.items);
    return typeof found === 'string' ? found : merged([...kept, ...sources.flatMap((pot) => fromLines(pot, found.get(pot.id) ?? 0))]);
  }

  private lifecycle(claim: Claim, sameItems: boolean, same: boolean): Outcome | undefined {
    const state = claim.on === this.joint ? 'active' : this.account(claim.on).state;
    if (claim.status !== 'active') return state === 'active' ? undefined : NOT_ACTIVE;
    if (sum(claim.holds.map(({ paid }) => paid)) > 0) return sameItems ? undefined : '422 FORBIDDEN_UPDATE';
    if (same) return undefined;
    // What a purchase has taken over of it is gone from what it reserves.
    if (sum(claim.holds.map(({ committed }) => committed)) !== totalOf(claim)) return '422 FORBIDDEN_UPDATE';
    return state === 'active' ? undefined : NOT_ACTIVE;
  }

  /** No line goes below zero, or further below, that may not. */
  private covered(movements: readonly Movement[], overdraw: boolean): boolean {
    const deltas = new Map<Line, number>();
    for (const { account, line, kind, amount } of movements) {
      const on = this.line(account, line);
      deltas.set(on, (deltas.get(on) ?? 0) + (kind === 'release' ? amount : -amount));
    }
    return overdraw || [...deltas].every(([line, delta]) => delta >= 0 || availableOf(line) + delta >= 0);
  }

  pay(claim: Claim, amount: number, notice: string): Outcome {
    if (claim.commitment || claim.status !== 'active') return '422';
    if (claim.holds.some((hold) => this.account(hold.account).state !== 'active')) return NOT_ACTIVE;
    const due = sum(claim.holds.map(({ committed }) => committed));
    // Beyond what its lines could ever pay there is a word for it.
    if (amount > due) return due > 0 && amount > due + sum(claim.holds.map(({ account, line }) => availableOf(this.line(account, line)))) ? INSUFFICIENT : '422';
    const parts = parted(amount, claim.holds.map(({ committed }) => committed));
    const made = claim.holds.map((hold, index) => ({ hold, amount: parts[index] ?? 0, refunded: 0 })).filter((part) => part.amount > 0);
    for (const { hold: { account, line }, amount: part } of made) this.move({ account, line, kind: 'spend', amount: part, claim });
    this.notices.push({ id: notice, claim, parts: made });
    return 'ok';
  }

  refund({ parts, claim }: Notice, amount: number): Outcome {
    const left = parts.map((part) => part.amount - part.refunded);
    if (amount > sum(left)) return '422 REFUND_EXCEEDS_PAYMENT';
    const shares = parted(amount, left);
    const back = parts.map((part, index) => ({ part, pence: shares[index] ?? 0 })).filter(({ pence }) => pence > 0);
    for (const { part, pence } of back) {
      part.refunded += pence;
      this.move({ account: part.hold.account, line: part.hold.line, kind: 'refund', amount: pence, claim });
    }
    for (const { part: { hold }, pence } of back) if (this.account(hold.account).state === 'inactive') this.take(hold.account, hold.line, pence);
    return 'ok';
  }

  cancel(claim: Claim): Outcome {
    if (claim.holds.some(({ paid, refunded }) => paid > refunded)) return '409';
    for (const { account, line, committed } of claim.holds) if (committed > 0) this.move({ account, line, kind: 'release', amount: committed, claim });
    claim.status = 'cancelled';
    return 'ok';
  }

  /** An instalment to the holder: all that is ever handed out is at most what the line was granted. */
  advance(id: string, line: string, amount: number): Outcome {
    const on = this.line(id, line);
    if (this.account(id).state !== 'active') return NOT_ACTIVE;
    if (on.model !== 'direct-payment') return '422';
    if (amount > Math.max(0, on.allocated - on.disbursed)) return INSUFFICIENT;
    this.move({ account: id, line, kind: 'advance', amount });
    return 'ok';
  }

  /** Cash in hand comes back; of an open budget it is granted no more. */
  clawback(id: string, line: string, amount: number): Outcome {
    const on = this.line(id, line);
    const open = this.account(id).state !== 'inactive';
    if (on.model !== 'direct-payment') return '422';
    if (amount > heldOf(on)) return INSUFFICIENT;
    if (open && availableOf(on) < amount) return INSUFFICIENT;
    on.disbursed -= amount;
    this.move({ account: id, line, kind: open ? 'clawback' : 'clawback of cash', amount });
    return 'ok';
  }

  transfer(id: string, from: string, to: string, amount: number): Outcome {
    if (this.account(id).state === 'inactive') return NOT_ACTIVE;
    if (movableOf(this.line(id, from)) < amount) return INSUFFICIENT;
    this.move({ account: id, line: from, kind: 'transfer-out', amount });
    this.move({ account: id, line: to, kind: 'transfer-in', amount });
    return 'ok';
  }

  /** Divides all that was granted anew; what no line gets is kept apart. */
  assign(id: string, wanted: readonly { readonly line: string; readonly amount: number }[]): Outcome {
    const { state, lines } = this.account(id);
    if (state === 'inactive') return NOT_ACTIVE;
    const granted = sum(lines.map(({ allocated }) => allocated));
    const over = granted - sum(wanted.map(({ amount }) => amount));
    if (over < 0) return '422 ALLOCATION_EXCEEDED';
    const all = over > 0 ? [...wanted, { line: UNALLOCATED, amount: over }] : wanted;
    const loses = lines.map((line) => ({ line, amount: line.allocated - (all.find((one) => one.line === line.id)?.amount ?? 0) })).filter(({ amount }) => amount > 0);
    if (loses.some(({ line, amount }) => movableOf(line) < amount)) return INSUFFICIENT;
    if (over > 0 && !lines.some((line) => line.id === UNALLOCATED)) lines.push({ id: UNALLOCATED, model: UNALLOCATED, allocated: 0, committed: 0, spent: 0, disbursed: 0 });
    const gains = all.map(({ line, amount }) => ({ line, amount: amount - this.line(id, line).allocated })).filter(({ amount }) => amount > 0);
    for (const { line, amount } of loses) this.move({ account: id, line: line.id, kind: 'transfer-out', amount });
    for (const { line, amount } of gains) this.move({ account: id, line, kind: 'transfer-in', amount });
    return 'ok';
  }

  adjust(id: string, line: string, delta: number): Outcome {
    if (this.account(id).state === 'inactive') return NOT_ACTIVE;
    if (delta < 0 && movableOf(this.line(id, line)) < -delta) return INSUFFICIENT;
    this.move({ account: id, line, kind: 'adjustment', amount: delta });
    return 'ok';
  }

  suspend(id: string): Outcome {
    if (this.account(id).state !== 'active') return NOT_ACTIVE;
    this.account(id).state = 'on-hold';
    return 'ok';
  }

  /** Lines that were overspent are paid for by the others, and what is left goes back. */
  close(id: string, release: boolean): Outcome {
    const account = this.account(id);
    if (account.state === 'inactive') return NOT_ACTIVE;
    const open = this.claims.filter(({ holds }) => holds.some((hold) => hold.account === id && hold.committed > 0));
    if (open.some((claim) => !release || !claim.commitment || claim.on !== id)) return '409 OUTSTANDING_CLAIMS';
    const free = sum(open.flatMap(({ holds }) => holds.map(({ committed }) => committed)));
    if (this.available(id) + free < 0) return '422';
    for (const claim of open.sort((a, b) => byId(a.id, b.id))) this.cancel(claim);
    const left = account.lines.map((line) => ({ line: line.id, amount: availableOf(line) }));
    let owed = -sum(left.map(({ amount }) => Math.min(0, amount)));
    const covers = left.map(({ line, amount }) => {
      const part = Math.min(Math.max(0, amount), owed);
      owed -= part;
      return { line, part, back: Math.max(0, amount) - part };
    });
    for (const { line, part } of covers) if (part > 0) this.move({ account: id, line, kind: 'transfer-out', amount: part });
    for (const { line, amount } of left) if (amount < 0) this.move({ account: id, line, kind: 'transfer-in', amount: -amount });
    for (const { line, back } of covers) if (back > 0) this.take(id, line, back);
    account.state = 'inactive';
    return 'ok';
  }

  reopen(id: string): Outcome {
    const account = this.account(id);
    if (account.state === 'active') return NOT_ACTIVE;
    if (account.state === 'inactive') {
      for (const { line, amount } of account.taken) this.move({ account: id, line, kind: 'adjustment', amount });
      account.taken = [];
    }
    account.state = 'active';
    return 'ok';
  }

  join(id: string): Outcome {
    const account = this.account(id);
    if (account.joined !== undefined) return '422';
    if (account.state !== 'active') return NOT_ACTIVE;
    account.joined = this.joins += 1;
    return 'ok';
  }

  leave(id: string): Outcome {
    const account = this.account(id);
    if (account.joined === undefined) return '422';
    if (this.claims.some(({ on, holds }) => on === this.joint && holds.some((hold) => hold.account === id && hold.committed > 0))) return '409 OUTSTANDING_CLAIMS';
    account.joined = undefined;
    return 'ok';
  }

  /** Bought on this budget and not given back, and what of it is paid, by category: each purchase's money parted by what its items cost. */
  spend(id: string): ReadonlyMap<string, { readonly net: number; readonly paid: number }> {
    const found = new Map<string, { net: number; paid: number }>();
    for (const { items, holds } of this.claims.filter(({ commitment, status }) => !commitment && status === 'active')) {
      const own = holds.filter(({ account }) => account === id);
      const nets = items.map(({ net }) => net);
      const [net, paid] = [own.map((hold) => hold.committed + hold.paid - hold.refunded), own.map((hold) => hold.paid - hold.refunded)].map((all) => parted(sum(all), nets));
      for (const [index, { category = 'uncategorised' }] of items.entries()) for (const key of [category, 'total']) {
        const before = found.get(key) ?? { net: 0, paid: 0 };
        found.set(key, { net: before.net + (net?.[index] ?? 0), paid: before.paid + (paid?.[index] ?? 0) });
      }
    }
    return found;
  }

  account(id: string): Account {
    const found = this.accounts.get(id);
    if (!found) throw new Error(`no account ${id}`);
    return found;
  }

  /** The budgets in the joint one. */
  parts(): readonly Account[] {
    return [...this.accounts.values()].filter(({ joined }) => joined !== undefined).sort((a, b) => byId(a.id, b.id));
  }

  private line(id: string, line: string): Line {
    const found = this.account(id).lines.find((one) => one.id === line);
    if (!found) throw new Error(`no line ${line}`);
    return found;
  }

  /** Goes back to who granted it, until the budget is opened again. */
  private take(id: string, line: string, amount: number): void {
    this.move({ account: id, line, kind: 'clawback', amount });
    this.account(id).taken.push({ line, amount });
  }

  private move({ account, line, kind, amount, claim }: Movement): void {
    const sums = this.line(account, line);
    for (const [sumName, sign] of EFFECTS[kind] ?? []) sums[sumName] += sign * amount;
    if (claim) {
      const hold = holdOf(claim, account, line);
      if (kind === 'commit') hold.committed += amount;
      if (kind === 'release' || kind === 'spend') hold.committed -= amount;
      if (kind === 'spend') hold.paid += amount;
      if (kind === 'refund') hold.refunded += amount;
    }
    this.account(account).rows.push({ kind: kind === 'clawback of cash' ? 'clawback' : kind, line, amount, balance: this.available(account) });
  }
}
