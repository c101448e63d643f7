// The review that licenses a change of a budget: a completed Task budget-review of that Account, with the outcome the change needs (ruling 45).
import { asObject, asObjects, asText, codesOf, referenceId } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import type { Resource } from '../../fhir/resource.js';
import type { WriteContext } from '../../store/rule.js';
import { BASE, TASK_CODE } from '../codes.js';
import { referred } from '../referred.js';

export const REVIEW_OUTCOME = `${BASE}/CodeSystem/review-outcome`;

export type ReviewOutcome = 'continue' | 'amend' | 'close';

/** Task.output of type `outcome`: a valueCode, or a valueCodeableConcept of review-outcome. */
export function outcomeOf(review: Resource): string | undefined {
  for (const output of asObjects(review['output'])) {
    const type = asObject(output['type']);
    const names = [asText(type?.['text']), ...asObjects(type?.['coding']).map(({ code }) => asText(code))];
    if (names.includes('outcome')) return asText(output['valueCode']) ?? codesOf(output['valueCodeableConcept'], REVIEW_OUTCOME)[0];
  }
  return undefined;
}

/** Throws 422 unless `reference` is such a review; any outcome will do where none is given. */
export async function checkReview(reference: string | undefined, account: string, outcome: ReviewOutcome | undefined, seen: Pick<WriteContext, 'tx' | 'grant' | 'caller'>): Promise<void> {
  const at = 'Parameters.parameter';
  if (reference === undefined) throw fail('required', { text: 'Name the review that decided this: the parameter review, a reference to the Task that Account/$review made', expression: at });
  const review = await referred(reference, ['Task'], at, seen);
  const isReview = codesOf(review['code'], TASK_CODE).includes('budget-review') && referenceId(review['focus'], 'Account') === account;
  if (!isReview) throw fail('business-rule', { text: `${reference} is no review of this budget`, expression: at });
  if (review['status'] !== 'completed') throw fail('business-rule', { text: `${reference} is not completed`, expression: at });
  if (outcome !== undefined && outcomeOf(review) !== outcome) throw fail('business-rule', { text: `${reference} has not the outcome ${outcome}`, expression: at });
}
