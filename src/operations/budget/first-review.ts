// The first payment of a budget has its first review due three months later (domain.md 3.9).
import { lockDueReview, saveDueReview } from '../../budgets/task/review-due.js';
import { FIRST_REVIEW_MONTHS, monthsAfter, type ReviewedBudget } from '../../budgets/task/review-task.js';
import { asObject, asText } from '../../fhir/elements.js';
import { writeAll } from '../../interactions/write.js';
import { changed, type Current, type Inside } from '../act.js';
import { dueReview, scheduleReview } from './review-schedule.js';

/**
 * To be called once the money has moved, for a budget that had not been paid from before: its lock then lets no other first payment in.
 * A review that is due earlier stays; a later one is brought forward.
 */
export async function scheduleFirstReview(budget: ReviewedBudget, paymentDate: string, inside: Inside): Promise<void> {
  const { db } = inside.tx;
  if ((await lockDueReview(db, budget.account))?.afterPayment === true) return;
  const latest = monthsAfter(paymentDate, FIRST_REVIEW_MONTHS);
  const due = await dueReview(budget.account, inside);
  if (!due) {
    await scheduleReview(budget, latest, true, inside);
    return;
  }
  if ((dayOf(due) ?? '9999') > latest) await writeAll([changed(due, { restriction: { period: { end: latest } }, description: `Review the budget by ${latest}` })], inside);
  await saveDueReview(db, budget.account, { task: due.id, afterPayment: true });
}

const dayOf = ({ resource }: Current): string | undefined => asText(asObject(asObject(resource['restriction'])?.['period'])?.['end']);
