// Account/$close: nothing is outstanding, what was not used goes back, and the budget ends today (domain.md 2.1 E1 AC6, 3.8 rule 10,
// rulings 38, 42, 45).
import { servicePeriodOf } from '../../budgets/account/account.js';
import { BASE } from '../../budgets/codes.js';
import { closingMovements, grantedAfter } from '../../budgets/account/closing.js';
import { post } from '../../budgets/ledger/ledger.js';
import { extensionsGranting } from '../../budgets/account/line-change.js';
import { endedByDeath } from '../../budgets/account/nomination.js';
import { checkReview } from '../../budgets/task/review.js';
import { lockBudgets, type Budget } from '../../budgets/ledger/totals.js';
import type { Definitions } from '../../definitions/model.js';
import { fail } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import { londonDate } from '../../fhir/london.js';
import type { FhirRequest, FhirResponse } from '../../fhir/request.js';
import type { Resource } from '../../fhir/resource.js';
import { writtenResponse } from '../../interactions/written-response.js';
import { act, ledgerOf, type Current, type Inside } from '../act.js';
import { budgetAt, requireState, reviewedBudget, seenBy, writeBudget } from './budget-act.js';
import { askForHeldCash } from './held-cash.js';
import { AT, readInput, type InputNames } from '../input.js';
import type { Operation } from '../operation.js';
import { refuseJoined, settleOutstanding } from './outstanding.js';
import { onlyProposes, proposable, propose, settleProposal } from '../proposal.js';
import { cancelReview } from './review-schedule.js';

const NAMES: InputNames = { review: 'Reference', reason: 'text', releaseCommitments: 'boolean', proposal: 'Reference' };
const REASONS = `${BASE}/CodeSystem/close-reason`;
const OPEN = ['active', 'on-hold'];

export interface CloseParts {
  readonly definitions: Pick<Definitions, 'codes'>;
  readonly validate: (resource: Resource) => readonly Issue[];
}

interface Wanted {
  readonly review: string | undefined;
  /** A code of close-reason. */
  readonly reason: string;
  readonly release: boolean;
  readonly proposal: string | undefined;
}

export function createCloseOperation({ definitions, validate }: CloseParts): Operation {
  const reasons = [...(definitions.codes(`${BASE}/ValueSet/close-reason`) ?? [])].flatMap((code) => (code.startsWith('|') ? [code.slice(1)] : []));
  return proposable('Account', 'close', (request, context) => {
    const input = readInput(request, NAMES, validate);
    const reason = input.text('reason');
    if (reason === undefined || !reasons.includes(reason)) throw fail(reason === undefined ? 'required' : 'code-invalid', { text: `$close needs reason: ${reasons.join(', ')}`, expression: AT });
    const wanted = { review: input.reference('review'), reason, release: input.flag('releaseCommitments') === true, proposal: input.reference('proposal') };
    return act('close', context, (inside) => close(request, wanted, inside));
  });
}

async function close(request: FhirRequest, { review, reason, release, proposal }: Wanted, inside: Inside): Promise<FhirResponse> {
  const { account, budget } = await budgetAt(request, OPEN, inside);
  await checkReview(review, account.id, 'close', seenBy(inside));
  await refuseJoined(budget, inside);
  const proposes = onlyProposes('close', inside);
  await settleOutstanding(budget, release, !proposes, inside);
  if (proposes) return propose('close', account, { reference: `Patient/${budget.patient}` }, request, inside);
  await settleProposal(proposal, 'close', account, inside);
  const settled = await budgetNow(account, inside);
  const movements = settled.kind === 'phb' ? closingMovements(settled) : [];
  const why = { activity: 'close', reason, reasonSystem: REASONS };
  const { written, provenance } = await writeBudget(account, closedAccount(account, grantedAfter(settled, movements), reason, inside.now), why, inside);
  const postings = movements.map((movement) => ({ ...movement, id: inside.parts.newId(), account: account.id, provenance }));
  if (postings.length > 0) await post(postings, { ...ledgerOf(inside), states: ['inactive'] });
  await cancelReview(reviewedBudget(account), inside);
  await askForHeldCash(settled, reason, inside);
  return writtenResponse(written, request, inside);
}

/** As it is once commitments have been released. */
async function budgetNow({ id }: Current, { tx }: Inside): Promise<Budget> {
  const budget = (await lockBudgets(tx.db, [id])).get(id);
  if (!budget) throw new Error(`Account/${id} was a budget a moment ago`);
  requireState(budget, OPEN);
  return budget;
}

function closedAccount({ resource }: Current, granted: ReadonlyMap<string, bigint>, reason: string, now: number): Readonly<Record<string, unknown>> {
  const today = londonDate(now);
  const { start, end } = servicePeriodOf(resource);
  // A budget that never began ends where it would have begun; one that was over already stays so.
  const last = start !== undefined && start > today ? start : today;
  const extension = extensionsGranting(resource, granted);
  return {
    status: 'inactive',
    servicePeriod: { ...(resource['servicePeriod'] as object | undefined), end: end !== undefined && end < last ? end : last },
    extension: reason === 'death' ? endedByDeath(extension, now) : extension,
  };
}
