// How money of a payment comes back: what of each ledger row that the payment made (domain.md 3.8 rules 8 and 9).
import { poundsText } from '../../fhir/decimal.js';
import { fail } from '../../fhir/errors.js';
import { businessError } from '../codes.js';
import type { PaidRow } from './paid-rows.js';
import { shareOut } from '../ledger/shares.js';

/** A ledger row of the payment, and what of it comes back now (pence, above zero). */
export interface Refund {
  readonly row: PaidRow;
  readonly amount: bigint;
}

/** In proportion to what is left of each row; throws 422 REFUND_EXCEEDS_PAYMENT where more is asked than is left of all. */
export function refundsOf(rows: readonly PaidRow[], amount: bigint): Refund[] {
  const left = rows.map((row) => row.amount - row.refunded);
  const whole = left.reduce((sum, pence) => sum + pence, 0n);
  if (amount > whole) {
    const text = whole === 0n ? 'All of this payment has been given back' : `£${poundsText(whole)} of this payment has not been given back, and £${poundsText(amount)} would be`;
    throw fail('business-rule', { text, expression: 'Parameters.parameter', coding: businessError('REFUND_EXCEEDS_PAYMENT') });
  }
  const shares = shareOut(amount, left);
  return rows.flatMap((row, index) => {
    const share = shares[index] ?? 0n;
    return share === 0n ? [] : [{ row, amount: share }];
  });
}
