// What happens to a purchase that its line does not cover: by the budget's policy it is refused, recorded with a warning or left as a draft
// until someone decides; what was bought with a direct payment is recorded whatever the policy (domain.md 3.8 rule 7, ruling 13).
import { poundsText } from '../../fhir/decimal.js';
import type { Issue } from '../../fhir/issue.js';
import type { Resource } from '../../fhir/resource.js';
import type { WriteContext } from '../../store/rule.js';
import { businessError } from '../codes.js';
import { takeFrom, type Fulfilment } from './fulfilment.js';
import { heldIn, lockHoldings } from '../ledger/holdings.js';
import { plannedIn } from './planned.js';
import { availableOf } from '../ledger/postings.js';
import { isCommitment, isOverspent } from './purchase.js';
import { lockBudgets, type Budget, type BudgetLine } from '../ledger/totals.js';

export interface Overspend {
  /** May the line go below zero through this purchase? */
  readonly overdraw: boolean;
  /** It would, and the budget has someone decide first. */
  readonly awaits: boolean;
  /** It does, and is recorded: with what is missing, in pence. Zero where it was recorded so before. */
  readonly missing?: bigint;
}

/** What was bought on a direct payment is bought. */
const isMade = (claim: Resource, { model }: BudgetLine): boolean => model === 'direct-payment' && !isCommitment(claim);

export interface Bought {
  readonly after: Resource;
  readonly budget: Budget;
  readonly line: BudgetLine;
  readonly fulfilled: readonly Fulfilment[];
  /** Was the version before active? */
  readonly wasActive: boolean;
  /** Pence: of it all, and of what it needs beyond what it had. */
  readonly total: bigint;
  readonly rise: bigint;
}

/** What stays as it is takes nothing, and is what it was. */
export const unchanged = (before: Resource | undefined, { mayOverdraw }: BudgetLine): Overspend => ({ overdraw: false, awaits: false, ...(mayOverdraw && isOverspent(before) && { missing: 0n }) });

/** Takes the budget's lock where the line may go below zero at all, since that is decided on what is there at this moment. */
export async function judgeOverspend(bought: Bought, context: WriteContext): Promise<Overspend> {
  const { after, budget, line, wasActive, total } = bought;
  if (!line.mayOverdraw) return { overdraw: false, awaits: false };
  const overdraw = isMade(after, line) || budget.policy === 'warn' || context.act === 'approve';
  const held = wasActive ? await heldOn(line, after, context) : 0n;
  const needed = total - held - givenBy(bought);
  const { lines } = plannedIn(context.tx);
  const earlier = lines.get(line.line) ?? 0n;
  const missing = needed > 0n ? needed + earlier - (await availableNow(bought, context)) : 0n;
  const awaits = missing > 0n && !overdraw && budget.policy === 'approve' && !wasActive;
  if (!awaits) lines.set(line.line, earlier + needed);
  return { overdraw, awaits, ...(missing > 0n && overdraw && { missing }) };
}

async function availableNow({ budget: { account }, line: { line } }: Bought, { tx }: WriteContext): Promise<bigint> {
  const found = (await lockBudgets(tx.db, [account])).get(account)?.lines.find((one) => one.line === line);
  return found ? availableOf(found) : 0n;
}

/** What the purchase has of the line already. */
async function heldOn({ line }: BudgetLine, { id = '' }: Resource, { tx }: WriteContext): Promise<bigint> {
  return (await lockHoldings(tx.db, id)).reduce((sum, one) => (one.line === line ? sum + heldIn(one) : sum), 0n);
}

/** What the commitments that it fulfils give back to the line. */
const givenBy = ({ fulfilled, rise, line: { line } }: Bought): bigint =>
  takeFrom(fulfilled, rise).reduce((sum, one) => (one.line === line ? sum + one.consumed + one.released : sum), 0n);

export function overspendWarning(line: BudgetLine, missing: bigint): Issue {
  return {
    severity: 'warning', code: 'business-rule', expression: 'Claim.total', coding: businessError('INSUFFICIENT_FUNDS'),
    text: `The purchase is recorded, and line ${line.line} is overspent by £${poundsText(missing)}: its commissioner is told`,
  };
}

export function approvalWarning(line: BudgetLine): Issue {
  return {
    severity: 'warning', code: 'business-rule', expression: 'Claim.status', coding: businessError('INSUFFICIENT_FUNDS'),
    text: `Line ${line.line} has £${poundsText(availableOf(line))} available, so the purchase is kept as a draft that reserves nothing, until Claim/$approve or $reject`,
  };
}
