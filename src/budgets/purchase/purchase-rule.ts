// What every write of a purchase meets, by POST, PUT, PATCH, in a transaction or from an operation: marked by its budget or its type, never
// by its profile. It is completed from its budget, judged, and its money moves with it (domain.md rulings 2, 11, 33, 53; 3.8).
import type { Definitions } from '../../definitions/model.js';
import { asObject, asObjects } from '../../fhir/elements.js';
import { fail, FhirError } from '../../fhir/errors.js';
import { refuse } from '../../fhir/faults.js';
import type { JsonDocument } from '../../fhir/json-text.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import type { Write, WriteContext, WriteRule } from '../../store/rule.js';
import { patientOf } from '../account/account.js';
import { checkCitations } from '../care-plan/care-plan-citations.js';
import { ALLOCATION_ID, businessError, OUTSTANDING, OVERSPEND, RECORDED_BY } from '../codes.js';
import { checkPlanned } from '../account/direct-payment.js';
import { fulfilments, planTaken, type Fulfilment } from './fulfilment.js';
import { drawJointly } from './joint-draw.js';
import type { Share } from './joint-split.js';
import { approvalWarning, judgeOverspend, overspendWarning, unchanged, type Overspend } from './overspend.js';
import { forgetPlanned } from './planned.js';
import { budgetOf, claimant, isCommitment, isOutstanding, isPurchase, itemsOf, recordedBy, withExtension } from './purchase.js';
import { totalOf } from './purchase-amounts.js';
import { besideAlone, requireAlone, type BoughtAlone } from './purchase-alone.js';
import { checkEvidence } from './purchase-evidence.js';
import { takeKeys } from './purchase-keys.js';
import { lineFor } from './purchase-line.js';
import { checkLifecycle, isActive, isEnded, refuseOtherBudget, riseOf, staysAsIs } from './purchase-lifecycle.js';
import { entriesOf, type Entries } from './purchase-entry.js';
import { movePurchase, releasePurchase } from './purchase-money.js';
import { checkNominee, checkRole } from './purchase-recorders.js';
import { askApproval, flagOverspend, settleApproval } from './purchase-task.js';
import { checkExcluded, periodFaults } from './purchase-terms.js';
import { recorderOf } from './recorder.js';
import { lockBudgets, seenAccount, type Budget, type BudgetLine } from '../ledger/totals.js';

/** What a purchase draws on and how, found out when it is completed. */
interface Drawn {
  readonly budget: Budget;
  readonly account: Resource;
  /** Its total in pence, where that is right. */
  readonly asked: bigint | undefined;
  /** Undefined on a joint budget, which has none of its own. */
  readonly line: BudgetLine | undefined;
  /** What it takes of each line, where it is active. */
  readonly shares: readonly Share[];
  /** It was active before, and moves no money now. */
  readonly stays: boolean;
  /** The Accounts that pay: its own, and those in a joint one. */
  readonly payers: readonly Resource[];
  readonly insurance: readonly JsonObject[] | undefined;
  /** Commitments that give to it, as it becomes active or dearer. */
  readonly fulfilled: readonly Fulfilment[];
  readonly spend: Overspend;
  readonly entries: Entries;
}

/**
 * Of purchases, or of the commitments to them: each Claim is concerned by one of the two rules. Commitments are a rule of their own so that
 * those of a transaction are stored, with their money, before the purchases that fulfil them.
 */
export function createPurchaseRule(definitions: Definitions, of: 'commitments' | 'purchases'): WriteRule {
  // By the document of the write: the same from its completion to its end.
  const drawn = new WeakMap<JsonDocument, Drawn>();
  return {
    concerns: ({ type, before, after }) => type === 'Claim' && (isPurchase(before) || isPurchase(after)) && isCommitment(after ?? before) === (of === 'commitments'),
    async complete(write, context) {
      const { after, before, document } = write;
      if (!after || !document || !isPurchase(after)) return undefined;
      const found = await drawOn(write, after, definitions, context);
      if (context.tx.looksOnly) requireAlone(aloneOf(after, found));
      drawn.set(document, found);
      return completion(after, before, found, await recorderOf(after, before, definitions, context));
    },
    async check(write, context) {
      const { before, after, document } = write;
      if (!after || !document) {
        refuseDeletion(write);
        await takeKeys(context.tx.db, write.id, before, undefined);
        await settleApproval(write.id, 'cancelled', undefined, context);
        return;
      }
      const found = drawn.get(document);
      if (!found) throw fail('business-rule', { text: 'A purchase stays one: keep its ext-budget', expression: 'Claim.extension', coding: businessError('FORBIDDEN_UPDATE') });
      checkRole(before, after, context);
      if (claimant(after) !== patientOf(found.account)) throw fail('business-rule', { text: 'The purchase is for another patient than the budget\'s', expression: 'Claim.patient' });
      const total = found.asked ?? totalOf(document);
      await checkLifecycle({ before, after, total, ...found }, context);
      if (!isEnded(after)) await checkContents(before, after, found, definitions, context);
      checkNominee(found.account, total, context);
      if (!context.tx.looksOnly) await takeKeys(context.tx.db, write.id, before, after);
    },
    alone: true,
    beside({ after, document }, context) {
      const found = context.tx.looksOnly && document ? drawn.get(document) : undefined;
      return Promise.resolve(found && after && besideAlone(aloneOf(after, found), context));
    },
    async after(write, context) {
      const { after, before, document } = write;
      const found = document && drawn.get(document);
      if (!after || !document || !found) return;
      if (isActive(after) && !found.stays) await movePurchase({ id: write.id, before, after, overdraw: found.spend.overdraw, ...found }, context);
      else if (!isActive(after) && isActive(before)) await releasePurchase(write.id, context);
      forgetPlanned(context.tx);
      await tell(write.id, { before, after }, found, context);
    },
  };
}

const aloneOf = (after: Resource, { budget, line, shares: [share] }: Drawn): BoughtAlone => ({ after, budget, line, amount: share?.amount });

/** What was bought, when and what for; what an earlier version said already stands. */
async function checkContents(before: Resource | undefined, after: Resource, { account, payers, budget, line, entries }: Drawn, definitions: Definitions, context: WriteContext): Promise<void> {
  refuse([...entries.faults, ...(isActive(before) ? [] : periodFaults(after, budget))]);
  checkExcluded(before, after, context);
  await checkEvidence(before, after, context);
  await checkCitations(after, before, payers, definitions, context);
  if (isActive(after) && !isActive(before) && line?.model === 'direct-payment') await checkPlanned(account, context.tx);
}

async function drawOn({ before, document }: Write, after: Resource, definitions: Definitions, context: WriteContext): Promise<Drawn> {
  const id = budgetOf(after);
  if (id === undefined) throw fail('required', { text: 'A purchase names its budget: one ext-budget with a reference, Account/[id]', expression: 'Claim.extension' });
  refuseOtherBudget(before, after);
  // A nomination that ends while its nominee buys has ended before: both take the budget's lock.
  if (context.caller.role === 'nominee') await lockBudgets(context.tx.db, [id]);
  const seen = await seenAccount({ db: context.tx.db, definitions }, context.grant, id);
  if (!seen) throw fail('reference-not-found', { text: `There is no Account/${id} that is a budget`, expression: 'Claim.extension' });
  const { budget, resource: account } = seen;
  const asked = document && totalIfRight(document);
  const total = isActive(after) ? asked : undefined;
  const entries = document && asked !== undefined ? await entriesOf(after, before, document, context) : NO_ENTRIES;
  if (budget.kind === 'joint-budget' && document) {
    if (total !== undefined) await lockCited(after, context);
    const { parts, ...draw } = await drawJointly({ before, after, document, account, total }, () => fulfilments(before, after, context), context);
    if (total !== undefined) planTaken(draw.fulfilled, riseOf(before, total), context.tx);
    return { budget, account, asked, line: undefined, payers: [account, ...parts], spend: { overdraw: false, awaits: false }, entries, ...draw };
  }
  const line = await lineFor(after, budgetOf(before) === id ? before : undefined, budget, context);
  const wasActive = isActive(before);
  const stays = total !== undefined && staysAsIs(before, total, line.line);
  const fulfilled = isActive(after) && !stays ? await fulfilments(before, after, context) : [];
  const rise = riseOf(before, total ?? 0n);
  if (line.mayOverdraw) await lockCited(after, context);
  const spend = total === undefined ? { overdraw: false, awaits: false } : stays ? unchanged(before, line) : await judgeOverspend({ after, budget, line, fulfilled, wasActive, total, rise }, context);
  const shares = total === undefined ? [] : [{ account: id, line: line.line, amount: total }];
  if (total !== undefined && !spend.awaits) planTaken(fulfilled, rise, context.tx);
  return { budget, account, asked, line, shares, stays, payers: [account], insurance: insuranceOf(after, account), fulfilled: spend.awaits ? [] : fulfilled, spend, entries };
}

const NO_ENTRIES: Entries = { items: undefined, faults: [] };

/** The plans before the budget: in the order in which a purchase takes them whose line may not go below zero. */
async function lockCited(after: Resource, { tx }: WriteContext): Promise<void> {
  const plans = new Set(itemsOf(after).flatMap(({ activities }) => activities.flatMap(({ plan }) => plan ?? [])));
  for (const plan of [...plans].sort()) await tx.lock('CarePlan', plan);
}

/** Undefined for amounts that the check is going to refuse. */
function totalIfRight(document: JsonDocument): bigint | undefined {
  try {
    return totalOf(document);
  } catch (error) {
    if (error instanceof FhirError) return undefined;
    throw error;
  }
}

/** What the server fills in: the line, who records, what is left to pay and overspent, and the coverage that stands for the budget. */
function completion(after: Resource, before: Resource | undefined, { line, insurance, spend, entries: { items } }: Drawn, recorder: string): Readonly<Record<string, unknown>> {
  const active = isActive(after) && !spend.awaits;
  let extension = withExtension(asObjects(after['extension']), ALLOCATION_ID, line && { valueId: line.line });
  if (recordedBy(after) !== recorder) extension = withExtension(extension, RECORDED_BY, { valueReference: { reference: recorder } });
  // Settled by what is paid, once it is active.
  extension = withExtension(extension, OUTSTANDING, { valueBoolean: active && (!isActive(before) || isOutstanding(before)) });
  extension = withExtension(extension, OVERSPEND, spend.missing === undefined ? undefined : { valueBoolean: true });
  return { extension, ...(insurance && { insurance }), ...(items && { item: items }), ...(spend.awaits && { status: 'draft' }) };
}

/** The budget's coverage where the Claim names none; a budget has one. */
function insuranceOf(after: Resource, account: Resource): readonly JsonObject[] | undefined {
  const coverage = asObject(asObjects(account['coverage'])[0]?.['coverage']);
  const sent = asObjects(after['insurance']);
  if (coverage === undefined || sent.some((one) => asObject(one['coverage'])?.['reference'] !== undefined)) return undefined;
  return [{ sequence: 1, focal: true, coverage: { reference: coverage['reference'] ?? '' } }];
}

function refuseDeletion({ before }: Write): void {
  if (before?.['status'] === 'draft') return;
  throw fail('business-rule', { text: 'A purchase is never deleted: set its status to cancelled or entered-in-error', expression: 'Claim' });
}

/** The author is warned, and the commissioner has a Task. */
async function tell(id: string, { before, after }: { readonly before: Resource | undefined; readonly after: Resource }, { budget, line, spend: { awaits, missing } }: Drawn, context: WriteContext): Promise<void> {
  if (awaits && line) {
    const warning = approvalWarning(line);
    context.warn(warning);
    await askApproval({ id, budget }, warning.text, context);
  } else if (line && missing !== undefined && missing > 0n) {
    const warning = overspendWarning(line, missing);
    context.warn(warning);
    await flagOverspend({ id, budget }, warning.text, context);
  } else if (before && !isActive(after)) await settleApproval(id, 'cancelled', undefined, context);
}
