// The links of a purchase to activities of care plans: each leads to an activity that is still planned, of a plan that the budget is linked
// to and that no other has replaced (domain.md 2.1 E4 AC2, edge case 6.10).
import type { Definitions } from '../../definitions/model.js';
import { fault, refuse } from '../../fhir/faults.js';
import type { Issue } from '../../fhir/issue.js';
import type { Resource } from '../../fhir/resource.js';
import { serverGrant } from '../../search/grant.js';
import type { WriteContext } from '../../store/rule.js';
import { plansOf, type LinkedPlan } from '../account/account.js';
import { activityRefusal, plannedFor, planStatus, WITHDRAWN } from './care-plan.js';
import { successorOf } from './care-plan-rule.js';
import { businessError } from '../codes.js';
import { claimant, itemsOf, type ActivityLink } from '../purchase/purchase.js';

/**
 * Throws 422 with every link of the Claim that leads nowhere. Links that its stored version has are left alone: what was bought stays what
 * it was. `accounts` are the budgets that pay: the Claim's own, of a joint one also those in it.
 */
export async function checkCitations(after: Resource, before: Resource | undefined, accounts: readonly Resource[], definitions: Definitions, context: Pick<WriteContext, 'tx'>): Promise<void> {
  const known = new Set(linksOf(before).map(keyOf));
  const links = linksOf(after).filter((link) => !known.has(keyOf(link)));
  if (links.length === 0) return;
  const linked = new Map(accounts.flatMap(plansOf).map((link) => [link.plan, link]));
  const refusals = new Map<string | undefined, (activityId: string | undefined) => string | undefined>();
  const faults: Issue[] = [];
  for (const { plan, activityId, path } of links) {
    const refusal = refusals.get(plan) ?? (await planJudge(plan, linked.get(plan), claimant(after), definitions, context));
    refusals.set(plan, refusal);
    const text = refusal(activityId);
    if (text !== undefined) faults.push(fault('business-rule', text, path, businessError('CAREPLAN_MISMATCH')));
  }
  refuse(faults);
}

const linksOf = (claim: Resource | undefined): ActivityLink[] => itemsOf(claim).flatMap(({ activities }) => activities);
const keyOf = ({ plan, activityId }: ActivityLink): string => `${plan} ${activityId}`;

/** Says of each activity of the plan why it can't be cited. The plan is locked, so that it stays as it is judged. */
async function planJudge(
  id: string | undefined, link: LinkedPlan | undefined, patient: string | undefined, definitions: Definitions, { tx }: Pick<WriteContext, 'tx'>,
): Promise<(activityId: string | undefined) => string | undefined> {
  const always = (text: string) => (): string => text;
  if (id === undefined) return always('A link to a care plan names the plan: send the part plan, a reference such as CarePlan/[id]');
  if (!link) return always(`The budget is not linked to CarePlan/${id}: use Account/$link-careplan`);
  await tx.lock('CarePlan', id);
  const found = await tx.read(serverGrant(), 'CarePlan', id);
  const plan = found?.text == null ? undefined : (JSON.parse(found.text) as Resource);
  if (!plan || plannedFor(plan) !== patient) return always(`The budget is not linked to CarePlan/${id}: use Account/$link-careplan`);
  if (WITHDRAWN.has(planStatus(plan))) return always(`CarePlan/${id} is ${planStatus(plan)}`);
  const successor = await successorOf(plan, definitions, { tx });
  if (successor !== undefined) return always(`CarePlan/${id} has been replaced by CarePlan/${successor}: cite an activity of that one`);
  return (activityId) => activityRefusal(plan, activityId) ?? unlinkedActivity(id, link, activityId);
}

function unlinkedActivity(plan: string, { activities }: LinkedPlan, activityId: string | undefined): string | undefined {
  if (activities.length === 0 || activities.includes(activityId ?? '')) return undefined;
  return `Of CarePlan/${plan} the budget pays for the activities ${activities.join(', ')}, not for ${activityId}`;
}
