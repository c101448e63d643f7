// What every write of a purchase meets, by POST, PUT, PATCH, in a transaction or from an operation: marked by its budget or its type, never
// by its profile. It is completed from its budget, judged, and its money moves with it (domain.md rulings 2, 11, 33, 53; 3.8).
import type { Definitions } from '../definitions/model.js';
import { asObject, asObjects } from '../fhir/elements.js';
import { fail } from '../fhir/errors.js';
import type { JsonDocument } from '../fhir/json-text.js';
import type { JsonObject, Resource } from '../fhir/resource.js';
import type { Write, WriteContext, WriteRule } from '../store/rule.js';
import { patientOf } from './account.js';
import { ALLOCATION_ID, businessError, OUTSTANDING, OVERSPEND, RECORDED_BY } from './codes.js';
import { budgetOf, claimant, isOutstanding, isPurchase, recordedBy, withExtension } from './purchase.js';
import { totalOf } from './purchase-amounts.js';
import { takeKeys } from './purchase-keys.js';
import { lineFor } from './purchase-line.js';
import { checkLifecycle, isActive, refuseOtherBudget } from './purchase-lifecycle.js';
import { movePurchase, releasePurchase } from './purchase-money.js';
import { recorderOf } from './recorder.js';
import { seenAccount, type Budget, type BudgetLine } from './totals.js';

/** What a purchase draws on, found out when it is completed. */
export interface Drawn {
  readonly budget: Budget;
  readonly account: Resource;
  readonly line: BudgetLine;
}

export function createPurchaseRule(definitions: Definitions): WriteRule {
  // By the document of the write: the same from its completion to its end.
  const drawn = new WeakMap<JsonDocument, Drawn>();
  return {
    concerns: (write) => write.type === 'Claim' && (isPurchase(write.before) || isPurchase(write.after)),
    async complete(write, context) {
      const { after, before, document } = write;
      if (!after || !document || !isPurchase(after)) return undefined;
      const found = await drawOn(after, before, definitions, context);
      drawn.set(document, found);
      return completion(after, before, found, await recorderOf(after, before, definitions, context));
    },
    async check(write, context) {
      const { before, after, document } = write;
      if (!after || !document) {
        refuseDeletion(write);
        return;
      }
      const found = drawn.get(document);
      if (!found) throw fail('business-rule', { text: 'A purchase stays one: keep its ext-budget', expression: 'Claim.extension', coding: businessError('FORBIDDEN_UPDATE') });
      if (claimant(after) !== patientOf(found.account)) throw fail('business-rule', { text: 'The purchase is for another patient than the budget\'s', expression: 'Claim.patient' });
      const total = totalOf(after, document);
      await checkLifecycle({ before, after, total, ...found }, context);
      await takeKeys(context.tx.db, write.id, before, after);
    },
    async after(write, context) {
      const { after, before, document } = write;
      const found = document && drawn.get(document);
      if (!after || !document || !found) return;
      if (isActive(after)) await movePurchase({ id: write.id, before, after, total: totalOf(after, document), ...found }, context);
      else if (isActive(before)) await releasePurchase(write.id, context);
    },
  };
}

async function drawOn(after: Resource, before: Resource | undefined, definitions: Definitions, context: WriteContext): Promise<Drawn> {
  const account = budgetOf(after);
  if (account === undefined) throw fail('required', { text: 'A purchase names its budget: one ext-budget with a reference, Account/[id]', expression: 'Claim.extension' });
  refuseOtherBudget(before, after);
  const seen = await seenAccount({ db: context.tx.db, definitions }, context.grant, account);
  if (!seen) throw fail('reference-not-found', { text: `There is no Account/${account} that is a budget`, expression: 'Claim.extension' });
  return { budget: seen.budget, account: seen.resource, line: await lineFor(after, budgetOf(before) === account ? before : undefined, seen.budget, context) };
}

/** What the server fills in: the line, who records, whether something is left to pay, and the coverage that stands for the budget. */
function completion(after: Resource, before: Resource | undefined, { account, line }: Drawn, recorder: string): Readonly<Record<string, unknown>> {
  let extension = asObjects(after['extension']);
  extension = withExtension(extension, ALLOCATION_ID, { valueId: line.line });
  if (recordedBy(after) !== recorder) extension = withExtension(extension, RECORDED_BY, { valueReference: { reference: recorder } });
  // Settled by what is paid, once it is active.
  const outstanding = isActive(after) && (!isActive(before) || isOutstanding(before));
  extension = withExtension(extension, OUTSTANDING, outstanding ? { valueBoolean: true } : undefined);
  extension = withExtension(extension, OVERSPEND, undefined);
  const insurance = insuranceOf(after, account);
  return { extension, ...(insurance && { insurance }) };
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
