// Claim/$pay: what a purchase still owes is paid, whole or in part, with the resources and ledger rows that say so (domain.md 2.1 E7, ruling 50).
import { businessError, OUTSTANDING } from '../../budgets/codes.js';
import { post } from '../../budgets/ledger/ledger.js';
import { outstandingIn, payablesOf, type Payable } from '../../budgets/payment/payable.js';
import { checkPayer } from '../../budgets/payment/payer.js';
import { noticeOf, reconciliationOf, type PaymentFacts } from '../../budgets/payment/payment-resources.js';
import { budgetOf, isCommitment, isPurchase, statusOf, withExtension } from '../../budgets/purchase/purchase.js';
import { shareOut } from '../../budgets/ledger/shares.js';
import { poundsText } from '../../fhir/decimal.js';
import { asObject, asObjects, asText } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import type { FhirRequest, FhirResponse } from '../../fhir/request.js';
import type { Resource } from '../../fhir/resource.js';
import { firstVersion } from '../../interactions/amend.js';
import type { Change } from '../../store/store.js';
import { amendment, currentOf, ledgerOf, type Current, type Inside } from '../act.js';
import { scheduleFirstReview } from '../budget/first-review.js';
import { AT } from '../input.js';
import { seenIn, paymentAnswer, type Payment } from './payment-input.js';

export async function payClaim(request: FhirRequest, payment: Payment, inside: Inside): Promise<FhirResponse> {
  const claim = await currentOf('Claim', request, inside, 'optional');
  refuseOther(claim.resource);
  const all = await payablesOf(inside.tx.db, claim.id);
  const due = dueOf(all, payment.allocationId);
  await checkPayer(due, seenIn(inside));
  refuseUnpayable(claim.resource, due, payment.amount);
  const [reconciliation, notice] = [inside.parts.newId(), inside.parts.newId()];
  const facts = await factsOf(claim, due, payment, inside);
  const made = [
    firstVersion(reconciliationOf(reconciliation, 'payment', facts, payment.identifier), { now: inside.now, extract: inside.parts.extract }),
    firstVersion(noticeOf(notice, facts, { payment: reconciliation }), { now: inside.now, extract: inside.parts.extract }),
  ];
  const settled = outstandingIn(all) === payment.amount ? settlement(claim, inside) : [];
  await inside.tx.write([...made, ...settled]);
  const shares = shareOut(payment.amount, due.map(({ outstanding }) => outstanding));
  const postings = due.flatMap(({ account, line }, index) => {
    const amount = shares[index] ?? 0n;
    return amount === 0n ? [] : [{ id: inside.parts.newId(), account, line, kind: 'spend', amount, claim: claim.id, notice } as const];
  });
  await post(postings, ledgerOf(inside));
  for (const budget of untouchedOf(due)) await scheduleFirstReview(budget, payment.paymentDate, inside);
  return paymentAnswer(made, due[0]?.patient, request);
}

/** Before anything is told of its money. */
function refuseOther(claim: Resource): void {
  if (!isPurchase(claim)) throw fail('business-rule', { text: 'This Claim is no purchase on a budget: $pay pays those', expression: 'Claim' });
  if (isCommitment(claim)) throw fail('business-rule', { text: 'A commitment is not paid: record the purchase as a further Claim that names it in related, and pay that', expression: 'Claim.use' });
  const status = statusOf(claim);
  if (status !== 'active') throw fail('business-rule', { text: `The purchase is ${status}: only an active one is paid`, expression: 'Claim.status' });
}

/** The line that is named, or all that the purchase is on. */
function dueOf(all: readonly Payable[], allocationId: string | undefined): readonly Payable[] {
  if (allocationId === undefined) return all;
  const named = all.filter(({ line }) => line === allocationId);
  if (named.length > 0) return named;
  throw fail('business-rule', { text: `The purchase is not on line ${allocationId}: leave allocationId out, or send ${all.map(({ line }) => line).join(' or ')}`, expression: AT });
}

function refuseUnpayable({ id = '' }: Resource, due: readonly Payable[], amount: bigint): void {
  const closed = due.find(({ state }) => state !== 'active');
  if (closed) throw fail('business-rule', { text: `The budget is ${closed.state}: payments are made from one that is active`, coding: businessError('ACCOUNT_NOT_ACTIVE') });
  const outstanding = outstandingIn(due);
  if (outstanding === 0n) throw fail('business-rule', { text: `Claim/${id} is paid: nothing is outstanding`, expression: AT });
  if (amount <= outstanding) return;
  const available = due.reduce((sum, line) => sum + line.available, 0n);
  const unpayable = amount > outstanding + available;
  const left = unpayable ? ` and its budget £${poundsText(available)} available beside it` : '';
  throw fail('business-rule', { text: `Claim/${id} has £${poundsText(outstanding)} outstanding${left}, and £${poundsText(amount)} would be paid`, expression: AT, ...(unpayable && { coding: businessError('INSUFFICIENT_FUNDS') }) });
}

async function factsOf(claim: Current, due: readonly Payable[], { amount, paymentDate, payeeIn }: Payment, inside: Inside): Promise<PaymentFacts> {
  const [first] = due;
  return {
    kind: 'payment',
    request: `Claim/${claim.id}`,
    budget: budgetOf(claim.resource) ?? first?.account ?? '',
    owner: first?.owner ?? '',
    amount,
    paymentDate,
    payee: (await payeeIn(inside, first?.patient)) ?? payeeOf(claim.resource),
    issuer: first && issuerOf(first),
    caller: inside.grant.caller,
    now: inside.now,
  };
}

/** Whom the Claim asks to be paid: else who provided. */
function payeeOf(claim: Resource): string | undefined {
  const named = [asObject(claim['payee'])?.['party'], claim['provider']].map((one) => asText(asObject(one)?.['reference']));
  return named.find((reference) => reference !== undefined && /^(Organization|Practitioner|PractitionerRole|Patient|RelatedPerson)\/[^/]+$/.test(reference));
}

/** Money of a line that someone holds comes from them. */
function issuerOf({ model, holder, owner }: Payable): string | undefined {
  if (model === 'notional') return owner;
  return holder?.startsWith('Organization/') === true ? holder.slice('Organization/'.length) : undefined;
}

/** The budgets that had not been paid from, each once. */
const untouchedOf = (due: readonly Payable[]): readonly Payable[] => due.filter(({ account, untouched }, index) => untouched && due.findIndex((one) => one.account === account) === index);

/** A purchase that is paid whole is outstanding no more. */
function settlement(claim: Current, inside: Inside): Change[] {
  const extension = withExtension(asObjects(claim.resource['extension']), OUTSTANDING, { valueBoolean: false });
  return [amendment(claim, { extension }, inside)];
}
