// The ledger rows that a payment made, and what has come back of each.
import type { Queryable } from '../../db/database.js';

/** Amounts in pence. */
export interface PaidRow {
  /** Of the ledger row. */
  readonly id: string;
  readonly account: string;
  readonly line: string;
  readonly amount: bigint;
  readonly refunded: bigint;
}

const READ = {
  name: 'paid-rows',
  text: `select e.id, e.account, e.line, e.amount::text, coalesce(sum(r.amount), 0)::text as refunded
    from fhir.ledger e left join fhir.ledger r on r.account = e.account and r.claim = e.claim and r.kind = 'refund' and r.reverses = e.id
    where e.claim = $1 and e.notice = $2 and e.kind = 'spend' group by e.account, e.id, e.line, e.amount order by e.account, e.line`,
};

/** Of the PaymentNotice about the Claim (logical ids), by account and line. */
export async function paidRows(db: Queryable, claim: string, notice: string): Promise<readonly PaidRow[]> {
  const { rows } = await db.query<Readonly<Record<keyof PaidRow, string>>>({ ...READ, values: [claim, notice] });
  return rows.map(({ amount, refunded, ...rest }) => ({ ...rest, amount: BigInt(amount), refunded: BigInt(refunded) }));
}
