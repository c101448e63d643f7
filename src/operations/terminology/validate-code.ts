// CodeSystem/$validate-code and ValueSet/$validate-code. https://hl7.org/fhir/R4/valueset-operation-validate-code.html
import type { CodeSystem, ValueSet } from '@medplum/fhirtypes';
import type { FhirRequest } from '../../fhir/request.js';
import type { AnswerContext } from '../../store/answerer.js';
import type { CodeQuestion, Verdict } from '../../terminology/validate-code.js';
import { contextValueSet } from './context-value-set.js';
import { readInput, type Input, type InputCoding, type InputNames } from '../input.js';
import type { Operation } from '../operation.js';
import { output, parametersResponse } from '../output.js';
import { canonicalOf, instanceOf, missing, oneOf, OPERATION, type TerminologyOperations } from './terminology-parts.js';

const ABOUT: InputNames = { code: 'text', display: 'text', coding: 'Coding', codeableConcept: 'CodeableConcept', abstract: 'boolean', displayLanguage: 'text' };
const IN_SYSTEM: InputNames = { url: 'text', codeSystem: 'CodeSystem', version: 'text', ...ABOUT };
const IN_SET: InputNames = { url: 'text', context: 'text', valueSet: 'ValueSet', valueSetVersion: 'text', system: 'text', systemVersion: 'text', ...ABOUT };

type Judge = (question: CodeQuestion) => Promise<Verdict>;

export function createValidateCodeInSystem(parts: TerminologyOperations): Operation {
  return {
    ...shape('CodeSystem'),
    async handle(request, context) {
      const input = readInput(request, IN_SYSTEM, parts.validate);
      const given = (await instanceOf<CodeSystem>(request, context)) ?? input.resource<CodeSystem>('codeSystem');
      const url = given?.url ?? input.text('url');
      const judge: Judge = (question) => {
        const system = url ?? question.system;
        if (system === undefined) throw missing('$validate-code of a CodeSystem needs url, or a coding with a system');
        if (question.system !== undefined && question.system !== system)
          return Promise.resolve({ result: false, message: `The system of the coding is ${question.system}, and the code system is ${system}` });
        return parts.terminology.validateInSystem({ ...question, system }, given);
      };
      return answer(input, codingsIn(input, undefined, input.text('version')), judge);
    },
  };
}

export function createValidateCodeInSet(parts: TerminologyOperations): Operation {
  return {
    ...shape('ValueSet'),
    async handle(request, context) {
      const input = readInput(request, IN_SET, parts.validate);
      const valueSet = await setOf(request, input, context, parts);
      const codings = codingsIn(input, input.text('system'), input.text('systemVersion'));
      return answer(input, codings, (question) => parts.terminology.validateInSet(valueSet, question));
    },
  };
}

const shape = (type: 'CodeSystem' | 'ValueSet') =>
  ({ code: 'validate-code', definition: `${OPERATION}/${type}-validate-code`, system: false, types: [type], instances: [type], affectsState: false }) as const;

async function setOf(request: FhirRequest, input: Input, context: AnswerContext, { terminology, definitions }: TerminologyOperations): Promise<ValueSet> {
  const given = (await instanceOf<ValueSet>(request, context)) ?? input.resource<ValueSet>('valueSet');
  if (given) return given;
  const place = input.text('context');
  const url = input.text('url') ?? (place === undefined ? undefined : contextValueSet(place, definitions));
  if (url === undefined) throw missing('$validate-code of a ValueSet needs url, context or valueSet');
  return terminology.valueSet(canonicalOf(url, input.text('valueSetVersion')));
}

/** Those to judge: from code, coding or codeableConcept, which are not given together. */
function codingsIn(input: Input, system: string | undefined, version: string | undefined): readonly InputCoding[] {
  const [code, coding, codings] = [input.text('code'), input.coding('coding'), input.codings('codeableConcept')];
  oneOf(['code', 'coding', 'codeableConcept'], (name) => ({ code, coding, codeableConcept: codings })[name]);
  const display = input.text('display');
  if (code !== undefined) return [{ code, ...(system !== undefined && { system }), ...(version !== undefined && { version }), ...(display !== undefined && { display }) }];
  const list = coding ? [coding] : codings;
  if (!list) throw missing('$validate-code needs code, coding or codeableConcept');
  return list;
}

/** One good coding is enough; else each one's words are told. */
async function answer(input: Input, codings: readonly InputCoding[], judge: Judge) {
  const [abstract, displayLanguage] = [input.flag('abstract'), input.text('displayLanguage')];
  const verdicts: Verdict[] = [];
  for (const { system, version, code, display } of codings) {
    const verdict = await judge({
      code, ...(system !== undefined && { system }), ...(version !== undefined && { version }), ...(display !== undefined && { display }),
      ...(abstract !== undefined && { abstract }), ...(displayLanguage !== undefined && { displayLanguage }),
    });
    if (verdict.result) return verdictResponse(verdict);
    verdicts.push(verdict);
  }
  const messages = verdicts.flatMap(({ message }) => message ?? []);
  const shown = verdicts.find(({ display }) => display !== undefined)?.display;
  return verdictResponse({ result: false, message: messages.join('; '), ...(shown !== undefined && { display: shown }) });
}

const verdictResponse = ({ result, message, display }: Verdict) =>
  parametersResponse([output('result', 'valueBoolean', result), output('message', 'valueString', message), output('display', 'valueString', display)]);
