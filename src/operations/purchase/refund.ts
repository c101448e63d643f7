// PaymentNotice/$refund: money of a payment comes back to the lines that it was taken from, in the same proportions (domain.md 3.8 rules 8 and 9).
import { post } from '../../budgets/ledger/ledger.js';
import { paidRows } from '../../budgets/payment/paid-rows.js';
import { chargedAccount, paidClaim, paymentKind, reconciliationOfNotice } from '../../budgets/payment/payment.js';
import { noticeOf, type PaymentFacts } from '../../budgets/payment/payment-resources.js';
import { provenanceOn } from '../../fhir/provenance.js';
import { refundsOf, type Refund } from '../../budgets/payment/refunds.js';
import type { Budget } from '../../budgets/ledger/totals.js';
import { fail } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import type { FhirRequest, FhirResponse } from '../../fhir/request.js';
import type { Resource } from '../../fhir/resource.js';
import { firstVersion } from '../../interactions/amend.js';
import { writtenResponse } from '../../interactions/written-response.js';
import { act, currentOf, ledgerOf, type Inside } from '../act.js';
import { readInput, type InputNames } from '../input.js';
import type { Operation } from '../operation.js';
import { ownSale, proposedWords } from './own-sale.js';
import { pastDay } from './payment-date.js';
import { amountOf } from './payment-input.js';
import { onlyProposes, proposable, propose, settleProposal } from '../proposal.js';
import { lockAccounts, returnOf } from './refund-after-close.js';

const NAMES: InputNames = { amount: 'Money', reason: 'text', paymentDate: 'text', noticeDate: 'text', proposal: 'Reference' };

/** Money comes back whatever has become of the budget. */
const STATES = ['active', 'on-hold', 'inactive'] as const;

interface Wanted {
  /** Pence, above zero. */
  readonly amount: bigint;
  readonly paymentDate: string;
  readonly reason: string | undefined;
  /** `Task/1`. */
  readonly proposal: string | undefined;
}

export function createRefundOperation({ validate }: { readonly validate: (resource: Resource) => readonly Issue[] }): Operation {
  return proposable('PaymentNotice', 'refund', (request, context) => {
    const input = readInput(request, NAMES, validate);
    const paymentDate = pastDay(input, input.has('paymentDate') ? 'paymentDate' : 'noticeDate', context.now);
    const wanted = { amount: amountOf(input, '$refund'), paymentDate, reason: input.text('reason'), proposal: input.reference('proposal') };
    return act('refund', context, (inside) => refund(request, wanted, inside));
  });
}

async function refund(request: FhirRequest, wanted: Wanted, inside: Inside): Promise<FhirResponse> {
  const byProvider = inside.grant.caller.role === 'provider';
  const notice = byProvider ? await ownSale(request, inside) : await currentOf('PaymentNotice', request, inside, 'optional');
  const claim = claimOf(notice.resource);
  const rows = await paidRows(inside.tx.db, claim, notice.id);
  const locked = await lockAccounts(rows.map(({ account }) => account), inside);
  const refunds = refundsOf(rows, wanted.amount);
  const [first] = refunds;
  const budget = first && locked.budgets.get(first.row.account);
  if (!budget) throw new Error('a payment has rows in the ledger of a budget');
  if (onlyProposes('refund', inside)) {
    const proposed = await propose('refund', notice, { reference: `Patient/${budget.patient}` }, request, inside);
    return byProvider ? proposedWords(proposed) : proposed;
  }
  await settleProposal(wanted.proposal, 'refund', notice, inside);
  const id = inside.parts.newId();
  const facts = factsOf(claim, notice.resource, budget, first, wanted, inside);
  const made = firstVersion(noticeOf(id, facts, { payment: reconciliationOfNotice(notice.resource) ?? '', reverses: notice.id }), { now: inside.now, extract: inside.parts.extract });
  const returned = returnOf(refunds, locked, inside);
  await inside.tx.write([made, ...returned.changes, ...reasonOf(id, claim, wanted.reason, inside)]);
  const back = refunds.map(({ row, amount }) => ({ id: inside.parts.newId(), account: row.account, line: row.line, kind: 'refund', amount, claim, notice: id, reverses: row.id }) as const);
  await post([...back, ...returned.postings.map((one) => ({ ...one, id: inside.parts.newId() }))], { ...ledgerOf(inside), states: STATES });
  return { ...writtenResponse({ ...made, created: true }, request, inside), about: [budget.patient] };
}

const WORDS: Readonly<Record<string, string>> = {
  refund: 'A refund is not given back: if it was wrong, pay the purchase again',
  clawback: 'A clawback is not given back with $refund: pay an advance again',
  advance: 'An advance comes back with Account/$clawback',
};

/** Logical id of the Claim that was paid; throws 422 where the notice is of no payment. */
function claimOf(notice: Resource): string {
  const kind = paymentKind(notice);
  const claim = paidClaim(notice);
  if (kind === 'payment' && claim !== undefined) return claim;
  throw fail('business-rule', { text: WORDS[kind ?? ''] ?? 'This PaymentNotice is no payment of a purchase on a budget', expression: 'PaymentNotice' });
}

/** The money goes back to where it was: the holder of the line, or the owner of the budget. */
function factsOf(claim: string, notice: Resource, budget: Budget, { row }: Refund, { amount, paymentDate }: Wanted, inside: Inside): PaymentFacts {
  const owner = budget.owner ?? '';
  const holder = budget.lines.find(({ line }) => line === row.line)?.holder;
  return {
    kind: 'refund', request: `Claim/${claim}`, budget: chargedAccount(notice) ?? budget.account, owner, issuer: undefined,
    amount, paymentDate, payee: holder ?? `Organization/${owner}`, caller: inside.grant.caller, now: inside.now,
  };
}

/** Why, where the caller says so: a notice has no place for it. */
function reasonOf(notice: string, claim: string, reason: string | undefined, { parts, now, grant }: Inside) {
  if (reason === undefined) return [];
  const why = provenanceOn([`PaymentNotice/${notice}`, `Claim/${claim}`], { id: parts.newId(), activity: 'refund', reason, caller: grant.caller, now });
  return [firstVersion(why, { now, extract: parts.extract })];
}
