// Account/$unlink-careplan: a budget no longer serves a care plan; what was bought under it keeps saying so (domain.md 3.6, ruling 46).
import { plansOf } from '../../budgets/account/account.js';
import { BUDGET_CAREPLAN } from '../../budgets/codes.js';
import { provenanceOf } from '../../budgets/ledger/provenance.js';
import { itemsOf, statusOf } from '../../budgets/purchase/purchase.js';
import { referring } from '../../budgets/referring.js';
import { asObjects } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import { writeAll } from '../../interactions/write.js';
import { writtenResponse } from '../../interactions/written-response.js';
import { act, added, changed, currentOf, type Current, type Inside } from '../act.js';
import { AT, readInput, type InputNames } from '../input.js';
import { withPrimary } from './link-careplan.js';
import { actOn, type Operation } from '../operation.js';

const NAMES: InputNames = { carePlan: 'Reference', reason: 'text', keepHistory: 'boolean' };
const OVER: ReadonlySet<string | undefined> = new Set(['cancelled', 'entered-in-error']);

export function createUnlinkCarePlanOperation({ validate }: { readonly validate: (resource: Resource) => readonly Issue[] }): Operation {
  return actOn('Account', 'unlink-careplan', (request, context) => {
    const input = readInput(request, NAMES, validate);
    const [reference, reason] = [input.reference('carePlan'), input.text('reason')];
    if (reference === undefined || reason === undefined) throw fail('required', { text: '$unlink-careplan needs carePlan, a Reference to the CarePlan, and reason', expression: AT });
    return act('unlink-careplan', context, async (inside) => {
      const account = await currentOf('Account', request, inside);
      const extension = extensionsWithout(account, reference);
      if (input.flag('keepHistory') !== true) await refuseCited(account, reference, inside);
      const provenance = inside.parts.newId();
      const why = provenanceOf({ id: provenance, account: account.id, version: account.version + 1, activity: 'unlink-careplan', reason, caller: inside.grant.caller, now: inside.now });
      const [written] = await writeAll([changed(account, { extension }), added(why, provenance)], inside);
      return writtenResponse(written, request, inside);
    });
  });
}

/** The Account's extensions without this link; where one is left, it is the primary one. */
function extensionsWithout({ resource }: Current, reference: string): readonly JsonObject[] {
  const link = plansOf(resource).find(({ plan }) => `CarePlan/${plan}` === reference);
  if (!link) throw fail('business-rule', { text: `The budget is not linked to ${reference}`, expression: AT });
  const rest = asObjects(resource['extension']).filter((_, index) => index !== link.index);
  const [first, second] = rest.filter(({ url }) => url === BUDGET_CAREPLAN);
  return first && !second ? rest.map((one) => (one === first ? withPrimary(one, true) : one)) : rest;
}

/** Purchases of this budget that cite the plan still need it, unless it is kept for them as history. */
async function refuseCited({ id }: Current, reference: string, { tx, parts: { definitions } }: Inside): Promise<void> {
  const claims = await referring('Claim', [['budget', `Account/${id}`], ['careplan', reference]], { definitions, reader: tx });
  const citing = claims.filter((claim) => !OVER.has(statusOf(claim)));
  if (citing.length === 0) return;
  const names = citing.slice(0, 10).map((claim) => `Claim/${claim.id}`).join(', ');
  const activities = [...new Set(citing.flatMap((claim) => itemsOf(claim).flatMap((item) => item.activities.flatMap(({ activityId }) => activityId ?? []))))];
  throw fail('still-needed', { text: `${citing.length} purchases cite activities of this plan (${activities.join(', ')}): ${names}. Send keepHistory=true to keep them as they are`, expression: AT });
}
