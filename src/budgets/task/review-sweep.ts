// Who is to be reviewed, by the clock: the first review of a budget is due three months after its first payment (domain.md 3.9).
import { asObject, asText } from '../../fhir/elements.js';
import { londonDate } from '../../fhir/london.js';
import type { Resource } from '../../fhir/resource.js';
import type { Transaction } from '../../store/store.js';
import type { SweepParts } from '../../store/sweep.js';
import { lockDueReview, saveDueReview } from './review-due.js';
import { dueTask, FIRST_REVIEW_MONTHS, monthsAfter } from './review-task.js';
import { lockBudgets } from '../ledger/totals.js';

const PAID = {
  name: 'review-sweep-paid',
  text: `select account from fhir.budget_account
    where first_paid is not null and not reviewed and kind = 'phb' and state in ('active', 'on-hold') order by account limit $1`,
};
const AT_ONCE = 200;

/** Sees to the reviews of at most `limit` budgets that were paid from for the first time, each in a transaction of its own, and says of how many. */
export async function scheduleFirstReviews(parts: SweepParts, limit = AT_ONCE): Promise<number> {
  const { rows } = await parts.db.query<{ account: string }>({ ...PAID, values: [limit] });
  let scheduled = 0;
  for (const { account } of rows) if (await parts.store.transaction((tx) => scheduleFirst(account, tx, parts))) scheduled += 1;
  return scheduled;
}

const BEGIN = { name: 'review-sweep-begin', text: 'insert into fhir.budget_review (account, task, after_payment) values ($1, null, false) on conflict (account) do nothing' };

async function scheduleFirst(account: string, tx: Transaction, { now, newId, put }: SweepParts): Promise<boolean> {
  // The budget before its review, as a payment takes them.
  const budget = (await lockBudgets(tx.db, [account])).get(account);
  await tx.db.query({ ...BEGIN, values: [account] });
  const due = await lockDueReview(tx.db, account);
  // Another server was first, or it was closed in between.
  if (budget?.firstPaid === undefined || due?.afterPayment !== false || budget.state === 'inactive') return false;
  const day = monthsAfter(londonDate(budget.firstPaid), FIRST_REVIEW_MONTHS);
  const task = await openTask(due.task, tx);
  const planned = asText(asObject(asObject(task?.['restriction'])?.['period'])?.['end']);
  const id = task?.id ?? newId();
  // A review that is due sooner stays so.
  if (planned === undefined || planned > day) {
    const { description, restriction, ...made } = dueTask(id, { account, patient: budget.patient, owner: budget.owner }, day, now);
    await put(tx, { ...made, ...task, description, restriction });
  }
  await saveDueReview(tx.db, account, { task: id, afterPayment: true });
  return true;
}

async function openTask(id: string | undefined, tx: Transaction): Promise<Resource | undefined> {
  const locked = id === undefined ? undefined : await tx.lock('Task', id);
  const task = locked?.text == null ? undefined : (JSON.parse(locked.text) as Resource);
  return task?.['status'] === 'completed' || task?.['status'] === 'cancelled' ? undefined : task;
}
