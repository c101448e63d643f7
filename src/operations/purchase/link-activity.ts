// Claim/$link-activity: what was bought serves an activity of a care plan, said when or after it was bought (domain.md 2.1 E4 AC2).
import { seenAccount } from '../../budgets/ledger/totals.js';
import { plansOf } from '../../budgets/account/account.js';
import { provenanceOn } from '../../fhir/provenance.js';
import { activityExtension, budgetOf, isPurchase, itemsOf, statusOf, type PurchaseItem } from '../../budgets/purchase/purchase.js';
import { isEnded } from '../../budgets/purchase/purchase-lifecycle.js';
import { asObjects } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import type { FhirRequest, FhirResponse } from '../../fhir/request.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import { writeAll } from '../../interactions/write.js';
import { writtenResponse } from '../../interactions/written-response.js';
import { act, added, changed, currentOf, unchanged, type Current, type Inside } from '../act.js';
import { AT, readInput, type Input, type InputNames } from '../input.js';
import { actOn, type Operation } from '../operation.js';

const NAMES: InputNames = { carePlan: 'Reference', activityId: 'text*', item: 'count*' };

interface Wanted {
  /** `CarePlan/1`; without one, the plan that the budget is linked to. */
  readonly carePlan: string | undefined;
  readonly activities: readonly string[];
  /** Claim.item.sequence; none where the purchase has one item. */
  readonly items: readonly number[];
}

export function createLinkActivityOperation({ validate }: { readonly validate: (resource: Resource) => readonly Issue[] }): Operation {
  return actOn('Claim', 'link-activity', (request, context) => {
    const wanted = wantedOf(readInput(request, NAMES, validate));
    return act('link-activity', context, (inside) => link(wanted, request, inside));
  });
}

function wantedOf(input: Input): Wanted {
  const activities = [...new Set(input.texts('activityId'))];
  if (activities.length === 0) throw fail('required', { text: '$link-activity needs activityId: the id of an activity of the care plan', expression: AT });
  return { carePlan: input.reference('carePlan'), activities, items: input.counts('item') };
}

/** That the plan is the budget's and the activities are planned in it is judged where every write of a purchase is. */
async function link({ carePlan, activities, items }: Wanted, request: FhirRequest, inside: Inside): Promise<FhirResponse> {
  const claim = await currentOf('Claim', request, inside, 'optional');
  const { resource } = claim;
  if (!isPurchase(resource)) throw fail('business-rule', { text: 'This Claim is no purchase on a budget', expression: 'Claim' });
  if (isEnded(resource)) throw fail('business-rule', { text: `The purchase is ${statusOf(resource)}: it serves no activity`, expression: 'Claim.status' });
  const reference = carePlan ?? (await planOf(resource, inside));
  const chosen = new Set(itemsAt(claim, items).map(({ index }) => index));
  const item = itemsOf(resource).map((one) => (chosen.has(one.index) ? withLinks(one, reference, activities) : one.element));
  if (item.every((element, index) => element === itemsOf(resource)[index]?.element)) return unchanged(claim, request, inside);
  const { now, parts, grant } = inside;
  const why = provenanceOn([`Claim/${claim.id}/_history/${claim.version + 1}`], { id: parts.newId(), activity: 'link-activity', caller: grant.caller, now });
  const [written] = await writeAll([changed(claim, { item }), added(why, why.id ?? '')], inside);
  return writtenResponse(written, request, inside);
}

/** The budget's one plan, else the primary one. */
async function planOf(claim: Resource, { tx, grant, parts: { definitions } }: Inside): Promise<string> {
  const seen = await seenAccount({ db: tx.db, definitions }, grant, budgetOf(claim) ?? '');
  const plans = seen ? plansOf(seen.resource) : [];
  const { plan } = plans.find(({ primary }) => primary) ?? plans[0] ?? {};
  if (plan === undefined) throw fail('required', { text: 'Name the plan in carePlan: no plan is linked to the budget, see Account/$link-careplan', expression: AT });
  return `CarePlan/${plan}`;
}

function itemsAt({ resource }: Current, sequences: readonly number[]): readonly PurchaseItem[] {
  const items = itemsOf(resource);
  const list = items.map(({ element }) => JSON.stringify(element['sequence'])).join(', ');
  if (sequences.length === 0) {
    if (items.length > 1) throw fail('required', { text: `The purchase has several items: say in item which serve the activity, by sequence. They are ${list}`, expression: AT });
    return items;
  }
  return sequences.map((sequence) => {
    const found = items.find(({ element }) => element['sequence'] === sequence);
    if (!found) throw fail('business-rule', { text: `The purchase has no item ${sequence}: its items are ${list}`, expression: AT });
    return found;
  });
}

/** The element itself where it has all of the links. */
function withLinks({ element, activities: known }: PurchaseItem, reference: string, activities: readonly string[]): JsonObject {
  const fresh = activities.filter((activity) => !known.some(({ plan, activityId }) => `CarePlan/${plan}` === reference && activityId === activity));
  if (fresh.length === 0) return element;
  return { ...element, extension: [...asObjects(element['extension']), ...fresh.map((activity) => activityExtension(reference, activity))] };
}
