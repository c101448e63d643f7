// The worklist's part of closing: holders who have cash of a closed budget owe it, and a Task asks the commissioner to claw it back
// (domain.md 3.8 rule 10, rulings 28 and 38).
import { moneyOf } from '../../budgets/ledger/money.js';
import { TASK_CODE } from '../../budgets/codes.js';
import { heldByHolder, type Budget, type BudgetLine } from '../../budgets/ledger/totals.js';
import { instantText } from '../../fhir/date-time.js';
import { poundsText } from '../../fhir/decimal.js';
import type { Resource } from '../../fhir/resource.js';
import { writeAll } from '../../interactions/write.js';
import { added, type Inside } from '../act.js';

/** The ground of the law (clawback-ground) that goes with why the budget ended. */
const GROUNDS: Readonly<Record<string, string>> = { death: 'death', misuse: 'misused' };
const OTHER_GROUND = 'circumstances-changed';

/** One Task for each line with cash: carried out by Account/$clawback with `proposal`. */
export async function askForHeldCash(budget: Budget, reason: string, inside: Inside): Promise<void> {
  const held = budget.lines.filter((line) => heldByHolder([line]) > 0n);
  const tasks = held.map((line) => {
    const id = inside.parts.newId();
    return added(clawbackTask(budget, line, reason, inside.now), id);
  });
  if (tasks.length > 0) await writeAll(tasks, inside);
}

function clawbackTask({ account, patient, owner }: Budget, line: BudgetLine, reason: string, now: number): Resource {
  const amount = heldByHolder([line]);
  const parameter = [
    { name: 'amount', valueMoney: moneyOf(amount) },
    { name: 'reason', valueCode: GROUNDS[reason] ?? OTHER_GROUND },
    { name: 'allocationId', valueId: line.line },
  ];
  const task = {
    resourceType: 'Task',
    contained: [{ resourceType: 'Parameters', id: 'parameters', parameter }],
    status: 'requested',
    intent: 'proposal',
    code: { coding: [{ system: TASK_CODE, code: 'budget-request' }], text: 'clawback' },
    description: `The budget is closed, and its holder has £${poundsText(amount)} of it: claw it back`,
    focus: { reference: `Account/${account}` },
    for: { reference: `Patient/${patient}` },
    authoredOn: instantText(now),
    ...(owner !== undefined && { owner: { reference: `Organization/${owner}` } }),
    input: [{ type: { text: 'clawback' }, valueReference: { reference: '#parameters' } }],
  };
  return task as unknown as Resource;
}
