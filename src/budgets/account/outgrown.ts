// A child with continuing care turns 18: the budget goes on, and a Task asks for a decision on an adult's basis (domain.md 3.9, 6.10).
import { instantText } from '../../fhir/date-time.js';
import { londonDate } from '../../fhir/london.js';
import type { Resource } from '../../fhir/resource.js';
import type { WriteContext } from '../../store/rule.js';
import type { SweepParts } from '../../store/sweep.js';
import { CHILDRENS_BASIS } from './eligibility.js';
import { TASK_CODE } from '../codes.js';
import { monthsAfter } from '../task/review-task.js';

/** So long before the birthday it is asked for, since an assessment takes its time. */
const AHEAD_MONTHS = 3;
const ADULT_YEARS = 18;

// Birthdays that are held to the day.
const OUTGROWN = {
  name: 'outgrown-find',
  text: `select b.account, b.patient, b.owner, t.res::json ->> 'birthDate' as born from fhir.budget_account b join fhir."Patient" t on t.id = b.patient and t.res is not null
    where b.kind = 'phb' and b.basis = $1 and b.state in ('active', 'on-hold') and t.res::json ->> 'birthDate' <= $2 and length(t.res::json ->> 'birthDate') = 10
      and not exists (select from fhir.budget_outgrown o where o.account = b.account and o.basis = b.basis) order by b.account limit $3`,
};
const NOTE = { name: 'outgrown-note', text: 'insert into fhir.budget_outgrown (account, basis, task) values ($1, $2, $3) on conflict (account, basis) do nothing' };
const AT_ONCE = 200;

/** Makes the Tasks of at most `limit` budgets, each in a transaction of its own, and says how many it made. */
export async function askForNewBasis({ db, store, now, newId, put }: SweepParts, limit = AT_ONCE): Promise<number> {
  const youngest = monthsAfter(londonDate(now), AHEAD_MONTHS - 12 * ADULT_YEARS);
  const { rows } = await db.query<{ account: string; patient: string; owner: string | null; born: string }>({ ...OUTGROWN, values: [CHILDRENS_BASIS, youngest, limit] });
  let made = 0;
  for (const { account, patient, owner, born } of rows) {
    made += await store.transaction(async (tx) => {
      const id = newId();
      const { count } = await tx.db.query({ ...NOTE, values: [account, CHILDRENS_BASIS, id] });
      if (count > 0) await put(tx, rebaseTask(id, { account, patient, owner, birthday: monthsAfter(born, 12 * ADULT_YEARS) }, now));
      return count;
    });
  }
  return made;
}

interface Outgrown {
  readonly account: string;
  readonly patient: string;
  readonly owner: string | null;
  /** A day. */
  readonly birthday: string;
}

function rebaseTask(id: string, { account, patient, owner, birthday }: Outgrown, now: number): Resource {
  return {
    resourceType: 'Task',
    id,
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: TASK_CODE, code: 'reconsideration' }], text: 're-base' },
    description: `The patient turns ${ADULT_YEARS} on ${birthday}: decide on an adult's basis, and change ext-eligibility of the budget`,
    focus: { reference: `Account/${account}` },
    for: { reference: `Patient/${patient}` },
    authoredOn: instantText(now),
    ...(owner !== null && { owner: { reference: `Organization/${owner}` } }),
    restriction: { period: { end: birthday } },
  };
}

const ASKED = { name: 'outgrown-asked', text: 'delete from fhir.budget_outgrown where account = $1 and basis = $2 returning task' };

/** The budget has another basis now: what asked for it is done. */
export async function settleNewBasis(account: string, outgrown: string, { tx, put }: Pick<WriteContext, 'tx' | 'put'>): Promise<void> {
  const { rows } = await tx.db.query<{ task: string }>({ ...ASKED, values: [account, outgrown] });
  for (const { task } of rows) {
    const locked = await tx.lock('Task', task);
    const asked = locked?.text == null ? undefined : (JSON.parse(locked.text) as Resource);
    if (asked && asked['status'] !== 'completed' && asked['status'] !== 'cancelled') await put({ ...asked, status: 'completed' });
  }
}
