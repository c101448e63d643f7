// Account/$suspend: nothing is bought on the budget until it is reopened (domain.md 3.6, ruling 42).
import { checkReview } from '../../budgets/task/review.js';
import { fail } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import type { Resource } from '../../fhir/resource.js';
import { writtenResponse } from '../../interactions/written-response.js';
import { act } from '../act.js';
import { budgetAt, seenBy, writeBudget } from './budget-act.js';
import { AT, readInput, type InputNames } from '../input.js';
import { actOn, type Operation } from '../operation.js';

const NAMES: InputNames = { reason: 'text', review: 'Reference' };

export function createSuspendOperation({ validate }: { readonly validate: (resource: Resource) => readonly Issue[] }): Operation {
  return actOn('Account', 'suspend', (request, context) => {
    const input = readInput(request, NAMES, validate);
    const reason = input.text('reason');
    if (reason === undefined) throw fail('required', { text: '$suspend needs reason', expression: AT });
    return act('suspend', context, async (inside) => {
      const { account } = await budgetAt(request, ['active'], inside);
      if (input.has('review')) await checkReview(input.reference('review'), account.id, undefined, seenBy(inside));
      const { written } = await writeBudget(account, { status: 'on-hold' }, { activity: 'suspend', reason }, inside);
      return writtenResponse(written, request, inside);
    });
  });
}
