// Granted amounts that an operation changes: in the Account that shows them, and in what of a line may go elsewhere.
import { fail } from '../../fhir/errors.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import { allocationsOf } from './account.js';
import { InsufficientFunds } from '../ledger/ledger-refusal.js';
import { moneyOf } from '../ledger/money.js';
import { availableOf } from '../ledger/postings.js';
import { UNALLOCATED } from './register.js';
import { heldByHolder, type Budget, type BudgetLine } from '../ledger/totals.js';

/** The Account's extensions with these lines granted these pence; the others stay as they are. */
export function extensionsGranting(account: Resource, granted: ReadonlyMap<string, bigint>): unknown[] {
  const extensions = account['extension'] as JsonObject[];
  const changed = new Map(allocationsOf(account).map(({ index, amountIndex, lineId }) => [index, { amountIndex, pence: granted.get(lineId ?? '') }]));
  return extensions.map((extension, index) => {
    const { amountIndex, pence } = changed.get(index) ?? {};
    if (pence === undefined) return extension;
    const parts = extension['extension'] as JsonObject[];
    return { ...extension, extension: parts.map((part, place) => (place === amountIndex ? { ...part, valueMoney: moneyOf(pence) } : part)) };
  });
}

/** The line that is named, or the only one; throws 422 where there is none. */
export function lineOf(budget: Budget, lineId: string | undefined): BudgetLine {
  const lines = budget.lines.filter(({ ended, line }) => !ended && line !== UNALLOCATED);
  const named = lineId === undefined ? undefined : budget.lines.find(({ line, ended }) => line === lineId && !ended);
  if (named) return named;
  const [only] = lines;
  if (only && lineId === undefined && lines.length === 1) return only;
  const list = budget.lines.filter(({ ended }) => !ended).map(({ line, model }) => `${line} (${model})`).join(', ');
  throw fail(lineId === undefined ? 'required' : 'business-rule', { text: `Name a line of this budget by its lineId: ${list}`, expression: 'Parameters.parameter' });
}

/** What of a line is neither reserved nor spent nor with its holder. */
export function movable(line: BudgetLine): bigint {
  const held = heldByHolder([line]);
  return availableOf(line) - (held > 0n ? held : 0n);
}

/** Throws 422 INSUFFICIENT_FUNDS where more than that is to be taken off. */
export function checkMovable(account: string, line: BudgetLine, pence: bigint): void {
  const most = movable(line);
  if (pence > most) throw new InsufficientFunds(account, line.line, pence, most > 0n ? most : 0n);
}
