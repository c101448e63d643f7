// $versions: which versions of FHIR are spoken here. https://hl7.org/fhir/R4/capabilitystatement-operation-versions.html
import { readInput } from './input.js';
import type { Operation } from './operation.js';
import { output, parametersResponse } from './output.js';
import { OPERATION, type TerminologyOperations } from './terminology/terminology-parts.js';

/** Without the patch number, as the operation has them. */
const SPOKEN = '4.0';

export const createVersionsOperation = ({ validate }: Pick<TerminologyOperations, 'validate'>): Operation => ({
  code: 'versions',
  definition: `${OPERATION}/CapabilityStatement-versions`,
  system: true,
  types: [],
  instances: [],
  affectsState: false,
  handle(request) {
    readInput(request, {}, validate);
    return Promise.resolve(parametersResponse([output('version', 'valueCode', SPOKEN), output('default', 'valueCode', SPOKEN)]));
  },
});
