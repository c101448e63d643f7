// Account/$reopen: a budget that was suspended or closed goes on; what closing took is granted again (domain.md 3.6, ruling 47).
import { grantedAfter, reopeningMovements } from '../../budgets/account/closing.js';
import { post } from '../../budgets/ledger/ledger.js';
import { extensionsGranting } from '../../budgets/account/line-change.js';
import { FIRST_REVIEW_MONTHS, monthsAfter } from '../../budgets/task/review-task.js';
import { checkReview } from '../../budgets/task/review.js';
import { fail } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import { londonDate } from '../../fhir/london.js';
import type { FhirRequest, FhirResponse } from '../../fhir/request.js';
import type { Resource } from '../../fhir/resource.js';
import { writtenResponse } from '../../interactions/written-response.js';
import { act, ledgerOf, type Current, type Inside } from '../act.js';
import { budgetAt, reviewedBudget, seenBy, writeBudget } from './budget-act.js';
import { AT, readInput, type InputNames } from '../input.js';
import { actOn, type Operation } from '../operation.js';
import { dueReview, scheduleReview } from './review-schedule.js';

const NAMES: InputNames = { review: 'Reference', reason: 'text' };

export function createReopenOperation({ validate }: { readonly validate: (resource: Resource) => readonly Issue[] }): Operation {
  return actOn('Account', 'reopen', (request, context) => {
    const input = readInput(request, NAMES, validate);
    const reason = input.text('reason');
    if (reason === undefined) throw fail('required', { text: '$reopen needs reason', expression: AT });
    return act('reopen', context, (inside) => reopen(request, input.reference('review'), reason, inside));
  });
}

async function reopen(request: FhirRequest, review: string | undefined, reason: string, inside: Inside): Promise<FhirResponse> {
  const { account, budget } = await budgetAt(request, ['inactive', 'on-hold'], inside);
  await checkReview(review, account.id, undefined, seenBy(inside));
  const movements = budget.state === 'inactive' ? await reopeningMovements(inside.tx.db, account.id) : [];
  const extension = extensionsGranting(account.resource, grantedAfter(budget, movements));
  const period = budget.state === 'inactive' ? { servicePeriod: withoutEnd(account) } : {};
  const { written, provenance } = await writeBudget(account, { status: 'active', extension, ...period }, { activity: 'reopen', reason }, inside);
  const postings = movements.map((movement) => ({ ...movement, id: inside.parts.newId(), account: account.id, provenance }));
  if (postings.length > 0) await post(postings, ledgerOf(inside));
  if (!(await dueReview(account.id, inside))) await scheduleReview(reviewedBudget(account), monthsAfter(londonDate(inside.now), FIRST_REVIEW_MONTHS), true, inside);
  return writtenResponse(written, request, inside);
}

function withoutEnd({ resource }: Current): unknown {
  const { end: _end, ...period } = (resource['servicePeriod'] as { end?: unknown } | undefined) ?? {};
  return Object.keys(period).length === 0 ? undefined : period;
}
