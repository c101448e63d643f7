// Account/$join: a budget becomes part of a joint one, so that purchases can be made on both together (domain.md 2.1 E10, 3.4 acc-5, ruling 56).
import { withCoverage } from '../../budgets/account/joint.js';
import { checkConsents } from '../../budgets/account/joint-consent.js';
import { childrenOf, type Budget } from '../../budgets/ledger/totals.js';
import { asText } from '../../fhir/elements.js';
import { fail, type FhirError } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import type { Resource } from '../../fhir/resource.js';
import { act } from '../act.js';
import { AT, readInput, type Input, type InputNames } from '../input.js';
import { childAt, jointAt, requireActive, writeJoint } from './joint-act.js';
import { actOn, type Operation } from '../operation.js';
import { seenIn } from '../purchase/payment-input.js';

const NAMES: InputNames = { account: 'Reference', consent: 'Reference*', reason: 'text' };
export function createJoinOperation({ validate }: { readonly validate: (resource: Resource) => readonly Issue[] }): Operation {
  return actOn('Account', 'join', (request, context) => {
    const input = readInput(request, NAMES, validate);
    for (const name of ['account', 'consent']) if (!input.has(name)) throw fail('required', { text: `$join needs the parameter ${name}, a Reference`, expression: AT });
    const consents = consentsIn(input);
    return act('join', context, async (inside) => {
      const joint = await jointAt(request, inside);
      requireActive(joint.budget);
      const child = await childAt(input.reference('account'), inside);
      checkPair(joint.budget, child.budget);
      requireActive(child.budget);
      const { patient } = joint.budget;
      const joined = await childrenOf(inside.tx.db, joint.account.id);
      const owners = new Set([...joined, child.budget].flatMap(({ owner }) => (owner === undefined ? [] : [`Organization/${owner}`])));
      await checkConsents(consents, { patient, parties: [`Patient/${patient}`, ...owners] }, inside.now, seenIn(inside));
      const moving = {
        joint: joint.account, coverage: withCoverage(joint.account.resource, child.account.resource),
        child: child.account, partOf: { reference: `Account/${joint.account.id}` },
      };
      return writeJoint(moving, { code: 'join', reason: input.text('reason'), consents }, request, inside);
    });
  });
}

export const consentsIn = (input: Input): string[] => input.values('consent').map(({ reference }) => asText(reference) ?? '');

function checkPair(joint: Budget, child: Budget): void {
  if (child.patient !== joint.patient) throw refusal('The two budgets are of different patients: a joint budget is one patient\'s');
  if (child.parent === joint.account) throw refusal(`Account/${child.account} is part of this joint budget already`);
  if (child.parent !== undefined) throw refusal(`Account/${child.account} is part of another joint budget: take it out with Account/$leave first`);
}

const refusal = (text: string): FhirError => fail('business-rule', { text, expression: AT });
