// The budgets half of the product, as the service hands it to perform: the rules that every write meets.
import type { Definitions } from '../definitions/model.js';
import type { WriteRule } from '../store/rule.js';
import { createAccountRule } from './account/account-rule.js';
import { createRegistrationRule } from './by-ods-code.js';
import { createCarePlanRule } from './care-plan/care-plan-rule.js';
import { createCriteriaRule } from './criteria/criteria-rule.js';
import { createDecisionRule } from './criteria/decision-rule.js';
import { createDirectoryRule, createEntryRule } from './directory/directory-rule.js';
import { createPaymentRule } from './payment/payment-rule.js';
import { createEvidenceRule } from './purchase/purchase-evidence.js';
import { createPurchaseItemRule } from './purchase/purchase-items.js';
import { createPurchaseRule } from './purchase/purchase-rule.js';
import { createTaskRule } from './task/task-rule.js';

export interface Budgets {
  readonly rules: readonly WriteRule[];
}

/** In the order in which a transaction stores what they concern: a purchase comes after the budget that it is on, the plan that it cites and the commitment that it fulfils. */
export function createBudgets(definitions: Definitions): Budgets {
  return {
    rules: [
      createRegistrationRule(definitions),
      createDirectoryRule(definitions),
      createEntryRule(),
      createCarePlanRule(definitions),
      createAccountRule(),
      createPurchaseRule(definitions, 'commitments'),
      createPurchaseRule(definitions, 'purchases'),
      createPurchaseItemRule(),
      createEvidenceRule(definitions),
      createPaymentRule(),
      createTaskRule(definitions),
      createCriteriaRule(definitions),
      createDecisionRule(definitions),
    ],
  };
}
