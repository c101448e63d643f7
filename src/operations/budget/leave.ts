// Account/$leave: a budget is taken out of a joint one, once nothing of it is reserved by joint purchases (domain.md 2.1 E10).
import { businessError } from '../../budgets/codes.js';
import { withoutCoverage } from '../../budgets/account/joint.js';
import { openShares } from '../../budgets/purchase/joint-claims.js';
import { poundsText } from '../../fhir/decimal.js';
import { ERRORS, fail, FhirError } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import type { Resource } from '../../fhir/resource.js';
import { act, type Inside } from '../act.js';
import { AT, readInput, type InputNames } from '../input.js';
import { consentsIn } from './join.js';
import { childAt, jointAt, writeJoint } from './joint-act.js';
import { actOn, type Operation } from '../operation.js';

const NAMES: InputNames = { account: 'Reference', consent: 'Reference*', reason: 'text' };
export function createLeaveOperation({ validate }: { readonly validate: (resource: Resource) => readonly Issue[] }): Operation {
  return actOn('Account', 'leave', (request, context) => {
    const input = readInput(request, NAMES, validate);
    if (!input.has('account')) throw fail('required', { text: '$leave needs the parameter account, a Reference', expression: AT });
    return act('leave', context, async (inside) => {
      const joint = await jointAt(request, inside);
      const child = await childAt(input.reference('account'), inside);
      if (child.budget.parent !== joint.account.id) throw fail('business-rule', { text: `Account/${child.account.id} is no part of this joint budget`, expression: AT });
      await refuseOpen(joint.account.id, child.account.id, inside);
      const moving = { joint: joint.account, coverage: withoutCoverage(joint.account.resource, child.account.resource), child: child.account, partOf: undefined };
      return writeJoint(moving, { code: 'leave', reason: input.text('reason'), consents: consentsIn(input) }, request, inside);
    });
  });
}

/** One issue for each joint purchase or commitment; one that the caller may not see is told by its amount alone. */
async function refuseOpen(joint: string, child: string, { tx, grant }: Inside): Promise<void> {
  const open = await openShares(joint, child, tx);
  if (open.length === 0) return;
  const { status, code } = ERRORS['still-needed'];
  const issues: Issue[] = [];
  for (const { claim, committed } of open) {
    const name = (await tx.read(grant, 'Claim', claim)) ? `Claim/${claim}` : 'A joint purchase';
    issues.push({ severity: 'error', code, text: `${name} reserves £${poundsText(committed)} of this budget: pay it with Claim/$pay, or cancel it`, coding: businessError('OUTSTANDING_CLAIMS') });
  }
  throw new FhirError(status, issues);
}
