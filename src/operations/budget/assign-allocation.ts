// Account/$assign-allocation: what was granted is divided anew over lines; what is left over is the line `unallocated` (rulings 11, 39, 49).
import { ALLOCATION, businessError } from '../../budgets/codes.js';
import { checkMovable, lineOf } from '../../budgets/account/line-change.js';
import { isAllocation } from '../../budgets/account/lines.js';
import { moneyOf } from '../../budgets/ledger/money.js';
import { sumOf } from '../../budgets/ledger/shares.js';
import { ensureUnallocated, UNALLOCATED } from '../../budgets/account/register.js';
import type { Budget, BudgetLine } from '../../budgets/ledger/totals.js';
import { poundsText } from '../../fhir/decimal.js';
import { fail } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import { grantAct, type Decision } from './grant-act.js';
import { AT, readInput, type Input, type InputNames } from '../input.js';
import { actOn, type Operation } from '../operation.js';

const NAMES: InputNames = { line: 'part*', reason: 'text', proposal: 'Reference' };
const LINE_NAMES: InputNames = { lineId: 'text', model: 'text', amount: 'Money', holder: 'Reference', consent: 'Reference', purpose: 'text', activityId: 'text*' };

/** A line as it shall be. */
interface Assigned {
  readonly lineId: string;
  readonly amount: bigint;
  readonly extension: object;
}

export function createAssignAllocationOperation({ validate }: { readonly validate: (resource: Resource) => readonly Issue[] }): Operation {
  return actOn('Account', 'assign-allocation', (request, context) => {
    const input = readInput(request, NAMES, validate);
    const lines = input.groups('line', LINE_NAMES);
    if (lines.length === 0) throw fail('required', { text: '$assign-allocation needs line, once for each line the budget shall have', expression: AT });
    return grantAct('assign-allocation', request, context, { reason: input.text('reason'), proposal: input.reference('proposal') }, async (account, budget, inside) => {
      const assigned = lines.map((line) => assignedOf(line, budget, inside.parts.newId));
      const movements = movementsOf(assigned, budget);
      if (movements.some(({ line }) => line === UNALLOCATED)) await ensureUnallocated(inside.tx.db, account.id);
      const others = (account.resource['extension'] as JsonObject[]).filter((extension) => !isAllocation(extension));
      return { extension: [...assigned.map(({ extension }) => extension), ...others], movements };
    });
  });
}

function assignedOf(line: Input, budget: Budget, newId: () => string): Assigned {
  const amount = line.pence('amount');
  const model = line.text('model');
  if (amount === undefined || amount <= 0n || model === undefined) throw fail('required', { text: 'A line needs model, and amount, a Money above 0', expression: AT });
  const kept = line.has('lineId') ? lineOf(budget, line.text('lineId')) : undefined;
  if (kept) refuseOtherModel(kept, model);
  const lineId = kept?.line ?? newId();
  const [holder, consent, purpose] = [line.value('holder'), line.value('consent'), line.text('purpose')];
  const extension = [
    { url: 'lineId', valueId: lineId }, { url: 'model', valueCode: model },
    ...(holder ? [{ url: 'holder', valueReference: holder }] : []),
    { url: 'amount', valueMoney: moneyOf(amount) },
    ...(purpose === undefined ? [] : [{ url: 'purpose', valueString: purpose }]),
    ...line.texts('activityId').map((valueId) => ({ url: 'activityId', valueId })),
    ...(consent ? [{ url: 'consent', valueReference: consent }] : []),
  ];
  return { lineId, amount, extension: { url: ALLOCATION, extension } };
}

/** Money that was used was used under the old model. */
function refuseOtherModel({ line, model, committed, spent, disbursed }: BudgetLine, wanted: string): void {
  if (line === UNALLOCATED) throw fail('business-rule', { text: `${UNALLOCATED} is what no line has: leave it out`, expression: AT });
  if (model === wanted || (committed === 0n && spent === 0n && disbursed === 0n)) return;
  throw fail('business-rule', { text: `Money of line ${line} was used as ${model}: keep it so, and send the rest as a line without lineId`, expression: AT });
}

/** What each line loses, then what each gains; only what was not used moves. */
function movementsOf(assigned: readonly Assigned[], budget: Budget): Decision['movements'] {
  const total = sumOf(assigned);
  if (total > budget.allocated) {
    throw fail('business-rule', { text: `The lines come to £${poundsText(total)}, and £${poundsText(budget.allocated)} was granted`, expression: AT, coding: businessError('ALLOCATION_EXCEEDED') });
  }
  const wanted = new Map(assigned.map(({ lineId, amount }) => [lineId, amount]));
  if (wanted.size < assigned.length) throw fail('invalid', { text: 'Two lines have the same lineId', expression: AT });
  if (total < budget.allocated) wanted.set(UNALLOCATED, budget.allocated - total);
  const out = budget.lines.flatMap((line) => {
    const amount = line.allocated - (wanted.get(line.line) ?? 0n);
    if (amount <= 0n) return [];
    checkMovable(budget.account, line, amount);
    return [{ line: line.line, kind: 'transfer-out', amount } as const];
  });
  const into = [...wanted].flatMap(([line, pence]) => {
    const amount = pence - (budget.lines.find((one) => one.line === line)?.allocated ?? 0n);
    return amount > 0n ? [{ line, kind: 'transfer-in', amount } as const] : [];
  });
  return [...out, ...into];
}
