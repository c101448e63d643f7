// Reading a CarePlan as what a budget pays for: its mark and its activities. Pure; what is misshapen is as if absent.
import { asObject, asObjects, asText, codesOf, referenceId } from '../../fhir/elements.js';
import type { Resource } from '../../fhir/resource.js';
import { CAREPLAN_CATEGORY } from '../codes.js';

/** What marks a CarePlan as a personalised care and support plan is its category, never its profile. */
export const isSupportPlan = (plan: Resource | undefined): boolean => asObjects(plan?.['category']).some((category) => codesOf(category, CAREPLAN_CATEGORY).includes('pcsp'));

/** Logical id of the patient. */
export const plannedFor = (plan: Resource | undefined): string | undefined => referenceId(plan?.['subject'], 'Patient');
export const planStatus = (plan: Resource | undefined): string | undefined => asText(plan?.['status']);

/** Statuses in which a plan is nobody's plan: it is not linked, and nothing new is bought under it. */
export const WITHDRAWN: ReadonlySet<string | undefined> = new Set(['revoked', 'entered-in-error']);

/** Logical ids of the plans that this one takes the place of. */
export const replacedBy = (plan: Resource | undefined): string[] => asObjects(plan?.['replaces']).flatMap((reference) => referenceId(reference, 'CarePlan') ?? []);

export interface Activity {
  /** Element id; undefined where it has none, so that nothing can name it. */
  readonly id: string | undefined;
  readonly index: number;
  /** Of activity.detail; undefined where the activity is a reference. */
  readonly status: string | undefined;
  readonly description: string | undefined;
}

export function activitiesOf(plan: Resource | undefined): Activity[] {
  return asObjects(plan?.['activity']).map((activity, index) => {
    const detail = asObject(activity['detail']);
    return { id: asText(activity['id']), index, status: asText(detail?.['status']), description: asText(detail?.['description']) };
  });
}

const DROPPED: ReadonlySet<string | undefined> = new Set(['cancelled', 'entered-in-error']);

/** Why nothing new can be bought for this activity of the plan; undefined where it can. */
export function activityRefusal(plan: Resource, activityId: string | undefined): string | undefined {
  if (activityId === undefined) return `A link to CarePlan/${plan.id} names the activity: send the part activityId, one of ${namesOf(plan)}`;
  const found = activitiesOf(plan).find(({ id }) => id === activityId);
  if (!found) return `CarePlan/${plan.id} has no activity ${activityId}: its activities are ${namesOf(plan)}`;
  return DROPPED.has(found.status) ? `The activity ${found.id} of CarePlan/${plan.id} is ${found.status}` : undefined;
}

export const namesOf = (plan: Resource): string => activitiesOf(plan).flatMap(({ id }) => id ?? []).join(', ') || 'none';
