// What each kind of movement does to the sums of a line (domain.md 3.8). available = allocated - committed - spent.

/** CodeSystem ledger-kind. */
export type LedgerKind = 'allocation' | 'adjustment' | 'transfer-in' | 'transfer-out' | 'commit' | 'release' | 'spend' | 'refund' | 'advance' | 'clawback';

/** The sums of a line or account, or what a movement changes of them; in pence. */
export interface Sums {
  readonly allocated: bigint;
  readonly committed: bigint;
  readonly spent: bigint;
  readonly disbursed: bigint;
}

/** What a clawback takes: money granted and not used; cash the holder has, of a closed budget; the same of an open one, whose grant then shrinks too (ruling 37). */
export type ClawbackOf = 'unspent' | 'held' | 'held-and-granted';

/** One movement of money on one line. Its row in the ledger says who, when and how much. */
export interface Posting {
  /** Id of the ledger row: `context.newId()`. */
  readonly id: string;
  /** Logical id of the Account: never of a joint budget, which has no lines. */
  readonly account: string;
  readonly line: string;
  readonly kind: LedgerKind;
  /** Pence, above zero; an adjustment may be below. */
  readonly amount: bigint;
  /** For clawback: required there. */
  readonly of?: ClawbackOf;
  /** The purchase has been made already: it may take a line below zero that may be overdrawn. */
  readonly overdraw?: boolean;
  /** Logical ids of what the movement belongs to. With a claim, its row in fhir.claim_commitment moves along. */
  readonly claim?: string | undefined;
  /** Claim.item.sequence. */
  readonly item?: number | undefined;
  readonly notice?: string | undefined;
  readonly provenance?: string | undefined;
  /** Id of the ledger row that this one takes back. */
  readonly reverses?: string | undefined;
}

export const NOTHING: Sums = { allocated: 0n, committed: 0n, spent: 0n, disbursed: 0n };

const EFFECTS: Readonly<Record<Exclude<LedgerKind, 'clawback'>, (amount: bigint) => Partial<Sums>>> = {
  allocation: (allocated) => ({ allocated }),
  adjustment: (allocated) => ({ allocated }),
  'transfer-in': (allocated) => ({ allocated }),
  'transfer-out': (amount) => ({ allocated: -amount }),
  commit: (committed) => ({ committed }),
  release: (amount) => ({ committed: -amount }),
  spend: (amount) => ({ committed: -amount, spent: amount }),
  refund: (amount) => ({ spent: -amount }),
  // An instalment to the holder is not spend: what the holder buys is.
  advance: (disbursed) => ({ disbursed }),
};

const CLAWED_BACK: Readonly<Record<ClawbackOf, (amount: bigint) => Partial<Sums>>> = {
  unspent: (amount) => ({ allocated: -amount }),
  held: (amount) => ({ disbursed: -amount }),
  'held-and-granted': (amount) => ({ disbursed: -amount, allocated: -amount }),
};

/** What a posting changes of its line. */
export function effectOf({ kind, amount, of }: Pick<Posting, 'kind' | 'amount' | 'of'>): Sums {
  if (amount === 0n || (amount < 0n && kind !== 'adjustment')) throw new Error(`a posting of kind ${kind} has the amount ${amount}`);
  if (kind !== 'clawback') return { ...NOTHING, ...EFFECTS[kind](amount) };
  if (of === undefined) throw new Error('a clawback says of what');
  return { ...NOTHING, ...CLAWED_BACK[of](amount) };
}

export function addSums(a: Sums, b: Sums): Sums {
  return { allocated: a.allocated + b.allocated, committed: a.committed + b.committed, spent: a.spent + b.spent, disbursed: a.disbursed + b.disbursed };
}

export const availableOf = ({ allocated, committed, spent }: Sums): bigint => allocated - committed - spent;
