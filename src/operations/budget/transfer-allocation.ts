// Account/$transfer-allocation: what is not used of one line is granted on another of the same budget (domain.md rulings 11 and 40).
import { checkMovable, extensionsGranting, lineOf } from '../../budgets/account/line-change.js';
import { checkReview } from '../../budgets/task/review.js';
import { fail } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import type { Resource } from '../../fhir/resource.js';
import { grantAct } from './grant-act.js';
import { AT, readInput, type InputNames } from '../input.js';
import type { Operation } from '../operation.js';
import { proposable } from '../proposal.js';

const NAMES: InputNames = { from: 'text', to: 'text', amount: 'Money', reason: 'text', review: 'Reference', proposal: 'Reference' };

export function createTransferAllocationOperation({ validate }: { readonly validate: (resource: Resource) => readonly Issue[] }): Operation {
  return proposable('Account', 'transfer-allocation', (request, context) => {
    const input = readInput(request, NAMES, validate);
    const amount = input.pence('amount');
    const [fromId, toId, reason] = [input.text('from'), input.text('to'), input.text('reason')];
    if (amount === undefined || amount <= 0n || reason === undefined || fromId === undefined || toId === undefined || fromId === toId) {
      throw fail('required', { text: '$transfer-allocation needs from and to, two lineIds; amount, a Money above 0; and reason', expression: AT });
    }
    return grantAct('transfer-allocation', request, context, { reason, proposal: input.reference('proposal') }, async (account, budget, inside) => {
      if (input.has('review')) await checkReview(input.reference('review'), account.id, undefined, { tx: inside.tx, grant: inside.grant, caller: inside.grant.caller });
      const [from, to] = [lineOf(budget, fromId), lineOf(budget, toId)];
      checkMovable(account.id, from, amount);
      const granted = new Map([[from.line, from.allocated - amount], [to.line, to.allocated + amount]]);
      return {
        extension: extensionsGranting(account.resource, granted),
        movements: [{ line: from.line, kind: 'transfer-out', amount }, { line: to.line, kind: 'transfer-in', amount }],
      };
    });
  });
}
