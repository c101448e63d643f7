// Account/$clawback: cash that a holder has not used goes back to the commissioner, on a ground of the law and after written notice
// (SI 2013/1617, regulation 15; domain.md 3.8 rule 8, rulings 37 and 38).
import { budgetKind } from '../../budgets/account/account.js';
import { BASE, businessError } from '../../budgets/codes.js';
import { directLine } from '../../budgets/account/direct-payment.js';
import { post } from '../../budgets/ledger/ledger.js';
import { extensionsGranting } from '../../budgets/account/line-change.js';
import { noticeOf, reconciliationOf, type ClawbackFacts, type PaymentFacts } from '../../budgets/payment/payment-resources.js';
import { provenanceOf } from '../../budgets/ledger/provenance.js';
import { heldByHolder, lockBudgets, type Budget, type BudgetLine } from '../../budgets/ledger/totals.js';
import type { Definitions } from '../../definitions/model.js';
import { poundsText } from '../../fhir/decimal.js';
import { fail } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import type { FhirRequest, FhirResponse } from '../../fhir/request.js';
import type { Resource } from '../../fhir/resource.js';
import { firstVersion } from '../../interactions/amend.js';
import { writtenResponse } from '../../interactions/written-response.js';
import type { Change } from '../../store/store.js';
import { act, amendment, currentOf, ledgerOf, type Current, type Inside } from '../act.js';
import { AT, readInput, type Input, type InputNames } from '../input.js';
import type { Operation } from '../operation.js';
import { dayOf, pastDay } from './payment-date.js';
import { amountOf } from './payment-input.js';
import { onlyProposes, proposable, propose, settleProposal } from '../proposal.js';

const NAMES: InputNames = { amount: 'Money', reason: 'text', noticeDate: 'text', deadline: 'text', paymentDate: 'text', allocationId: 'text', proposal: 'Reference' };
const STATES = ['active', 'on-hold', 'inactive'] as const;

interface Wanted extends Omit<ClawbackFacts, 'payer'> {
  /** Pence, above zero. */
  readonly amount: bigint;
  readonly paymentDate: string;
  /** lineId. */
  readonly allocationId: string | undefined;
  /** `Task/1`. */
  readonly proposal: string | undefined;
}

export interface ClawbackParts {
  readonly definitions: Pick<Definitions, 'codes'>;
  readonly validate: (resource: Resource) => readonly Issue[];
}

export function createClawbackOperation({ definitions, validate }: ClawbackParts): Operation {
  const grounds = new Set([...(definitions.codes(`${BASE}/ValueSet/clawback-ground`) ?? [])].flatMap((code) => (code.startsWith('|') ? [code.slice(1)] : [])));
  return proposable('Account', 'clawback', (request, context) => {
    const wanted = wantedOf(readInput(request, NAMES, validate), grounds, context.now);
    return act('clawback', context, (inside) => clawback(request, wanted, inside));
  });
}

function wantedOf(input: Input, grounds: ReadonlySet<string>, now: number): Wanted {
  const ground = input.text('reason');
  if (ground === undefined || !input.has('noticeDate')) throw fail('required', { text: '$clawback needs amount, reason (a code of clawback-ground) and noticeDate, the day the holder was told in writing', expression: AT });
  if (!grounds.has(ground)) throw fail('code-invalid', { text: `reason is a ground of the law: ${[...grounds].join(', ')}`, expression: AT });
  const noticeDate = pastDay(input, 'noticeDate', now);
  const deadline = dayOf(input, 'deadline');
  if (deadline !== undefined && deadline < noticeDate) throw fail('business-rule', { text: 'The deadline is before the notice', expression: AT });
  return {
    amount: amountOf(input, '$clawback'), ground, noticeDate, deadline, paymentDate: pastDay(input, 'paymentDate', now),
    allocationId: input.text('allocationId'), proposal: input.reference('proposal'),
  };
}

async function clawback(request: FhirRequest, wanted: Wanted, inside: Inside): Promise<FhirResponse> {
  const account = await currentOf('Account', request, inside, 'optional');
  const budget = await budgetOf(account, inside);
  const line = directLine(budget, wanted.allocationId, 'ended too');
  refuseMore(line, wanted.amount);
  if (onlyProposes('clawback', inside)) return propose('clawback', account, { reference: `Patient/${budget.patient}` }, request, inside);
  await settleProposal(wanted.proposal, 'clawback', account, inside);
  const [reconciliation, notice] = [inside.parts.newId(), inside.parts.newId()];
  const facts = factsOf(budget, wanted, inside);
  const stored = { now: inside.now, extract: inside.parts.extract };
  const made = firstVersion(noticeOf(notice, facts, { payment: reconciliation, clawback: { ...wanted, payer: line.holder } }), stored);
  const changes = budget.state === 'inactive' ? [] : lessGranted(account, line, wanted, inside);
  await inside.tx.write([firstVersion(reconciliationOf(reconciliation, 'clawback', facts), stored), made, ...changes]);
  const of = budget.state === 'inactive' ? 'held' : 'held-and-granted';
  await post([{ id: inside.parts.newId(), account: account.id, line: line.line, kind: 'clawback', of, amount: wanted.amount, notice }], { ...ledgerOf(inside), states: STATES });
  return { ...writtenResponse({ ...made, created: true }, request, inside), about: [budget.patient] };
}

async function budgetOf({ id, resource }: Current, { tx }: Inside): Promise<Budget> {
  const budget = (await lockBudgets(tx.db, [id])).get(id);
  if (!budget || budgetKind(resource) !== 'phb') throw fail('business-rule', { text: 'This Account has no lines, so no holder has money of it: use the budget itself', expression: 'Account' });
  if (STATES.some((state) => state === budget.state)) return budget;
  throw fail('business-rule', { text: `The budget is ${budget.state}`, coding: businessError('ACCOUNT_NOT_ACTIVE') });
}

function refuseMore(line: BudgetLine, amount: bigint): void {
  const held = heldByHolder([line]);
  if (amount <= held) return;
  const text = `The holder of line ${line.line} has £${poundsText(held > 0n ? held : 0n)} of it, and £${poundsText(amount)} is asked back. What was spent wrongly comes back with PaymentNotice/$refund first`;
  throw fail('business-rule', { text, expression: AT, coding: businessError('INSUFFICIENT_FUNDS') });
}

/** An open budget shrinks by what goes back: its Account shows so, and why. A line that has ended is shown no more. */
function lessGranted(account: Current, { line, allocated, ended }: BudgetLine, { amount, ground }: Wanted, inside: Inside): Change[] {
  if (ended) return [];
  const { parts, now, grant } = inside;
  const why = provenanceOf({ id: parts.newId(), account: account.id, version: account.version + 1, activity: 'clawback', reason: ground, caller: grant.caller, now });
  const extension = extensionsGranting(account.resource, new Map([[line, allocated - amount]]));
  return [amendment(account, { extension }, inside), firstVersion(why, { now, extract: parts.extract })];
}

function factsOf(budget: Budget, { amount, paymentDate }: Wanted, { grant, now }: Inside): PaymentFacts {
  const owner = budget.owner ?? '';
  return { kind: 'clawback', request: `Account/${budget.account}`, budget: budget.account, owner, issuer: undefined, amount, paymentDate, payee: `Organization/${owner}`, caller: grant.caller, now };
}
