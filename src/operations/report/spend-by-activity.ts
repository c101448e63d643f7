// CarePlan/$spend-by-activity: what was planned, bought and paid for each activity of a plan, as far as the caller sees the budgets and
// purchases (domain.md 2.1 E4 AC2, rulings 51 and 64).
import { movedOf, plannedByActivity, spendByActivity } from '../../budgets/care-plan/activity-spend.js';
import { activitiesOf } from '../../budgets/care-plan/care-plan.js';
import { moneyOf } from '../../budgets/ledger/money.js';
import { isCommitment } from '../../budgets/purchase/purchase.js';
import { referring } from '../../budgets/referring.js';
import { referenceId } from '../../fhir/elements.js';
import type { Issue } from '../../fhir/issue.js';
import type { Resource } from '../../fhir/resource.js';
import type { Context } from '../../interactions/context.js';
import { readInput } from '../input.js';
import { viewOf, type Operation } from '../operation.js';
import { output, outputParts, parametersResponse, type OutputParameter } from '../output.js';
import { present } from '../present.js';

export function createSpendByActivityOperation({ validate }: { readonly validate: (resource: Resource) => readonly Issue[] }): Operation {
  return viewOf('CarePlan', 'spend-by-activity', async (request, context) => {
    readInput(request, {}, validate);
    const carePlan = await present('CarePlan', request.id ?? '', context);
    return { ...parametersResponse(await spendOf(carePlan, context)), about: [referenceId(carePlan['subject'], 'Patient') ?? []].flat() };
  });
}

async function spendOf(carePlan: Resource, context: Context): Promise<OutputParameter[]> {
  const { store, db, grant, parts: { definitions } } = context;
  const { id = '' } = carePlan;
  const ask = { definitions, reader: store, grant };
  const accounts = await referring('Account', [['careplan', `CarePlan/${id}`]], ask);
  const claims = (await referring('Claim', [['careplan', `CarePlan/${id}`], ['status', 'active']], ask)).filter((claim) => !isCommitment(claim));
  const spend = spendByActivity(id, claims, await movedOf(db, claims.map((claim) => claim.id ?? '')));
  const planned = plannedByActivity(accounts);
  return activitiesOf(carePlan).flatMap(({ id: activity }) => {
    if (activity === undefined) return [];
    const { spent, paid } = spend.get(activity) ?? { spent: 0n, paid: 0n };
    const plan = planned.get(activity);
    return [outputParts('activity', [
      output('activityId', 'valueId', activity),
      plan === undefined ? undefined : output('planned', 'valueMoney', moneyOf(plan)),
      output('spent', 'valueMoney', moneyOf(spent)),
      output('paid', 'valueMoney', moneyOf(paid)),
    ])];
  });
}
