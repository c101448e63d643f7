// What every write of a budget's Account meets, by POST, PUT, PATCH, in a transaction or from an operation: marked by its type, never
// by its profile. It opens the budget's rows and its ledger, and keeps them in step (domain.md rulings 2, 3, 11, 15, 17, 44).
import { asObject, asObjects, asText, referenceId } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import type { Resource } from '../../fhir/resource.js';
import type { Write, WriteContext, WriteRule } from '../../store/rule.js';
import { budgetKind, eligibilityOf, ownerOf, patientOf } from './account.js';
import { mayChange } from './acts.js';
import { checkAmendment } from './amendment.js';
import { COVERAGE_TYPE } from '../codes.js';
import { amountsOf, withLineIds } from './lines.js';
import { checkOpening } from './opening.js';
import { post } from '../ledger/ledger.js';
import { settleNewBasis } from './outgrown.js';
import { provenanceOf } from '../ledger/provenance.js';
import { saveBudget } from './register.js';
import { readBudgets } from '../ledger/totals.js';
import { forbiddenUpdate } from '../forbidden-update.js';

export function createAccountRule(): WriteRule {
  return {
    concerns: (write) => write.type === 'Account' && (budgetKind(write.before) !== undefined || budgetKind(write.after) !== undefined),
    complete: (write, context) => Promise.resolve(complete(write, context)),
    async check(write, context) {
      const { before, after, document } = write;
      if (!after || !document) throw fail('business-rule', { text: 'A budget is never deleted: close it with Account/$close, or set its status to entered-in-error', expression: 'Account' });
      refuseOtherMark(before, after);
      if (before && budgetKind(before) !== undefined) await checkAmendment({ before, after, document }, write, context);
      else await checkOpening(after, write, context);
    },
    async after(write, context) {
      if (!write.after) return;
      await saveBudget(context.tx.db, write.after, context.now);
      const outgrown = eligibilityOf(write.before)?.basis;
      if (outgrown !== undefined && outgrown !== eligibilityOf(write.after)?.basis) await settleNewBasis(write.id, outgrown, context);
      if (budgetKind(write.before) === 'phb' && ownerOf(write.before) !== ownerOf(write.after)) await context.put(coverageOf(write.after));
      if (budgetKind(write.before) === undefined) await open(write, write.after, context);
      else if (write.after['status'] === 'entered-in-error' && write.before?.['status'] !== 'entered-in-error') await empty(write.id, write.before, context);
    },
  };
}

/** What the server owns: an id for every line, and the Coverage that stands for the funding in every Claim. */
function complete({ before, after }: Write, { newId, act }: WriteContext): Readonly<Record<string, unknown>> | undefined {
  if (!after || budgetKind(after) === undefined) return undefined;
  if (budgetKind(after) === 'joint-budget') return partsOf(before, after, act);
  const open = budgetKind(before) === undefined ? undefined : before;
  const extension = withLineIds(after, open, newId);
  if (!open && after['coverage'] !== undefined) throw forbiddenUpdate('Account.coverage is made by the server: leave it out', 'Account.coverage');
  const coverage = open ? open['coverage'] : [{ coverage: { reference: `Coverage/${newId()}` }, priority: 1 }];
  return { ...(extension && { extension }), ...(after['coverage'] === undefined && { coverage }) };
}

/** The budgets of a joint one stay where a write leaves them out; $leave alone takes the last of them away. */
function partsOf(before: Resource | undefined, after: Resource, act: string | undefined): Readonly<Record<string, unknown>> | undefined {
  const coverage = before?.['coverage'];
  return after['coverage'] === undefined && coverage !== undefined && !mayChange(act, 'parts') ? { coverage } : undefined;
}

function refuseOtherMark(before: Resource | undefined, after: Resource): void {
  const mark = budgetKind(before);
  if (mark !== undefined && mark !== budgetKind(after)) throw forbiddenUpdate('What a budget is can\'t be changed: keep its code of account-type', 'Account.type');
}

async function open({ before, document }: Write, account: Resource, context: WriteContext): Promise<void> {
  if (budgetKind(account) !== 'phb' || !document) return;
  await context.add(coverageOf(account));
  const { id = '' } = account;
  const provenance = context.newId();
  await context.add(provenanceOf({ id: provenance, account: id, version: nextVersion(before), activity: context.act ?? 'open', caller: context.caller, now: context.now }));
  const postings = [...amountsOf(account, document)].map(([line, amount]) => ({ id: context.newId(), account: id, line, kind: 'allocation', amount, provenance }) as const);
  await post(postings, { db: context.tx.db, caller: context.caller, now: context.now });
}

const nextVersion = (before: Resource | undefined): number => Number(asText(asObject(before?.['meta'])?.['versionId']) ?? 0) + 1;

function coverageOf(account: Resource): Resource {
  const [first] = asObjects(account['coverage']);
  return {
    resourceType: 'Coverage',
    id: referenceId(asObject(first?.['coverage']), 'Coverage') ?? '',
    status: 'active',
    type: { coding: [{ system: COVERAGE_TYPE, code: 'phb-funding' }] },
    beneficiary: { reference: `Patient/${patientOf(account)}` },
    payor: [{ reference: `Organization/${ownerOf(account)}` }],
  };
}

/** A budget that was entered in error holds nothing: what was granted is taken off again. */
async function empty(account: string, before: Resource | undefined, context: WriteContext): Promise<void> {
  const lines = (await readBudgets(context.tx.db, [account])).get(account)?.lines ?? [];
  const granted = lines.filter(({ allocated }) => allocated !== 0n);
  const provenance = context.newId();
  await context.add(provenanceOf({ id: provenance, account, version: nextVersion(before), activity: 'entered-in-error', caller: context.caller, now: context.now }));
  const postings = granted.map(({ line, allocated }) => ({ id: context.newId(), account, line, kind: 'adjustment', amount: -allocated, provenance }) as const);
  await post(postings, { db: context.tx.db, caller: context.caller, now: context.now, states: ['entered-in-error'] });
}
