// What a write may change of a budget that is open: a client the words about it, an operation its own part, and nobody its money
// unseen (domain.md 2.1 E1 AC5; rulings 2, 11, 15).
import { toPence } from '../../fhir/decimal.js';
import { asText } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import { refuse } from '../../fhir/faults.js';
import type { JsonDocument } from '../../fhir/json-text.js';
import type { Resource } from '../../fhir/resource.js';
import type { Write, WriteContext } from '../../store/rule.js';
import { allocationsOf, budgetKind, codeExtension, eligibilityOf, managersOf, ownerOf, parentOf, patientOf, plansOf } from './account.js';
import { mayChange, OPERATIONS, type Owned } from './acts.js';
import { FUNDING_SOURCE, OVERSPEND_POLICY } from '../codes.js';
import { eligibilityFaults } from './eligibility.js';
import { coveragesIn } from './joint.js';
import { amountsOf, checkHolders, lineFaults, lineText } from './lines.js';
import { checkDuplicate, checkOwner } from './opening.js';
import { referred, speaksFor, speaksForSuccessor } from '../referred.js';
import { mayOverdraw, periodOf } from './register.js';
import { lockBudgets, type Budget } from '../ledger/totals.js';
import { availableOf } from '../ledger/postings.js';
import { forbiddenUpdate } from '../forbidden-update.js';

export interface Amendment {
  readonly before: Resource;
  readonly after: Resource;
  readonly document: JsonDocument;
}

/** Throws the refusal of a change of an open budget; the budget is locked from here on. */
export async function checkAmendment({ before, after, document }: Amendment, write: Write, context: WriteContext): Promise<void> {
  if (context.act === undefined && (write.ifMatch === undefined || write.ifMatch === '*')) throw fail('if-match-required');
  refuseFixed(before, after);
  refuseOwned({ before, after, document }, context.act);
  const budget = (await lockBudgets(context.tx.db, [write.id])).get(write.id);
  if (before['status'] !== after['status'] && context.act === undefined) refuseVoid(after, budget);
  if (budgetKind(after) === 'joint-budget') return;
  refuseStricterPolicy(after, budget);
  refuse(mayChange(context.act, 'lines') ? await lineFaults(after, before, context) : []);
  if (mayChange(context.act, 'lines')) await checkHolders(after, before, context);
  await checkGrounds(before, after, context);
}

/** What no one changes. */
function refuseFixed(before: Resource, after: Resource): void {
  if (patientOf(before) !== patientOf(after)) throw forbiddenUpdate('The patient of a budget can\'t be changed: close it and open one for the other patient', 'Account.subject');
  if (codeExtension(before, FUNDING_SOURCE) !== codeExtension(after, FUNDING_SOURCE)) throw forbiddenUpdate('The funding source of a budget can\'t be changed: close it and open another', 'Account.extension');
  if (budgetKind(after) === 'phb' && text(before['coverage']) !== text(after['coverage'])) throw forbiddenUpdate('Account.coverage is the server\'s: leave it as it is, or out', 'Account.coverage');
}

function refuseOwned({ before, after, document }: Amendment, act: string | undefined): void {
  const keep = (part: Owned, same: boolean, expression: string): void => {
    if (!same && !mayChange(act, part)) throw forbiddenUpdate(OPERATIONS[part], expression);
  };
  keep('lines', linesText(before) === linesText(after) && sameAmounts(before, after, document), 'Account.extension');
  keep('status', before['status'] === after['status'] || after['status'] === 'entered-in-error', 'Account.status');
  keep('managers', text(managersOf(before).map(withoutPlace)) === text(managersOf(after).map(withoutPlace)), 'Account.extension');
  keep('plans', text(plansOf(before).map(withoutPlace)) === text(plansOf(after).map(withoutPlace)), 'Account.extension');
  keep('parent', parentOf(before) === parentOf(after), 'Account.partOf');
  keep('parts', text(coveragesIn(before).sort()) === text(coveragesIn(after).sort()), 'Account.coverage');
}

const text = (value: unknown): string => JSON.stringify(value);
const withoutPlace = <T extends { readonly index: number }>({ index: _index, ...rest }: T): Omit<T, 'index'> => rest;
const linesText = (account: Resource): string => allocationsOf(account).map(lineText).join();

/** By value: a client may write 12000 for 12000.00. What is stored was found to be whole pence, and a double prints as many digits exactly. */
function sameAmounts(before: Resource, after: Resource, document: JsonDocument): boolean {
  const amounts = amountsOf(after, document);
  return allocationsOf(before).every(({ lineId, amount }) => toPence(numberText(amount?.['value'])) === amounts.get(lineId ?? ''));
}

const numberText = (value: unknown): string => (typeof value === 'number' ? String(value) : '');

/** A budget that was a mistake may be marked so, as long as nothing was ever taken from it. */
function refuseVoid(after: Resource, budget: Budget | undefined): void {
  if (after['status'] !== 'entered-in-error') return;
  if (!budget || (budget.committed === 0n && budget.spent === 0n && budget.disbursed === 0n)) return;
  throw fail('business-rule', { text: 'Money of this budget is reserved, spent or with its holder, so it was no error: use Account/$close', expression: 'Account.status' });
}

function refuseStricterPolicy(after: Resource, budget: Budget | undefined): void {
  const policy = codeExtension(after, OVERSPEND_POLICY);
  const below = budget?.lines.find((line) => availableOf(line) < 0n && !mayOverdraw(line.model, policy));
  if (below) throw fail('business-rule', { text: `Line ${below.line} is overspent: adjust it before the policy becomes block`, expression: 'Account.extension' });
}

/** Owner, decision and period, each judged where it changes: the age counts at the later of the start and the new decision (a budget is re-based at 18). */
async function checkGrounds(before: Resource, after: Resource, context: WriteContext): Promise<void> {
  const moved = ownerOf(before) !== ownerOf(after);
  const decided = text(eligibilityOf(before)) !== text(eligibilityOf(after));
  const renewed = text(before['servicePeriod']) !== text(after['servicePeriod']) || before['status'] !== after['status'];
  if (!moved && !decided && !renewed) return;
  const owner = await checkOwner(after, context);
  if (moved && !(await speaksForSuccessor(await checkOwner(before, context), context))) throw fail('forbidden', { text: 'A budget is handed over by the organisation that owns it, or the one that took it over (Organization.partOf)', expression: 'Account.owner' });
  if (decided) {
    const patient = await referred(`Patient/${patientOf(after)}`, ['Patient'], 'Account.subject', context);
    const at = Math.max(periodOf(after).lo, decidedAt(after));
    refuse(eligibilityFaults(eligibilityOf(after), { birthDate: asText(patient['birthDate']), at, now: context.now, byOwner: speaksFor(owner, context) }));
  }
  if (after['status'] === 'active') await checkDuplicate(after, owner, context);
}

function decidedAt(account: Resource): number {
  const { decidedOn } = eligibilityOf(account) ?? {};
  return decidedOn === undefined ? 0 : periodOf({ resourceType: 'Account', servicePeriod: { start: decidedOn } }).lo;
}
