// What every write of a Group of criteria meets: it is a commissioner's, and every criterion is one that can be judged (domain.md ruling 58, C32E6).
import type { Definitions } from '../../definitions/model.js';
import { asObject, asText } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import type { WriteRule } from '../../store/rule.js';
import { businessError } from '../codes.js';
import { criteriaOf, isCriteria } from './criteria.js';
import { nameOf, referred, rolesOf, speaksFor } from '../referred.js';

export function createCriteriaRule(definitions: Pick<Definitions, 'codes'>): WriteRule {
  return {
    concerns: ({ type, before, after }) => type === 'Group' && (isCriteria(before) || after?.['characteristic'] !== undefined),
    // Before validation, whose refusal of the same would be a 400: what is asked for is a rule of criteria (C32E6).
    complete({ before, after }) {
      if ((isCriteria(before) || isCriteria(after)) && after?.['member'] !== undefined) throw fail('invalid', { text: 'grp-1: criteria describe people and list none: leave out member', expression: 'Group.member' });
      return Promise.resolve(undefined);
    },
    async check({ before, after }, context) {
      if (!after) return;
      if (isCriteria(before) && !isCriteria(after)) throw fail('business-rule', { text: 'A group of criteria keeps at least one', expression: 'Group.characteristic', coding: businessError('FORBIDDEN_UPDATE') });
      // A commissioner defines no other Groups: what is none of the criteria is refused by name.
      if (!isCriteria(after) && context.caller.role !== 'commissioner') return;
      criteriaOf(after, definitions);
      if (after['managingEntity'] === undefined) throw fail('required', { text: 'Criteria say whose they are: name the commissioner in managingEntity, such as Organization/[id]', expression: 'Group.managingEntity' });
      const owner = await referred(asText(asObject(after['managingEntity'])?.['reference']), ['Organization'], 'Group.managingEntity', context);
      if (!rolesOf(owner).includes('icb')) throw fail('business-rule', { text: `${nameOf(owner)} is not a commissioner: criteria are defined by an organisation of type icb`, expression: 'Group.managingEntity' });
      if (!speaksFor(owner, context)) throw fail('forbidden', { text: 'Criteria are defined by the organisation in Group.managingEntity: this caller speaks for another' });
    },
  };
}
