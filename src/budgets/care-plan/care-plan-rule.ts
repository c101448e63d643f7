// What every write of a personalised care and support plan meets, and of any other plan once a budget is linked to it: what budgets and
// purchases build on stays (domain.md 2.1 E4, rulings 2 and 15, edge case 6.10).
import type { Definitions } from '../../definitions/model.js';
import { fail } from '../../fhir/errors.js';
import { fault, refuse } from '../../fhir/faults.js';
import type { Resource } from '../../fhir/resource.js';
import type { Write, WriteContext, WriteRule } from '../../store/rule.js';
import { activitiesOf, isSupportPlan, plannedFor, planStatus, replacedBy } from './care-plan.js';
import { businessError } from '../codes.js';
import { itemsOf, statusOf } from '../purchase/purchase.js';
import { referred } from '../referred.js';
import { referring } from '../referring.js';
import { forbiddenUpdate } from '../forbidden-update.js';

export function createCarePlanRule(definitions: Definitions): WriteRule {
  return {
    concerns: ({ type, before, after }) => type === 'CarePlan' && (before !== undefined || isSupportPlan(after)),
    async check(write, context) {
      const { before, after, id } = write;
      const linked = before !== undefined && (await isLinked(definitions, id, context));
      if (!linked && !isSupportPlan(before) && !isSupportPlan(after)) return;
      if (before && after) requireIfMatch(write, context);
      if (before && isSupportPlan(before) && after && !isSupportPlan(after)) throw forbiddenUpdate('A personalised care and support plan stays one: keep its category pcsp', 'CarePlan.category');
      if (after) await checkReplaced(before, after, context);
      if (before) await checkCited(before, after, linked, definitions, context);
    },
  };
}

function requireIfMatch({ ifMatch }: Write, { act }: WriteContext): void {
  if (act === undefined && (ifMatch === undefined || ifMatch === '*')) throw fail('if-match-required');
}

async function isLinked(definitions: Definitions, id: string, { tx }: WriteContext): Promise<boolean> {
  return (await referring('Account', [['careplan', `CarePlan/${id}`]], { definitions, reader: tx }, 1)).length > 0;
}

/** A plan takes the place of the same patient's plans. */
async function checkReplaced(before: Resource | undefined, after: Resource, context: WriteContext): Promise<void> {
  const known = replacedBy(before);
  for (const id of replacedBy(after).filter((one) => !known.includes(one))) {
    const old = await referred(`CarePlan/${id}`, ['CarePlan'], 'CarePlan.replaces', context);
    if (id === after.id || plannedFor(old) !== plannedFor(after)) {
      throw fail('business-rule', { text: `CarePlan/${id} is ${id === after.id ? 'this plan itself' : 'another patient\'s'}: a plan replaces an earlier one of the same patient`, expression: 'CarePlan.replaces', coding: businessError('CAREPLAN_MISMATCH') });
    }
  }
}

/** What a budget is linked to, and what purchases cite, can't be taken from under them. */
async function checkCited(before: Resource, after: Resource | undefined, linked: boolean, definitions: Definitions, { tx }: WriteContext): Promise<void> {
  const cited = await citedActivities(before.id ?? '', definitions, tx);
  if (linked || cited.size > 0) {
    if (!after || (planStatus(after) === 'entered-in-error' && planStatus(before) !== 'entered-in-error')) {
      throw fail('still-needed', { text: `${linked ? 'A budget is linked to this plan: end that by Account/$unlink-careplan' : 'Purchases cite this plan'}; a plan that is over is completed or revoked`, expression: after ? 'CarePlan.status' : 'CarePlan' });
    }
    if (plannedFor(before) !== plannedFor(after)) throw forbiddenUpdate('The patient of a plan that a budget is linked to can\'t be changed', 'CarePlan.subject');
  }
  if (!after) return;
  const left = new Set(activitiesOf(after).map(({ id }) => id));
  const gone = [...cited].filter((id) => !left.has(id));
  refuse(gone.map((id) => fault('business-rule', `Purchases cite the activity ${id}: keep it, and set its status to cancelled or completed`, 'CarePlan.activity', businessError('FORBIDDEN_UPDATE'))));
}

/** Ids of the activities that purchases cite which were not entered in error. */
async function citedActivities(plan: string, definitions: Definitions, reader: WriteContext['tx']): Promise<ReadonlySet<string>> {
  const claims = await referring('Claim', [['careplan', `CarePlan/${plan}`]], { definitions, reader });
  const links = claims.filter((claim) => statusOf(claim) !== 'entered-in-error').flatMap((claim) => itemsOf(claim).flatMap(({ activities }) => activities));
  return new Set(links.filter((link) => link.plan === plan).flatMap(({ activityId }) => activityId ?? []));
}

/** The plan that has taken this one's place, if there is one that stands. */
export async function successorOf(plan: Resource, definitions: Definitions, { tx }: Pick<WriteContext, 'tx'>): Promise<string | undefined> {
  const later = await referring('CarePlan', [['replaces', `CarePlan/${plan.id}`]], { definitions, reader: tx });
  return later.find((one) => one.id !== plan.id && plannedFor(one) === plannedFor(plan) && STANDING.has(planStatus(one)))?.id;
}

const STANDING: ReadonlySet<string | undefined> = new Set(['active', 'on-hold', 'completed']);
