// CodeSystem/$lookup: what is known of one code. https://hl7.org/fhir/R4/codesystem-operation-lookup.html
import type { LookedUp } from '../../terminology/lookup.js';
import { readInput, type InputNames } from '../input.js';
import type { Operation } from '../operation.js';
import { output, outputParts, parametersResponse } from '../output.js';
import { missing, oneOf, OPERATION, type TerminologyOperations } from './terminology-parts.js';

const NAMES: InputNames = { code: 'text', system: 'text', version: 'text', coding: 'Coding', displayLanguage: 'text', property: 'text*' };

export function createLookupOperation({ terminology, validate }: TerminologyOperations): Operation {
  return {
    code: 'lookup',
    definition: `${OPERATION}/CodeSystem-lookup`,
    system: false,
    types: ['CodeSystem'],
    instances: [],
    affectsState: false,
    async handle(request) {
      const input = readInput(request, NAMES, validate);
      oneOf(['code', 'coding'], (name) => (name === 'code' ? input.text(name) : input.coding(name)));
      const coding = input.coding('coding');
      const [system, code] = [input.text('system') ?? coding?.system, input.text('code') ?? coding?.code];
      if (code === undefined || system === undefined) throw missing('$lookup needs code and system, or a coding that has both');
      const version = input.text('version') ?? coding?.version;
      const displayLanguage = input.text('displayLanguage');
      const found = await terminology.lookup({
        system, code, properties: input.texts('property'),
        ...(version !== undefined && { version }), ...(displayLanguage !== undefined && { displayLanguage }),
      });
      return parametersResponse(parametersOf(found));
    },
  };
}

function parametersOf({ name, version, display, designations, properties }: LookedUp) {
  return [
    output('name', 'valueString', name),
    output('version', 'valueString', version),
    output('display', 'valueString', display),
    ...designations.map(({ language, use, value }) => outputParts('designation', [output('language', 'valueCode', language), output('use', 'valueCoding', use), output('value', 'valueString', value)])),
    ...properties.map(({ code, description, ...value }) => outputParts('property', [
      output('code', 'valueCode', code),
      ...Object.entries(value).map(([member, one]) => output('value', member as `value${string}`, one)),
      output('description', 'valueString', description),
    ])),
  ];
}
