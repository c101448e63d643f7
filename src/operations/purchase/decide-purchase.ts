// Claim/$approve and Claim/$reject: a purchase that was kept as a draft becomes active, or is cancelled, with the reason on record
// (domain.md rulings 13 and 55).
import { provenanceOn } from '../../fhir/provenance.js';
import { isPurchase, statusOf } from '../../budgets/purchase/purchase.js';
import { settleApproval } from '../../budgets/purchase/purchase-task.js';
import { fail } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import type { FhirRequest, FhirResponse } from '../../fhir/request.js';
import type { Resource } from '../../fhir/resource.js';
import { ruleContext } from '../../interactions/rule-context.js';
import { writeAll } from '../../interactions/write.js';
import { writtenResponse } from '../../interactions/written-response.js';
import { act, added, changed, currentOf, type Inside } from '../act.js';
import { AT, readInput, type InputNames } from '../input.js';
import { actOn, type Operation } from '../operation.js';

const NAMES: InputNames = { reason: 'text' };

/** What each makes of the draft, and of the Task that asked for it. */
const DECISIONS = { approve: { status: 'active', task: 'completed' }, reject: { status: 'cancelled', task: 'rejected' } } as const;

export function createDecidePurchaseOperation(code: keyof typeof DECISIONS, { validate }: { readonly validate: (resource: Resource) => readonly Issue[] }): Operation {
  return actOn('Claim', code, (request, context) => {
    const reason = readInput(request, NAMES, validate).text('reason')?.trim() ?? '';
    if (reason === '') throw fail('required', { text: `$${code} needs the reason of the decision`, expression: AT });
    return act(code, context, (inside) => decide(code, reason, request, inside));
  });
}

async function decide(code: keyof typeof DECISIONS, reason: string, request: FhirRequest, inside: Inside): Promise<FhirResponse> {
  const claim = await currentOf('Claim', request, inside, 'optional');
  if (!isPurchase(claim.resource)) throw fail('business-rule', { text: 'This Claim is no purchase on a budget', expression: 'Claim' });
  const status = statusOf(claim.resource);
  if (status !== 'draft') throw fail('business-rule', { text: `The purchase is ${status}: $${code} is for one that is a draft`, expression: 'Claim.status' });
  const { now, parts, grant, tx } = inside;
  // Before the Claim is written, whose own rule closes what is still open.
  await settleApproval(claim.id, DECISIONS[code].task, reason, ruleContext(inside, tx));
  const why = provenanceOn([`Claim/${claim.id}/_history/${claim.version + 1}`], { id: parts.newId(), activity: code, reason, caller: grant.caller, now });
  const [written] = await writeAll([changed(claim, { status: DECISIONS[code].status }), added(why, why.id ?? '')], inside);
  return writtenResponse(written, request, inside);
}
