// Account/$review: a review was held, with an outcome that licenses what follows, and the next one is due (domain.md 2.1 E1 AC4, rulings 45 and 46).
import { plansOf } from '../../budgets/account/account.js';
import { businessError } from '../../budgets/codes.js';
import { provenanceOn } from '../../fhir/provenance.js';
import { dueTask, heldReview, isDay, monthsAfter, NEXT_REVIEW_MONTHS, type Review } from '../../budgets/task/review-task.js';
import { REVIEW_OUTCOME, type ReviewOutcome } from '../../budgets/task/review.js';
import type { Budget } from '../../budgets/ledger/totals.js';
import { fail } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import { londonDate } from '../../fhir/london.js';
import type { FhirRequest, FhirResponse } from '../../fhir/request.js';
import type { Resource } from '../../fhir/resource.js';
import { writeAll } from '../../interactions/write.js';
import { writtenResponse } from '../../interactions/written-response.js';
import { act, added, changed, type Inside } from '../act.js';
import { budgetAt, reviewedBudget } from './budget-act.js';
import { AT, readInput, type Input, type InputNames } from '../input.js';
import { actOn, type Operation } from '../operation.js';
import { dueReview, scheduleReview } from './review-schedule.js';

const NAMES: InputNames = { outcome: 'text', reviewedOn: 'text', notes: 'text', carePlan: 'Reference', nextDue: 'text' };
const OUTCOMES: readonly string[] = ['continue', 'amend', 'close'] satisfies ReviewOutcome[];

export function createReviewOperation({ validate }: { readonly validate: (resource: Resource) => readonly Issue[] }): Operation {
  return actOn('Account', 'review', (request, context) => {
    const input = readInput(request, NAMES, validate);
    const asked = askedOf(input, londonDate(context.now));
    return act('review', context, (inside) => review(request, asked, input.reference('carePlan'), inside));
  });
}

type Asked = Pick<Review, 'outcome' | 'reviewedOn' | 'nextDue' | 'notes'>;

function askedOf(input: Input, today: string): Asked {
  const outcome = input.text('outcome') ?? '';
  if (!OUTCOMES.includes(outcome)) throw fail(outcome === '' ? 'required' : 'code-invalid', { text: `$review needs outcome: ${OUTCOMES.join(', ')}`, expression: AT });
  const reviewedOn = input.text('reviewedOn') ?? today;
  if (!isDay(reviewedOn)) throw fail('invalid', { text: 'reviewedOn is a day, such as 2026-11-21', expression: AT });
  if (reviewedOn > today) throw fail('business-rule', { text: `The review lies in the future: reviewedOn is today, ${today}, or before`, expression: AT });
  const nextDue = input.text('nextDue');
  if (nextDue !== undefined) checkNextDue(nextDue, reviewedOn);
  return { outcome: outcome as ReviewOutcome, reviewedOn, nextDue, notes: input.text('notes') };
}

function checkNextDue(nextDue: string, reviewedOn: string): void {
  if (!isDay(nextDue)) throw fail('invalid', { text: 'nextDue is a day, such as 2027-11-21', expression: AT });
  if (nextDue <= reviewedOn) throw fail('business-rule', { text: 'The next review is after this one: nextDue must be later than reviewedOn', expression: AT });
  const latest = monthsAfter(reviewedOn, NEXT_REVIEW_MONTHS);
  if (nextDue > latest) throw fail('business-rule', { text: `Reviews are at most ${NEXT_REVIEW_MONTHS} months apart: nextDue is ${latest} or before`, expression: AT });
}

async function review(request: FhirRequest, asked: Asked, carePlan: string | undefined, inside: Inside): Promise<FhirResponse> {
  const { account, budget } = await budgetAt(request, ['active', 'on-hold', 'inactive'], inside, 'optional');
  const reviewed = reviewedBudget(account);
  const nextDue = nextOf(asked, budget);
  const { practitionerRole } = inside.grant.caller;
  const held = heldReview({ ...asked, nextDue, plan: planOf(account.resource, carePlan), reviewer: practitionerRole === undefined ? undefined : `PractitionerRole/${practitionerRole}` }, inside.now);
  // What was due has been done: the Task that said so becomes the review.
  const due = await dueReview(account.id, inside);
  const id = due?.id ?? inside.parts.newId();
  const { restriction: _none, description: _asked, ...fresh } = dueTask(id, reviewed, asked.reviewedOn, inside.now);
  // Of the budget too: who sees its Provenance sees who reviewed it.
  const why = provenanceOn([`Task/${id}/_history/${(due?.version ?? 0) + 1}`, `Account/${account.id}`], { id: inside.parts.newId(), activity: 'review', reason: asked.outcome, reasonSystem: REVIEW_OUTCOME, caller: inside.grant.caller, now: inside.now });
  const [written] = await writeAll([due ? changed(due, held) : added({ ...fresh, ...held }, id), added(why, why.id ?? '')], inside);
  await scheduleReview(reviewed, nextDue, budget.spent > 0n || budget.disbursed > 0n, inside);
  return { ...writtenResponse(written, request, inside), status: 200 };
}

/** Of a budget that goes on; one that is to be closed, or is, has no next review but one that is asked for. */
function nextOf({ outcome, reviewedOn, nextDue }: Asked, { state }: Budget): string | undefined {
  if (state === 'inactive') return undefined;
  return nextDue ?? (outcome === 'close' ? undefined : monthsAfter(reviewedOn, NEXT_REVIEW_MONTHS));
}

/** The plan that was reviewed with the budget: the one named, else the primary one. */
function planOf(account: Resource, named: string | undefined): string {
  const plans = plansOf(account);
  const wanted = named?.replace(/^CarePlan\//, '');
  const found = wanted === undefined ? (plans.find(({ primary }) => primary) ?? plans[0]) : plans.find(({ plan }) => plan === wanted);
  if (found?.plan !== undefined) return found.plan;
  const text = plans.length === 0 ? 'A budget is reviewed with its care plan, and none is linked: use Account/$link-careplan first' : `${named} is not linked to this budget: it is reviewed with ${plans.map(({ plan }) => `CarePlan/${plan}`).join(' or ')}`;
  throw fail('business-rule', { text, expression: AT, ...(plans.length > 0 && { coding: businessError('CAREPLAN_MISMATCH') }) });
}
