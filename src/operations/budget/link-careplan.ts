// Account/$link-careplan: a budget serves a care plan of its patient (domain.md 2.1 E4 AC1, ruling 15).
import { plansOf, patientOf, budgetKind, type LinkedPlan } from '../../budgets/account/account.js';
import { activityRefusal, plannedFor, planStatus, replacedBy, WITHDRAWN } from '../../budgets/care-plan/care-plan.js';
import { BUDGET_CAREPLAN, businessError } from '../../budgets/codes.js';
import { provenanceOf } from '../../budgets/ledger/provenance.js';
import { referred } from '../../budgets/referred.js';
import { instantText } from '../../fhir/date-time.js';
import { asObjects, asText } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import { fault, refuse } from '../../fhir/faults.js';
import type { Issue } from '../../fhir/issue.js';
import type { FhirRequest, FhirResponse } from '../../fhir/request.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import { writeAll } from '../../interactions/write.js';
import { writtenResponse } from '../../interactions/written-response.js';
import { act, added, changed, currentOf, unchanged, type Current, type Inside } from '../act.js';
import { AT, readInput, type InputNames } from '../input.js';
import { actOn, type Operation } from '../operation.js';

const NAMES: InputNames = { carePlan: 'Reference', primary: 'boolean', activities: 'text*' };

/** What was asked for; what was left out stays as it is. */
interface Link {
  /** `CarePlan/1`. */
  readonly reference: string;
  readonly primary: boolean | undefined;
  readonly activities: readonly string[] | undefined;
}

export function createLinkCarePlanOperation({ validate }: { readonly validate: (resource: Resource) => readonly Issue[] }): Operation {
  return actOn('Account', 'link-careplan', (request, context) => {
    const input = readInput(request, NAMES, validate);
    const reference = input.reference('carePlan');
    if (reference === undefined) throw fail('required', { text: '$link-careplan needs carePlan, a Reference to the CarePlan', expression: AT });
    const activities = input.has('activities') ? [...new Set(input.texts('activities'))] : undefined;
    return act('link-careplan', context, (inside) => link({ reference, primary: input.flag('primary'), activities }, request, inside));
  });
}

async function link(wanted: Link, request: FhirRequest, inside: Inside): Promise<FhirResponse> {
  // If-Match is looked at later: a link that is there already is no change.
  const account = await currentOf('Account', { id: request.id, ifMatch: undefined }, inside, 'optional');
  refuseOtherAccount(account);
  const links = plansOf(account.resource);
  const known = links.find(({ plan }) => `CarePlan/${plan}` === wanted.reference);
  if (known && isSame(known, wanted)) return unchanged(account, request, inside);
  const plan = await linkable(wanted, account, inside);
  await currentOf('Account', request, inside);
  const primary = wanted.primary ?? known?.primary ?? takesFirstPlace(plan, links);
  const extension = { url: BUDGET_CAREPLAN, extension: partsOf(wanted, known, primary, inside.now) };
  const { parts, grant: { caller }, now } = inside;
  const provenance = parts.newId();
  const who = provenanceOf({ id: provenance, account: account.id, version: account.version + 1, activity: 'link-careplan', caller, now });
  const [written] = await writeAll([changed(account, { extension: extensionsWith(account, known, extension, primary) }), added(who, provenance)], inside);
  return writtenResponse(written, request, inside);
}

/** The first plan is the primary one unless somebody says otherwise, and so is the one that replaces it. */
function takesFirstPlace(plan: Resource, links: readonly LinkedPlan[]): boolean {
  const primary = links.find((one) => one.primary);
  return primary ? replacedBy(plan).includes(primary.plan ?? '') : links.length === 0;
}

function isSame(known: LinkedPlan, { primary, activities }: Link): boolean {
  return (primary ?? known.primary) === known.primary && (activities ?? known.activities).join() === known.activities.join();
}

function refuseOtherAccount({ resource }: Current): void {
  if (budgetKind(resource) === undefined) throw fail('business-rule', { text: 'This Account is no budget', expression: 'Account.type' });
  const status = asText(resource['status']);
  if (status !== 'active' && status !== 'on-hold') throw fail('business-rule', { text: `The budget is ${status}`, expression: 'Account.status', coding: businessError('ACCOUNT_NOT_ACTIVE') });
}

/** The plan as the caller sees it, locked; throws 422 where the budget can't be linked to it. */
async function linkable({ reference, activities = [] }: Link, account: Current, { tx, grant }: Inside): Promise<Resource> {
  const seen = { tx, grant, caller: grant.caller };
  await referred(reference, ['CarePlan'], AT, seen);
  const [, id = ''] = reference.split('/');
  await tx.lock('CarePlan', id);
  const plan = await referred(reference, ['CarePlan'], AT, seen);
  const mismatch = (text: string) => fail('business-rule', { text, expression: AT, coding: businessError('CAREPLAN_MISMATCH') });
  if (plannedFor(plan) !== patientOf(account.resource)) throw mismatch(`${reference} is another patient's plan`);
  if (WITHDRAWN.has(planStatus(plan))) throw mismatch(`${reference} is ${planStatus(plan)}`);
  refuse(activities.flatMap((activity) => activityRefusal(plan, activity) ?? []).map((text) => fault('business-rule', text, AT, businessError('CAREPLAN_MISMATCH'))));
  return plan;
}

function partsOf({ reference, activities }: Link, known: LinkedPlan | undefined, primary: boolean, now: number): readonly object[] {
  return [
    { url: 'plan', valueReference: { reference } },
    { url: 'primary', valueBoolean: primary },
    { url: 'linkedAt', valueDateTime: instantText(now) },
    ...(activities ?? known?.activities ?? []).map((valueId) => ({ url: 'activityId', valueId })),
  ];
}

/** The Account's extensions with this link, in the place of the one that is there; where it is primary, no other is. */
function extensionsWith({ resource }: Current, known: LinkedPlan | undefined, extension: object, primary: boolean): readonly unknown[] {
  const extensions = asObjects(resource['extension']).map((one, index) => (index === known?.index ? extension : primary && one['url'] === BUDGET_CAREPLAN ? notPrimary(one) : one));
  return known ? extensions : [...extensions, extension];
}

export const notPrimary = (link: JsonObject): JsonObject => withPrimary(link, false);

/** The link with its part primary set. */
export function withPrimary(link: JsonObject, valueBoolean: boolean): JsonObject {
  const parts = asObjects(link['extension']);
  const set = { url: 'primary', valueBoolean };
  return { ...link, extension: parts.some(({ url }) => url === 'primary') ? parts.map((part) => (part['url'] === 'primary' ? set : part)) : [...parts, set] };
}
