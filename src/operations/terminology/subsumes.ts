// CodeSystem/$subsumes: does one code stand above another? https://hl7.org/fhir/R4/codesystem-operation-subsumes.html
import type { CodeSystem } from '@medplum/fhirtypes';
import { readInput, type InputNames } from '../input.js';
import type { Operation } from '../operation.js';
import { output, parametersResponse } from '../output.js';
import { instanceOf, missing, oneOf, OPERATION, type TerminologyOperations } from './terminology-parts.js';

const NAMES: InputNames = { codeA: 'text', codeB: 'text', system: 'text', version: 'text', codingA: 'Coding', codingB: 'Coding' };

export function createSubsumesOperation({ terminology, validate }: TerminologyOperations): Operation {
  return {
    code: 'subsumes',
    definition: `${OPERATION}/CodeSystem-subsumes`,
    system: false,
    types: ['CodeSystem'],
    instances: ['CodeSystem'],
    affectsState: false,
    async handle(request, context) {
      const input = readInput(request, NAMES, validate);
      for (const side of ['A', 'B']) oneOf([`code${side}`, `coding${side}`], (name) => (name.startsWith('coding') ? input.coding(name) : input.text(name)));
      const instance = await instanceOf<CodeSystem>(request, context);
      const [a, b] = [input.coding('codingA'), input.coding('codingB')];
      const [codeA, codeB] = [input.text('codeA') ?? a?.code, input.text('codeB') ?? b?.code];
      const system = instance?.url ?? input.text('system') ?? a?.system ?? b?.system;
      if (codeA === undefined || codeB === undefined || system === undefined) throw missing('$subsumes needs codeA and codeB with system, or codingA and codingB');
      if ([a?.system, b?.system, input.text('system')].some((one) => one !== undefined && one !== system)) throw missing(`Codes of different code systems are not compared: all must be of ${system}`);
      const version = instance?.version ?? input.text('version') ?? a?.version ?? b?.version;
      const outcome = await terminology.subsumes({ system, codeA, codeB, ...(version !== undefined && { version }) });
      return parametersResponse([output('outcome', 'valueCode', outcome)]);
    },
  };
}
