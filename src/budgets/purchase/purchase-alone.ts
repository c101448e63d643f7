// The rows of a new purchase that needs no transaction: its identifiers, and the money that it reserves, stored by the statement that stores the
// Claim. The same movement as `post` makes of one commit; where its line has not enough, or its budget is not active, the ledger's row has no
// number, and NOT NULL refuses the whole (domain.md ruling 12).
import type { Resource } from '../../fhir/resource.js';
import type { WriteContext } from '../../store/rule.js';
import { NeedsTransaction } from '../../store/look-only.js';
import type { Beside } from '../../store/store.js';
import { availableOf } from '../ledger/postings.js';
import { keysOf, takingKeys } from './purchase-keys.js';
import type { Budget, BudgetLine } from '../ledger/totals.js';

export interface BoughtAlone {
  /** The Claim. */
  readonly after: Resource;
  readonly budget: Budget;
  readonly line: BudgetLine | undefined;
  /** Pence that it reserves; undefined for a draft. */
  readonly amount: bigint | undefined;
}

/** Throws NeedsTransaction for what is decided under the lock of its budget: what may overdraw it, or is going to be refused. */
export function requireAlone({ budget, line, amount }: Omit<BoughtAlone, 'after'>): void {
  if (amount === undefined) return;
  if (budget.kind !== 'phb' || !line || line.mayOverdraw || availableOf(line) < amount) throw new NeedsTransaction();
}

/** Undefined where the purchase has no rows of its own. */
export function besideAlone({ after, budget, line, amount }: BoughtAlone, { newId, caller, now }: Pick<WriteContext, 'newId' | 'caller' | 'now'>): Beside | undefined {
  const keys = keysOf(after);
  if (amount === undefined || !line) return keys.length === 0 ? undefined : { name: 'keys', text: (first) => takingKeys(`$${first}`, `$${first + 1}`), values: [keys, after.id] };
  return { name: 'bought', parts: moneyParts, text: (first) => takingKeys(`$${first}`, `$${first + 1}`), values: [keys, after.id, budget.account, line.line, String(amount), now, newId(), caller.subject, caller.role, caller.organization ?? null] };
}

// The keys come last in the text, and PostgreSQL runs such parts from the last to the first: they are taken before the budget, as in a transaction.
function moneyParts(first: number): readonly string[] {
  const [, claim, account, line, amount, now, id, actor, role, organization] = ['text[]', 'text', 'text', 'text', 'bigint', 'bigint', 'text', 'text', 'text', 'text'].map((type, index) => `$${first + index}::${type}`);
  return [
    `bought_budget as (update fhir.budget_account b set committed = b.committed + ${amount}, entries = b.entries + 1, posted = greatest(b.posted, ${now})
      where b.account = ${account} and b.state = 'active' and b.kind = 'phb'
      returning b.allocated - b.committed - b.spent as available, b.entries as number, b.posted)`,
    `bought_line as (update fhir.budget_line l set committed = l.committed + ${amount} from bought_budget
      where l.account = ${account} and l.line = ${line} and not l.ended and l.allocated - l.committed - l.spent >= ${amount}
      returning l.line)`,
    `bought_claim as (insert into fhir.claim_commitment (account, claim, line, committed) values (${account}, ${claim}, ${line}, ${amount}))`,
    `bought_entry as (insert into fhir.ledger (account, id, line, kind, amount, allocated, committed, spent, disbursed, number, at, available_after, actor, role, organization, claim)
      values (${account}, ${id}, ${line}, 'commit', ${amount}, 0, ${amount}, 0, 0, (select number from bought_budget where exists (select from bought_line)),
        (select posted from bought_budget), (select available from bought_budget), ${actor}, ${role}, ${organization}, ${claim}))`,
  ];
}
