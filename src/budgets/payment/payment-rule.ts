// Payments of budgets are made by operations, with the money that they move: nobody writes their resources by hand (domain.md ruling 2).
// Payments of anything else are plain R4.
import { fail } from '../../fhir/errors.js';
import type { Resource } from '../../fhir/resource.js';
import type { WriteContext, WriteRule } from '../../store/rule.js';
import { budgetKind } from '../account/account.js';
import { isMarked, paidFor } from './payment.js';
import { isPurchase } from '../purchase/purchase.js';

export function createPaymentRule(): WriteRule {
  return {
    concerns: ({ type, before, after }) =>
      (type === 'PaymentNotice' || type === 'PaymentReconciliation') && [before, after].some((one) => isMarked(one) || paidFor(one).length > 0),
    async check({ type, before, after }, context) {
      for (const one of [before, after]) {
        if (isMarked(one) || (await paysForBudget(one, context))) throw refusal(type);
      }
    },
  };
}

/** A payment that only names a purchase or a budget would be read as one of it. */
async function paysForBudget(payment: Resource | undefined, { tx, grant }: WriteContext): Promise<boolean> {
  for (const reference of paidFor(payment)) {
    const [type = '', id = ''] = reference.split('/');
    const found = await tx.read(grant, type, id);
    const target = found?.text == null ? undefined : (JSON.parse(found.text) as Resource);
    if (target && (isPurchase(target) || budgetKind(target) !== undefined)) return true;
  }
  return false;
}

const refusal = (type: string) => fail('business-rule', {
  text: `A ${type} of a budget is made by the server and stays as it is: pay with Claim/$pay or Account/$pay, and give back with PaymentNotice/$refund or Account/$clawback`,
  expression: type,
});
