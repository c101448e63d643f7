// Account/$pay: an instalment to the holder of a direct payment. It is not spend: what the holder buys is (domain.md 3.8 rule 5, ruling 36).
import { budgetKind } from '../../budgets/account/account.js';
import { businessError } from '../../budgets/codes.js';
import { checkPlanned, directLine } from '../../budgets/account/direct-payment.js';
import { post } from '../../budgets/ledger/ledger.js';
import { InsufficientFunds } from '../../budgets/ledger/ledger-refusal.js';
import { checkAdvancer } from '../../budgets/payment/payer.js';
import { noticeOf, reconciliationOf, type PaymentFacts } from '../../budgets/payment/payment-resources.js';
import { lockBudgets, type Budget, type BudgetLine } from '../../budgets/ledger/totals.js';
import { fail } from '../../fhir/errors.js';
import type { FhirRequest, FhirResponse } from '../../fhir/request.js';
import { firstVersion } from '../../interactions/amend.js';
import { currentOf, ledgerOf, type Current, type Inside } from '../act.js';
import { scheduleFirstReview } from '../budget/first-review.js';
import { AT } from '../input.js';
import { paymentAnswer, seenIn, type Payment } from './payment-input.js';

export async function payAdvance(request: FhirRequest, payment: Payment, inside: Inside): Promise<FhirResponse> {
  const account = await currentOf('Account', request, inside, 'optional');
  checkAdvancer(seenIn(inside));
  const budget = await openBudget(account, inside);
  const line = directLine(budget, payment.allocationId, 'not ended');
  await checkPlanned(account.resource, inside.tx);
  refuseMore(account.id, line, payment.amount);
  const facts = await factsOf(budget, line, payment, inside);
  const [reconciliation, notice] = [inside.parts.newId(), inside.parts.newId()];
  const made = [
    firstVersion(reconciliationOf(reconciliation, 'advance', facts, payment.identifier), { now: inside.now, extract: inside.parts.extract }),
    firstVersion(noticeOf(notice, facts, { payment: reconciliation }), { now: inside.now, extract: inside.parts.extract }),
  ];
  await inside.tx.write(made);
  await post([{ id: inside.parts.newId(), account: account.id, line: line.line, kind: 'advance', amount: payment.amount, notice }], ledgerOf(inside));
  if (budget.firstPaid === undefined) await scheduleFirstReview(budget, payment.paymentDate, inside);
  return paymentAnswer(made, budget.patient, request);
}

async function openBudget({ id, resource }: Current, { tx }: Inside): Promise<Budget> {
  const budget = (await lockBudgets(tx.db, [id])).get(id);
  if (!budget || budgetKind(resource) !== 'phb') throw fail('business-rule', { text: 'An advance is paid from a line of a personal health budget: this Account has none', expression: 'Account' });
  if (budget.state !== 'active') throw fail('business-rule', { text: `The budget is ${budget.state}: payments are made from one that is active`, coding: businessError('ACCOUNT_NOT_ACTIVE') });
  return budget;
}

/** All that is ever handed to the holder is at most what the line was granted. */
function refuseMore(account: string, { line, allocated, disbursed }: BudgetLine, amount: bigint): void {
  const left = allocated > disbursed ? allocated - disbursed : 0n;
  if (amount > left) throw new InsufficientFunds(account, line, amount, left);
}

async function factsOf(budget: Budget, { holder, line }: BudgetLine, { amount, paymentDate, payeeIn }: Payment, inside: Inside): Promise<PaymentFacts> {
  const payee = await payeeIn(inside, budget.patient);
  if (payee !== undefined && payee !== holder) throw fail('business-rule', { text: `An advance goes to the holder of line ${line}, ${holder ?? 'whom it does not name'}: leave payee out`, expression: AT });
  const owner = budget.owner ?? '';
  return { kind: 'advance', request: `Account/${budget.account}`, budget: budget.account, owner, issuer: owner, amount, paymentDate, payee: holder, caller: inside.grant.caller, now: inside.now };
}
