// When each budget is to be reviewed next: one row per budget, with the Task that people see (domain.md 3.9).
import type { Queryable } from '../../db/database.js';

export interface DueReview {
  /** Logical id of the Task; undefined where none is due. */
  readonly task: string | undefined;
  readonly afterPayment: boolean;
}

const READ = { name: 'review-due-read', text: 'select task, after_payment from fhir.budget_review where account = $1 for update' };

/** Locked until the end of the transaction; undefined where the budget was neither paid from nor reviewed yet. */
export async function lockDueReview(db: Queryable, account: string): Promise<DueReview | undefined> {
  const { rows } = await db.query<{ task: string | null; after_payment: boolean }>({ ...READ, values: [account] });
  const [row] = rows;
  return row && { task: row.task ?? undefined, afterPayment: row.after_payment };
}

const SAVE = {
  name: 'review-due-save',
  text: `with known as (update fhir.budget_account set reviewed = $3::boolean where account = $1 and reviewed <> $3::boolean)
    insert into fhir.budget_review (account, task, after_payment) values ($1, $2, $3::boolean)
    on conflict (account) do update set task = excluded.task, after_payment = excluded.after_payment`,
};

/** The budget's row is locked by whoever calls this. */
export async function saveDueReview(db: Queryable, account: string, { task, afterPayment }: DueReview): Promise<void> {
  await db.query({ ...SAVE, values: [account, task ?? null, afterPayment] });
}
