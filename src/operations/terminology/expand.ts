// ValueSet/$expand: the concepts of a value set, all or a page of them. https://hl7.org/fhir/R4/valueset-operation-expand.html
import type { ValueSet } from '@medplum/fhirtypes';
import type { FhirRequest } from '../../fhir/request.js';
import type { AnswerContext } from '../../store/answerer.js';
import type { ExpandOptions } from '../../terminology/expand.js';
import { contextValueSet } from './context-value-set.js';
import { readInput, type Input, type InputNames } from '../input.js';
import type { Operation } from '../operation.js';
import { canonicalOf, instanceOf, missing, OPERATION, type TerminologyOperations } from './terminology-parts.js';

const NAMES: InputNames = {
  url: 'text', valueSet: 'ValueSet', valueSetVersion: 'text', context: 'text', contextDirection: 'text', filter: 'text', offset: 'count', count: 'count',
  includeDesignations: 'boolean', designation: 'text*', includeDefinition: 'boolean', activeOnly: 'boolean', excludeNested: 'boolean',
  // No concept here is kept from forms, and none is post-coordinated: these two change nothing.
  excludeNotForUI: 'boolean', excludePostCoordinated: 'boolean',
  displayLanguage: 'text', 'exclude-system': 'text*', 'system-version': 'text*', 'check-system-version': 'text*', 'force-system-version': 'text*',
};

/** The names it takes. */
export const EXPAND_PARAMETERS: readonly string[] = Object.keys(NAMES);

export function createExpandOperation(parts: TerminologyOperations): Operation {
  return {
    code: 'expand',
    definition: `${OPERATION}/ValueSet-expand`,
    system: false,
    types: ['ValueSet'],
    instances: ['ValueSet'],
    affectsState: false,
    async handle(request, context) {
      const input = readInput(request, NAMES, parts.validate);
      const valueSet = await setOf(request, input, context, parts);
      const stamp = { now: context.now, identifier: `urn:uuid:${parts.newId()}` };
      return { status: 200, body: JSON.stringify(await parts.terminology.expand(valueSet, optionsOf(input), stamp)) };
    },
  };
}

async function setOf(request: FhirRequest, input: Input, context: AnswerContext, { terminology, definitions }: TerminologyOperations): Promise<ValueSet> {
  const given = (await instanceOf<ValueSet>(request, context)) ?? input.resource<ValueSet>('valueSet');
  if (given) return given;
  const place = input.text('context');
  const url = input.text('url') ?? (place === undefined ? undefined : contextValueSet(place, definitions));
  if (url === undefined) throw missing('$expand needs url, context or valueSet, or the id of a ValueSet in the URL');
  return terminology.valueSet(canonicalOf(url, input.text('valueSetVersion')));
}

function optionsOf(input: Input): ExpandOptions {
  const given = {
    filter: input.text('filter'),
    offset: input.count('offset'),
    count: input.count('count'),
    includeDesignations: input.flag('includeDesignations'),
    displayLanguage: input.text('displayLanguage'),
    activeOnly: input.flag('activeOnly'),
    excludeNested: input.flag('excludeNested'),
    includeDefinition: input.flag('includeDefinition'),
  };
  const stated = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as ExpandOptions;
  return {
    ...stated,
    designations: input.texts('designation'),
    excludeSystems: input.texts('exclude-system'),
    systemVersions: input.texts('system-version'),
    checkSystemVersions: input.texts('check-system-version'),
    forceSystemVersions: input.texts('force-system-version'),
  };
}
