// $pay: of a Claim, a payment for what was bought; of an Account, an advance to the holder of a direct payment (domain.md 3.6, rulings 36 and 50).
import { BASE } from '../../budgets/codes.js';
import { fail } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import type { Resource } from '../../fhir/resource.js';
import { act } from '../act.js';
import { AT, readInput } from '../input.js';
import type { Operation } from '../operation.js';
import { payAdvance } from './pay-advance.js';
import { payClaim } from './pay-claim.js';
import { PAY_NAMES, paymentOf } from './payment-input.js';

/** The kind of payment that each type takes, and what pays the other kind. */
const KINDS = {
  Claim: { kind: 'payment', words: 'A Claim takes kind payment; an advance is paid with Account/$pay' },
  Account: { kind: 'advance', words: 'An Account takes kind advance; what was bought is paid with Claim/$pay' },
} as const;

export function createPayOperation({ validate }: { readonly validate: (resource: Resource) => readonly Issue[] }): Operation {
  return {
    code: 'pay',
    definition: `${BASE}/OperationDefinition/pay`,
    system: false,
    types: [],
    instances: ['Claim', 'Account'],
    affectsState: true,
    handle(request, context) {
      const input = readInput(request, PAY_NAMES, validate);
      const { kind, words } = request.type === 'Account' ? KINDS.Account : KINDS.Claim;
      if ((input.text('kind') ?? 'payment') !== kind) throw fail('business-rule', { text: words, expression: AT });
      const payment = paymentOf(input, context.now);
      return act('pay', context, (inside) => (kind === 'advance' ? payAdvance(request, payment, inside) : payClaim(request, payment, inside)));
    },
  };
}
