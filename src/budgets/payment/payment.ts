// Reading a PaymentNotice or PaymentReconciliation as one of a budget. Pure; what is misshapen is as if absent.
import { asObject, asObjects, asText, extensionsOf, referenceId } from '../../fhir/elements.js';
import type { Resource } from '../../fhir/resource.js';
import { BUDGET, CLAWBACK, PAYEE_PERSON, PAYMENT_KIND, REVERSAL, REVERSES } from '../codes.js';

/** CodeSystem payment-kind. */
export type PaymentKind = 'payment' | 'advance' | 'refund' | 'clawback';

const MARKS: ReadonlySet<unknown> = new Set([PAYMENT_KIND, PAYEE_PERSON, REVERSES, REVERSAL, BUDGET, CLAWBACK]);

/** Does it say of itself that it is a payment of a budget? */
export const isMarked = (payment: Resource | undefined): boolean =>
  [...asObjects(payment?.['extension']), ...asObjects(payment?.['modifierExtension'])].some(({ url }) => MARKS.has(url));

/** Claims and Accounts that it is about: `Claim/1`. */
export function paidFor(payment: Resource | undefined): string[] {
  const requests = [payment?.['request'], ...asObjects(payment?.['detail']).map(({ request }) => request)];
  return requests.flatMap((request) => asText(asObject(request)?.['reference']) ?? []).filter((reference) => /^(Claim|Account)\//.test(reference));
}

export const paymentKind = (notice: Resource | undefined): string | undefined => asText(extensionsOf(notice, PAYMENT_KIND)[0]?.['valueCode']);

/** Logical id of the Claim that was paid; undefined of an advance. */
export const paidClaim = (notice: Resource | undefined): string | undefined => referenceId(notice?.['request'], 'Claim');

/** Logical id of the PaymentReconciliation that the notice is about. */
export const reconciliationOfNotice = (notice: Resource | undefined): string | undefined => referenceId(notice?.['payment'], 'PaymentReconciliation');

/** Logical id of the Account that was charged. */
export const chargedAccount = (notice: Resource | undefined): string | undefined => referenceId(extensionsOf(notice, BUDGET)[0]?.['valueReference'], 'Account');
