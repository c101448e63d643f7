// What is left to pay of a purchase: per line that it holds, with what that line is.
import type { Queryable } from '../../db/database.js';

/** One row of fhir.claim_commitment and the line it is on. Amounts in pence. */
export interface Payable {
  readonly account: string;
  readonly line: string;
  /** What is not paid yet. */
  readonly outstanding: bigint;
  /** What the line has left beside it. */
  readonly available: bigint;
  /** notional, third-party or direct-payment. */
  readonly model: string;
  /** `Organization/1`. */
  readonly holder: string | undefined;
  /** Account.status of the budget, and the logical id of the Organization that owns it. */
  readonly state: string;
  readonly owner: string | undefined;
  /** Logical id. */
  readonly patient: string;
  /** Was nothing ever paid from the budget? */
  readonly untouched: boolean;
}

interface Row {
  readonly account: string;
  readonly line: string;
  readonly outstanding: string;
  readonly available: string;
  readonly model: string;
  readonly holder: string | null;
  readonly state: string;
  readonly owner: string | null;
  readonly patient: string;
  readonly untouched: boolean;
}

const READ = {
  name: 'payables-read',
  text: `select c.account, c.line, c.committed::text as outstanding, (l.allocated - l.committed - l.spent)::text as available, l.model, l.holder, b.state, b.owner, b.patient, b.first_paid is null as untouched
    from fhir.claim_commitment c join fhir.budget_account b on b.account = c.account join fhir.budget_line l on l.account = c.account and l.line = c.line
    where c.claim = $1 order by c.account, c.line`,
};

/** Of the Claim with this logical id, by account and line: the order in which odd pence are given out. None before it was active. */
export async function payablesOf(db: Queryable, claim: string): Promise<readonly Payable[]> {
  const { rows } = await db.query<Row>({ ...READ, values: [claim] });
  return rows.map(({ outstanding, available, holder, owner, ...rest }) => ({ ...rest, outstanding: BigInt(outstanding), available: BigInt(available), holder: holder ?? undefined, owner: owner ?? undefined }));
}

export const outstandingIn = (payables: readonly Payable[]): bigint => payables.reduce((sum, { outstanding }) => sum + outstanding, 0n);
