// Which line of the budget a purchase is on: the one it names, or the only one there is (domain.md rulings 11 and 35).
import { poundsText } from '../../fhir/decimal.js';
import { fail } from '../../fhir/errors.js';
import type { Resource } from '../../fhir/resource.js';
import type { WriteContext } from '../../store/rule.js';
import { lineOf } from './purchase.js';
import { referred, speaksFor } from '../referred.js';
import { UNALLOCATED } from '../account/register.js';
import { availableOf } from '../ledger/postings.js';
import type { Budget, BudgetLine } from '../ledger/totals.js';

const EXPRESSION = 'Claim.extension';

/** Throws 422, listing the lines that the caller may use, where none is named and there are several, or none is of that name. */
export async function lineFor(after: Resource, before: Resource | undefined, budget: Budget, context: WriteContext): Promise<BudgetLine> {
  const named = lineOf(after) ?? lineOf(before);
  // A purchase stays on its line when the budget has been divided anew.
  const kept = named !== undefined && named === lineOf(before);
  const lines = await usable(budget.lines.filter(({ line, ended }) => line !== UNALLOCATED && (!ended || (kept && line === named))), context);
  const [only, second] = lines;
  if (named === undefined && only && !second) return only;
  const found = lines.find(({ line }) => line === named);
  if (found) return found;
  if (lines.length === 0) throw fail('reference-not-found', { text: 'The budget has no line for this purchase', expression: EXPRESSION });
  const list = lines.map((line) => `${line.line} (${line.model}, £${poundsText(availableOf(line))} available)`).join(', ');
  if (named === undefined) throw fail('required', { text: `The budget has several lines: say which in ext-allocation-id. They are ${list}`, expression: EXPRESSION });
  throw fail('reference-not-found', { text: `The budget has no line ${named}. There is ${list}`, expression: EXPRESSION });
}

/** Another's line is, to a third party, one that is not there. */
async function usable(lines: readonly BudgetLine[], context: WriteContext): Promise<readonly BudgetLine[]> {
  if (context.caller.role !== 'third-party') return lines;
  const own: BudgetLine[] = [];
  for (const line of lines) {
    if (line.holder?.startsWith('Organization/') && speaksFor(await referred(line.holder, ['Organization'], EXPRESSION, context), context)) own.push(line);
  }
  return own;
}
