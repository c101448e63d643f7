// The rows that stand beside an Account marked as a budget: what it is and which lines it has. Money is not changed here but by post.
import { MAX_MS, MIN_MS, periodRange } from '../../fhir/date-time.js';
import type { Queryable } from '../../db/database.js';
import type { Resource } from '../../fhir/resource.js';
import { allocationsOf, budgetKind, codeExtension, eligibilityOf, ownerOf, parentOf, patientOf, servicePeriodOf } from './account.js';
import { FUNDING_SOURCE, OVERSPEND_POLICY } from '../codes.js';

/** What `$assign-allocation` leaves over: a line of the ledger, and none of the Account (ruling 11). */
export const UNALLOCATED = 'unallocated';

const SAVE = {
  name: 'budget-save',
  text: `insert into fhir.budget_account (account, opened, kind, state, patient, owner, policy, funding, basis, parent, period_from, period_until)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    on conflict (account) do update set kind = excluded.kind, state = excluded.state, patient = excluded.patient, owner = excluded.owner, policy = excluded.policy,
      funding = excluded.funding, basis = excluded.basis, parent = excluded.parent, period_from = excluded.period_from, period_until = excluded.period_until`,
};

const SAVE_LINES = {
  name: 'budget-save-lines',
  text: `with gone as (
      update fhir.budget_line set ended = true where account = $1 and line <> all ($2::text[]) and line <> '${UNALLOCATED}' and not ended)
    insert into fhir.budget_line (account, line, model, holder, may_overdraw, position)
    select $1, g.line, g.model, g.holder, g.may_overdraw, g.position
    from unnest($2::text[], $3::text[], $4::text[], $5::boolean[]) with ordinality as g (line, model, holder, may_overdraw, position)
    on conflict (account, line) do update set model = excluded.model, holder = excluded.holder, may_overdraw = excluded.may_overdraw, position = excluded.position, ended = false`,
};

/** Writes what the Account says into its rows, in the Account's own transaction; `now` in milliseconds. */
export async function saveBudget(db: Queryable, account: Resource, now: number): Promise<void> {
  const { id = '' } = account;
  const policy = codeExtension(account, OVERSPEND_POLICY);
  const { lo, hi } = periodOf(account);
  await db.query({
    ...SAVE,
    values: [
      id, now, budgetKind(account), account['status'], patientOf(account), ownerOf(account) ?? null, policy ?? null, codeExtension(account, FUNDING_SOURCE) ?? null,
      eligibilityOf(account)?.basis ?? null, parentOf(account) ?? null, lo, hi,
    ],
  });
  const lines = allocationsOf(account);
  await db.query({
    ...SAVE_LINES,
    values: [id, lines.map(({ lineId }) => lineId), lines.map(({ model }) => model), lines.map(({ holder }) => holder ?? null), lines.map(({ model }) => mayOverdraw(model, policy))],
  });
}

const SAVE_UNALLOCATED = {
  name: 'budget-save-unallocated',
  text: `insert into fhir.budget_line (account, line, model, may_overdraw, position) values ($1, '${UNALLOCATED}', '${UNALLOCATED}', false, 1000000)
    on conflict (account, line) do nothing`,
};

/** The line for what no line has; without money until it is posted. */
export async function ensureUnallocated(db: Queryable, account: string): Promise<void> {
  await db.query({ ...SAVE_UNALLOCATED, values: [account] });
}

/** Direct-payment money is gone before it is recorded; under another policy than block someone decides (domain.md 3.8 rule 7). */
export const mayOverdraw = (model: string | undefined, policy: string | undefined): boolean => model === 'direct-payment' || policy !== 'block';

/** servicePeriod on London's days, in milliseconds, hi exclusive; open where it says nothing. */
export function periodOf(account: Resource): { readonly lo: number; readonly hi: number } {
  const { start, end } = servicePeriodOf(account);
  return periodRange(start, end, 'Europe/London') ?? { lo: MIN_MS, hi: MAX_MS };
}

const OVERLAPPING = {
  name: 'budget-overlapping',
  text: `select from fhir.budget_account where patient = $1 and basis = $2 and funding = $3 and account <> $4 and kind = 'phb' and state = 'active'
    and period_from < $6 and period_until > $5 limit 1`,
};

/** Is there another active budget of the same patient, basis and funding in this one's period? Held by a key row until the end of the transaction (ruling 3). */
export async function isDuplicate(tx: { readonly db: Queryable; lockKey(key: string): Promise<void> }, account: Resource): Promise<boolean> {
  const facts = [patientOf(account), eligibilityOf(account)?.basis, codeExtension(account, FUNDING_SOURCE)];
  await tx.lockKey(`budget ${facts.join(' ')}`);
  const { lo, hi } = periodOf(account);
  const { count } = await tx.db.query({ ...OVERLAPPING, values: [...facts, account.id, lo, hi] });
  return count > 0;
}
