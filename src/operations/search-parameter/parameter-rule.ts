// What is asked of a SearchParameter that is written: it can be read; and while it is switched on it stays what it is, or is switched off.
import { fail, failWith } from '../../fhir/errors.js';
import type { Resource } from '../../fhir/resource.js';
import { faultsOf } from '../../search/check-parameter.js';
import { holdParameters, parameterOfId } from '../../store/added-parameters.js';
import type { WriteRule } from '../../store/rule.js';
import { switchOff, type SwitchParts } from './switch-parameter.js';

/** What a search by it depends on. */
const MEANING = ['url', 'code', 'base', 'type', 'expression', 'target', 'component', 'modifier', 'comparator'];

const HL7 = 'http://hl7.org/fhir/';

export type ParameterRuleParts = Omit<SwitchParts, 'newId'>;

/** The last of the rules: what it switches off, no other write of the same transaction knows. */
export function createParameterRule(parts: ParameterRuleParts): WriteRule {
  return {
    concerns: ({ type }) => type === 'SearchParameter',
    async check({ id, before, after }, { tx }) {
      const known = before && after?.['status'] === 'active' ? await parameterOfId(tx.db, id) : undefined;
      const changed = known && MEANING.find((member) => !same(JSON.parse(known.definition) as Resource, after, member));
      if (changed !== undefined) throw fail('still-needed', { text: `Searches run by this SearchParameter as it is: call $deactivate before you change its ${changed}`, expression: `SearchParameter.${changed}` });
      if (!after || isPublished(after, parts)) return;
      const faults = faultsOf(after, parts.added.definitions);
      if (faults.length > 0) throw failWith(422, faults);
    },
    async after({ id, before, after }, { tx, caller, newId }) {
      if (!before || after?.['status'] === 'active') return;
      const known = await parameterOfId(tx.db, id);
      if (!known) return;
      await holdParameters(tx.db);
      await parts.added.refresh();
      await switchOff(tx, known, caller, { ...parts, newId });
      parts.reindexQueued();
    },
  };
}

/** HL7's own, of this or another version of FHIR, run nowhere: they are kept as they come. */
function isPublished({ url }: Resource, { fixedParameters }: Pick<SwitchParts, 'fixedParameters'>): boolean {
  return typeof url === 'string' && (url.startsWith(HL7) || fixedParameters.has(url));
}

const same = (was: Resource, is: Resource | undefined, member: string): boolean => JSON.stringify(was[member]) === JSON.stringify(is?.[member]);
