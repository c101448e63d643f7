// Account/$open-budget: a budget of one notional line, from a decision (domain.md 3.6, rulings 11 and 43).
import { moneyOf } from '../../budgets/ledger/money.js';
import { ACCOUNT_TYPE, ALLOCATION, BASE, ELIGIBILITY, FUNDING_SOURCE, OVERSPEND_POLICY } from '../../budgets/codes.js';
import { fail } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import { writeAll } from '../../interactions/write.js';
import { writtenResponse } from '../../interactions/written-response.js';
import { act, added } from '../act.js';
import { AT, readInput, type Input, type InputNames } from '../input.js';
import type { Operation } from '../operation.js';

const NAMES: InputNames = { patient: 'Reference', owner: 'Reference', allocation: 'Money', period: 'Period', eligibility: 'part', fundingSource: 'text' };
const NEEDED = Object.keys(NAMES).filter((name) => name !== 'eligibility');
const ELIGIBILITY_NAMES: InputNames = { basis: 'text', decidedBy: 'Reference', decidedOn: 'text', exceptional: 'boolean' };

export function createOpenBudgetOperation({ validate }: { readonly validate: (resource: Resource) => readonly Issue[] }): Operation {
  return {
    code: 'open-budget',
    definition: `${BASE}/OperationDefinition/open-budget`,
    system: false,
    types: ['Account'],
    instances: [],
    affectsState: true,
    async handle(request, context) {
      const input = readInput(request, NAMES, validate);
      // Without eligibility it is refused as an Account without it is: nobody decided.
      for (const name of NEEDED) if (!input.has(name)) throw fail('required', { text: `$open-budget needs the parameter ${name}`, expression: AT });
      const id = context.parts.newId();
      return act('open-budget', context, async (inside) => {
        const [written] = await writeAll([added(accountOf(input), id)], inside);
        return writtenResponse(written, request, inside);
      });
    },
  };
}

/** As a client would POST it; the rules of an Account complete and check the rest. */
function accountOf(input: Input): Resource {
  const extension = [
    { url: ALLOCATION, extension: [{ url: 'model', valueCode: 'notional' }, { url: 'amount', valueMoney: moneyOf(input.pence('allocation') ?? 0n) }] },
    ...eligibilityOf(input),
    { url: FUNDING_SOURCE, valueCode: input.text('fundingSource') },
    { url: OVERSPEND_POLICY, valueCode: 'block' },
  ];
  const account = {
    resourceType: 'Account',
    meta: { profile: [`${BASE}/StructureDefinition/phb-account`] },
    extension,
    status: 'active',
    type: { coding: [{ system: ACCOUNT_TYPE, code: 'phb' }] },
    name: 'Personal health budget',
    subject: [input.value('patient')],
    servicePeriod: input.value('period'),
    owner: input.value('owner'),
  };
  return account as unknown as Resource;
}

/** ext-eligibility; none where nothing of it was sent. */
function eligibilityOf(input: Input): JsonObject[] {
  const [parts] = input.groups('eligibility', ELIGIBILITY_NAMES);
  if (!parts) return [];
  const decidedBy = parts.value('decidedBy');
  const extension = [
    ...some('basis', 'valueCode', parts.text('basis')),
    ...(decidedBy ? [{ url: 'decidedBy', valueReference: decidedBy }] : []),
    ...some('decidedOn', 'valueDate', parts.text('decidedOn')),
    ...some('exceptional', 'valueBoolean', parts.flag('exceptional')),
  ];
  return extension.length === 0 ? [] : [{ url: ELIGIBILITY, extension }];
}

const some = (url: string, member: string, value: string | boolean | undefined): JsonObject[] => (value === undefined ? [] : [{ url, [member]: value }]);
