// What a purchase on a joint budget draws on: the budgets in it are locked, and its money is found on their lines (domain.md 3.8 rules 9
// and 11; rulings 20 and 56).
import { asObjects, codesOf, referenceId } from '../../fhir/elements.js';
import { fail, FhirError } from '../../fhir/errors.js';
import type { JsonDocument } from '../../fhir/json-text.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import { serverGrant } from '../../search/grant.js';
import type { WriteContext } from '../../store/rule.js';
import { codeExtension } from '../account/account.js';
import { BASE, businessError, DRAW_POLICY } from '../codes.js';
import { checkPlanned } from '../account/direct-payment.js';
import { takeFrom, type Fulfilment } from './fulfilment.js';
import { heldIn, lockHoldings } from '../ledger/holdings.js';
import { coverageOf, coveragesIn, prioritiesOf } from '../account/joint.js';
import { keep, merged, split, type Categories, type Pot, type Share, type Source } from './joint-split.js';
import { readPence } from '../ledger/money.js';
import { sumOf } from '../ledger/shares.js';
import { plannedIn } from './planned.js';
import { availableOf } from '../ledger/postings.js';
import { isActive, isEnded, riseOf, staysAsIs } from './purchase-lifecycle.js';
import { itemsOf, lineOf } from './purchase.js';
import { UNALLOCATED } from '../account/register.js';
import { childrenOf, lockBudgets, type Budget } from '../ledger/totals.js';

export interface JointPurchase {
  readonly before: Resource | undefined;
  readonly after: Resource;
  readonly document: JsonDocument;
  /** The joint Account. */
  readonly account: Resource;
  /** Pence; undefined where the purchase reserves nothing. */
  readonly total: bigint | undefined;
}

export interface JointDraw {
  /** What the purchase takes of each line in all, paid or not. */
  readonly shares: readonly Share[];
  /** It was active before, with the same amount. */
  readonly stays: boolean;
  /** The Accounts of the budgets in the joint one, by id. */
  readonly parts: readonly Resource[];
  readonly insurance: readonly JsonObject[] | undefined;
  readonly fulfilled: readonly Fulfilment[];
}

/** Before anything else is locked: whoever draws on a joint budget waits for its row, then for the rows of those in it. */
export async function lockJoint(joint: string, { tx }: Pick<WriteContext, 'tx'>): Promise<void> {
  await lockBudgets(tx.db, [joint]);
  await lockBudgets(tx.db, (await childrenOf(tx.db, joint)).map(({ account }) => account));
}

/** Throws 422 for what can't be drawn, and 409 while a budget in the joint one is not active. `fulfil` looks up the commitments that give to it. */
export async function drawJointly(purchase: JointPurchase, fulfil: () => Promise<readonly Fulfilment[]>, context: WriteContext): Promise<JointDraw> {
  const { before, after, account, total } = purchase;
  const { tx } = context;
  refuseNamed(purchase);
  if (total !== undefined) await lockJoint(account.id ?? '', context);
  const children = await childrenOf(tx.db, account.id ?? '');
  const parts = await accountsOf(children, context);
  if (total === undefined) return { shares: [], stays: false, parts, fulfilled: [], insurance: (isEnded(after) ? insuranceKept(before) : undefined) ?? insuranceOfAll(children, parts) };
  const stays = staysAsIs(before, total, undefined);
  const held = isActive(before) ? (await lockHoldings(tx.db, after.id ?? '')).map((one) => ({ ...one, amount: heldIn(one) })) : [];
  if (stays) return { shares: merged(held), stays, parts, fulfilled: [], insurance: insuranceKept(before) };
  const fulfilled = await fulfil();
  refuseInactive(children);
  const kept = keep(total, merged([...held, ...takeFrom(fulfilled, riseOf(before, total)).map((one) => ({ ...one, amount: one.consumed }))]));
  const rest = total - sumOf(kept);
  const shares = merged([...kept, ...(rest === 0n ? [] : await find(rest, children, parts, purchase, context))]);
  return { shares, stays, parts, fulfilled, insurance: insuranceBy(shares.map((one) => [one.account, one.amount]), parts) };
}

function refuseNamed({ before, after, account }: JointPurchase): void {
  if (lineOf(after) !== undefined) throw fail('business-rule', { text: 'A purchase on a joint budget is divided by its draw policy: leave ext-allocation-id out, or record it on the budget that has the line', expression: 'Claim.extension' });
  const known = new Set([...coveragesIn(account), ...insuredBy(before)]);
  const other = insuredBy(after).find((id) => !known.has(id));
  if (other !== undefined) throw fail('business-rule', { text: `Coverage/${other} is of no budget in the joint one: leave insurance out, and it is filled in`, expression: 'Claim.insurance' });
}

const insuredBy = (claim: Resource | undefined): string[] => asObjects(claim?.['insurance']).flatMap(({ coverage }) => referenceId(coverage, 'Coverage') ?? []);

function refuseEmpty(children: readonly Budget[]): void {
  if (children.length === 0) throw fail('business-rule', { text: 'No budget is part of this joint one: use Account/$join', expression: 'Claim.extension' });
}

function refuseInactive(children: readonly Budget[]): void {
  refuseEmpty(children);
  const closed = children.filter(({ state }) => state !== 'active');
  if (closed.length === 0) return;
  const list = closed.map(({ account, state }) => `Account/${account} is ${state}`).join(', ');
  throw fail('still-needed', { text: `A joint budget is drawn on while all budgets in it are active, and ${list}: take it out with Account/$leave`, expression: 'Claim.extension', coding: businessError('ACCOUNT_NOT_ACTIVE') });
}

/** Read as the server: that they are in the joint budget says that they pay. */
async function accountsOf(children: readonly Budget[], { tx }: WriteContext): Promise<Resource[]> {
  const found: Resource[] = [];
  for (const { account } of children) {
    const stored = await tx.read(serverGrant(), 'Account', account);
    if (stored?.text != null) found.push(JSON.parse(stored.text) as Resource);
  }
  return found;
}

/** The amount on lines, planned so that a further purchase of the same transaction finds what is left. */
async function find(amount: bigint, children: readonly Budget[], parts: readonly Resource[], { account, after, document }: JointPurchase, context: WriteContext): Promise<Share[]> {
  const policy = codeExtension(account, DRAW_POLICY);
  const { lines: planned } = plannedIn(context.tx);
  const priorities = prioritiesOf(account);
  const pots: Pot[] = [];
  for (const child of children) {
    const part = parts.find(({ id }) => id === child.account);
    const priority = priorities.get(coverageOf(part) ?? '') ?? Number.MAX_SAFE_INTEGER;
    pots.push({ account: child.account, funding: child.funding ?? '', priority, sources: await sourcesOf(child, part, planned, context) });
  }
  const shares = split(policy, amount, pots, policy === 'by-category' ? await categoriesOf(after, document, context) : new Map());
  for (const { line, amount: taken } of shares) planned.set(line, (planned.get(line) ?? 0n) + taken);
  return shares;
}

/** A direct payment is drawn on once a care plan is linked, like one that is named. */
async function sourcesOf({ lines }: Budget, part: Resource | undefined, planned: ReadonlyMap<string, bigint>, { tx }: WriteContext): Promise<Source[]> {
  const sources: Source[] = [];
  for (const one of lines) {
    const available = availableOf(one) - (planned.get(one.line) ?? 0n);
    if (one.ended || one.line === UNALLOCATED || available <= 0n) continue;
    if (one.model === 'direct-payment' && !(await isPlanned(part, tx))) continue;
    sources.push({ line: one.line, available });
  }
  return sources;
}

async function isPlanned(part: Resource | undefined, tx: WriteContext['tx']): Promise<boolean> {
  if (!part) return false;
  try {
    await checkPlanned(part, tx);
    return true;
  } catch (error) {
    if (error instanceof FhirError) return false;
    throw error;
  }
}

const CATEGORY = `${BASE}/CodeSystem/directory-category`;

/** The category that the item states, else that of its entry in the directory. */
async function categoriesOf(claim: Resource, document: JsonDocument, { tx, grant }: WriteContext): Promise<Categories> {
  const sums = new Map<string | undefined, bigint>();
  for (const { element, entry, index } of itemsOf(claim)) {
    const found = entry === undefined ? undefined : await tx.read(grant, 'HealthcareService', entry);
    const service = found?.text == null ? undefined : (JSON.parse(found.text) as Resource);
    const [category] = [...asObjects([element['productOrService'], element['category']]), ...asObjects(service?.['category'])].flatMap((concept) => codesOf(concept, CATEGORY));
    sums.set(category, (sums.get(category) ?? 0n) + readPence(document, element['net'], `item[${index}].net`));
  }
  return sums;
}

function insuranceKept(before: Resource | undefined): readonly JsonObject[] | undefined {
  const insurance = asObjects(before?.['insurance']);
  return insurance.length === 0 ? undefined : insurance;
}

/** A draft names all that may come to pay, so that nobody is shown what others may pay for. */
function insuranceOfAll(children: readonly Budget[], parts: readonly Resource[]): readonly JsonObject[] | undefined {
  refuseEmpty(children);
  return insuranceBy(parts.map(({ id = '' }) => [id, 0n]), parts);
}

/** One for each budget drawn on, by Account id; the one that pays most is focal (ruling 20). */
function insuranceBy(paid: readonly (readonly [string, bigint])[], parts: readonly Resource[]): readonly JsonObject[] | undefined {
  const sums = new Map<string, bigint>();
  for (const [account, amount] of paid) sums.set(account, (sums.get(account) ?? 0n) + amount);
  const [first] = [...sums.keys()];
  const focal = [...sums].reduce((most, [account, amount]) => (amount > (sums.get(most) ?? 0n) ? account : most), first ?? '');
  const insurance = parts.filter(({ id = '' }) => sums.has(id)).flatMap((part) => {
    const coverage = coverageOf(part);
    return coverage === undefined ? [] : [{ focal: part.id === focal, coverage: { reference: `Coverage/${coverage}` } }];
  });
  return insurance.length === 0 ? undefined : insurance.map((one, index) => ({ sequence: index + 1, ...one }));
}
