// ConceptMap/$translate: a code of one system as codes of another. https://hl7.org/fhir/R4/conceptmap-operation-translate.html
import type { ConceptMap } from '@medplum/fhirtypes';
import type { JsonObject } from '../../fhir/resource.js';
import type { Dependency, Match, TranslateQuestion } from '../../terminology/translate.js';
import { readInput, type Input, type InputNames } from '../input.js';
import type { Operation } from '../operation.js';
import { output, outputParts, parametersResponse } from '../output.js';
import { canonicalOf, instanceOf, missing, oneOf, OPERATION, type TerminologyOperations } from './terminology-parts.js';

const NAMES: InputNames = {
  url: 'text', conceptMap: 'ConceptMap', conceptMapVersion: 'text', code: 'text', system: 'text', version: 'text', source: 'text',
  coding: 'Coding', codeableConcept: 'CodeableConcept', target: 'text', targetsystem: 'text', dependency: 'part*', reverse: 'boolean',
};

export function createTranslateOperation({ terminology, validate }: TerminologyOperations): Operation {
  return {
    code: 'translate',
    definition: `${OPERATION}/ConceptMap-translate`,
    system: false,
    types: ['ConceptMap'],
    instances: ['ConceptMap'],
    affectsState: false,
    async handle(request, context) {
      const input = readInput(request, NAMES, validate);
      const url = input.text('url');
      const map = (await instanceOf<ConceptMap>(request, context)) ?? input.resource<ConceptMap>('conceptMap')
        ?? (url === undefined ? undefined : await terminology.conceptMap(canonicalOf(url, input.text('conceptMapVersion'))));
      const { result, message, matches } = await terminology.translate({ ...questionOf(input), ...(map && { map }) });
      return parametersResponse([output('result', 'valueBoolean', result), output('message', 'valueString', message), ...matches.map(matchParameter)]);
    },
  };
}

function questionOf(input: Input): TranslateQuestion {
  const [source, target, targetSystem] = [input.text('source'), input.text('target'), input.text('targetsystem')];
  return {
    codings: codingsIn(input),
    reverse: input.flag('reverse') ?? false,
    dependencies: input.parts('dependency').map(readDependency),
    ...(source !== undefined && { source }),
    ...(target !== undefined && { target }),
    ...(targetSystem !== undefined && { targetSystem }),
  };
}

function codingsIn(input: Input): TranslateQuestion['codings'] {
  const [code, coding, codings] = [input.text('code'), input.coding('coding'), input.codings('codeableConcept')];
  oneOf(['code', 'coding', 'codeableConcept'], (name) => ({ code, coding, codeableConcept: codings })[name]);
  const system = input.text('system');
  if (code !== undefined && system === undefined) throw missing('$translate needs system beside code');
  if (code !== undefined && system !== undefined) return [{ system, code }];
  const list = coding ? [coding] : codings;
  if (!list) throw missing('$translate needs code and system, coding or codeableConcept');
  return list;
}

function readDependency(parts: readonly JsonObject[]): Dependency {
  const element = parts.find((part) => part['name'] === 'element');
  const concept = parts.find((part) => part['name'] === 'concept')?.['valueCodeableConcept'] as { coding?: Dependency['codings'] } | undefined;
  const property = element?.['valueUri'] ?? element?.['valueString'];
  if (typeof property !== 'string' || !concept?.coding) throw missing('A dependency of $translate has the parts element, a uri, and concept, a CodeableConcept with codings');
  return { property, codings: concept.coding };
}

function matchParameter({ equivalence, concept, products, source }: Match) {
  return outputParts('match', [
    output('equivalence', 'valueCode', equivalence),
    output('concept', 'valueCoding', concept),
    ...products.map((product) => outputParts('product', [output('element', 'valueUri', product.element), output('concept', 'valueCoding', product.concept)])),
    output('source', 'valueUri', source),
  ]);
}
