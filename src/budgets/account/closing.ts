// What closing a budget settles: what is still outstanding on it, what goes back to who granted it, and what came of it when it is opened
// again (domain.md 3.8 rule 10, rulings 38 and 47).
import type { Queryable } from '../../db/database.js';
import { poundsText } from '../../fhir/decimal.js';
import { fail } from '../../fhir/errors.js';
import { availableOf, type Posting } from '../ledger/postings.js';
import type { Budget } from '../ledger/totals.js';

/** A Claim with money reserved on the budget; amounts in pence. */
export interface Outstanding {
  readonly claim: string;
  readonly committed: bigint;
}

const OUTSTANDING = {
  name: 'closing-outstanding',
  text: 'select claim, sum(committed)::text as committed from fhir.claim_commitment where account = $1 and committed > 0 group by claim order by claim',
};

/** Unpaid purchases and open commitments of the budget, which is locked. */
export async function outstandingOn(db: Queryable, account: string): Promise<readonly Outstanding[]> {
  const { rows } = await db.query<{ claim: string; committed: string }>({ ...OUTSTANDING, values: [account] });
  return rows.map(({ claim, committed }) => ({ claim, committed: BigInt(committed) }));
}

export type Movement = Omit<Posting, 'id' | 'account' | 'provenance'>;

/**
 * What leaves every line with nothing available: the other lines pay for those that were overspent, and the rest goes back. Throws 422 where
 * that is not enough. Nothing may be reserved any more; what holders have of their advances stays with them, as a debt.
 */
export function closingMovements({ lines }: Budget): Movement[] {
  const available = lines.map((line) => ({ line: line.line, pence: availableOf(line) }));
  const missing = available.filter(({ pence }) => pence < 0n);
  let owed = missing.reduce((sum, { pence }) => sum - pence, 0n);
  const out: Movement[] = [];
  const back: Movement[] = [];
  for (const { line, pence } of available.filter((one) => one.pence > 0n)) {
    const covered = pence < owed ? pence : owed;
    owed -= covered;
    if (covered > 0n) out.push({ line, kind: 'transfer-out', amount: covered });
    if (pence > covered) back.push({ line, kind: 'clawback', of: 'unspent', amount: pence - covered });
  }
  if (owed > 0n) throw fail('business-rule', { text: `The budget is overspent by £${poundsText(owed)}: grant that with Account/$adjust-allocation, or bring it back with PaymentNotice/$refund, before you close it` });
  return [...out, ...missing.map(({ line, pence }) => ({ line, kind: 'transfer-in', amount: -pence }) as const), ...back];
}

/** What each line that moves is granted afterwards. */
export function grantedAfter({ lines }: Budget, movements: readonly Movement[]): Map<string, bigint> {
  const granted = new Map<string, bigint>();
  for (const { line, kind, amount } of movements) {
    const before = granted.get(line) ?? lines.find((one) => one.line === line)?.allocated ?? 0n;
    granted.set(line, kind === 'transfer-out' || kind === 'clawback' ? before - amount : before + amount);
  }
  return granted;
}

// A clawback of held cash has a notice; one that was given back already has a row that reverses it.
const TAKEN = {
  name: 'closing-taken',
  text: `select e.id, e.line, e.amount::text from fhir.ledger e where e.account = $1 and e.kind = 'clawback' and e.notice is null
    and not exists (select from fhir.ledger r where r.account = e.account and r.reverses = e.id) order by e.number`,
};

/** The adjustments that give back what closing took. */
export async function reopeningMovements(db: Queryable, account: string): Promise<Movement[]> {
  const { rows } = await db.query<{ id: string; line: string; amount: string }>({ ...TAKEN, values: [account] });
  return rows.map(({ id, line, amount }) => ({ line, kind: 'adjustment', amount: BigInt(amount), reverses: id }));
}
