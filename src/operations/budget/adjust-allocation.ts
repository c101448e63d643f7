// Account/$adjust-allocation: more or less is granted, after a review with outcome amend (domain.md 2.1 E1 AC5, ruling 45).
import { checkMovable, extensionsGranting, lineOf } from '../../budgets/account/line-change.js';
import { checkReview } from '../../budgets/task/review.js';
import { fail } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import type { Resource } from '../../fhir/resource.js';
import { grantAct } from './grant-act.js';
import { AT, readInput, type InputNames } from '../input.js';
import type { Operation } from '../operation.js';
import { proposable } from '../proposal.js';

const NAMES: InputNames = { delta: 'Money', reason: 'text', review: 'Reference', lineId: 'text', proposal: 'Reference' };

export function createAdjustAllocationOperation({ validate }: { readonly validate: (resource: Resource) => readonly Issue[] }): Operation {
  return proposable('Account', 'adjust-allocation', (request, context) => {
    const input = readInput(request, NAMES, validate);
    const delta = input.pence('delta');
    const reason = input.text('reason');
    if (delta === undefined || delta === 0n || reason === undefined) throw fail('required', { text: '$adjust-allocation needs delta, a Money that is not 0, and reason', expression: AT });
    return grantAct('adjust-allocation', request, context, { reason, proposal: input.reference('proposal') }, async (account, budget, inside) => {
      await checkReview(input.reference('review'), account.id, 'amend', { tx: inside.tx, grant: inside.grant, caller: inside.grant.caller });
      const line = lineOf(budget, input.text('lineId'));
      if (delta < 0n) checkMovable(account.id, line, -delta);
      const granted = new Map([[line.line, line.allocated + delta]]);
      return { extension: extensionsGranting(account.resource, granted), movements: [{ line: line.line, kind: 'adjustment', amount: delta }] };
    });
  });
}
