// The review of a budget that is due next: found, held, put in its place, or called off (domain.md 3.9).
import { lockDueReview, saveDueReview } from '../../budgets/task/review-due.js';
import { dueTask, type ReviewedBudget } from '../../budgets/task/review-task.js';
import { writeAll } from '../../interactions/write.js';
import { added, changed, lockedOf, type Current, type Inside } from '../act.js';

const OPEN: ReadonlySet<unknown> = new Set(['requested', 'accepted', 'in-progress', 'on-hold']);

/** The Task of the review that is due; undefined where none is, or someone has ended it. */
export async function dueReview(account: string, inside: Inside): Promise<Current | undefined> {
  const due = await lockDueReview(inside.tx.db, account);
  const task = due?.task === undefined ? undefined : await lockedOf('Task', due.task, inside);
  return task && OPEN.has(task.resource['status']) ? task : undefined;
}

/** From now on a review is due by `day`; by none where it is undefined. */
export async function scheduleReview(budget: ReviewedBudget, day: string | undefined, afterPayment: boolean, inside: Inside): Promise<void> {
  const task = day === undefined ? undefined : inside.parts.newId();
  if (task !== undefined && day !== undefined) await writeAll([added(dueTask(task, budget, day, inside.now), task)], inside);
  await saveDueReview(inside.tx.db, budget.account, { task, afterPayment });
}

/** Nothing is left to be reviewed. */
export async function cancelReview(budget: ReviewedBudget, inside: Inside): Promise<void> {
  const task = await dueReview(budget.account, inside);
  if (task) await writeAll([changed(task, { status: 'cancelled' })], inside);
  await scheduleReview(budget, undefined, true, inside);
}
