// $meta: the profiles, tags and security labels of a resource, of a type, or of all there is. https://hl7.org/fhir/R4/resource-operation-meta.html
import type { JsonObject, Resource } from '../../fhir/resource.js';
import { readInput } from '../input.js';
import { labelsOf, mergedLabels } from './labels.js';
import type { Operation } from '../operation.js';
import { output, parametersResponse } from '../output.js';
import { instanceOf, OPERATION, type TerminologyOperations } from '../terminology/terminology-parts.js';
import { fail } from '../../fhir/errors.js';

export function createMetaOperation({ definitions: { resourceTypes }, validate }: Pick<TerminologyOperations, 'definitions' | 'validate'>): Operation {
  return {
    code: 'meta',
    definition: `${OPERATION}/Resource-meta`,
    system: true,
    types: resourceTypes,
    instances: resourceTypes,
    affectsState: false,
    async handle(request, context) {
      readInput(request, {}, validate);
      const { type, id } = request;
      const { grant, store } = context;
      if (type !== undefined && !grant.allows('read', type)) throw fail('forbidden', { text: `The role ${grant.caller.role} may not read ${type}` });
      if (id !== undefined) return metaResponse((await instanceOf<Resource>(request, context))?.['meta'] as JsonObject | undefined);
      const types = type === undefined ? resourceTypes.filter((one) => grant.allows('search', one)) : [type];
      return metaResponse(mergedLabels((await store.metaInUse(grant, types)).map((found) => labelsOf(found))));
    },
  };
}

/** `return`, a Meta; without one an empty one can't be written. */
export const metaResponse = (meta: object | undefined): ReturnType<typeof parametersResponse> =>
  parametersResponse([output('return', 'valueMeta', meta && Object.keys(meta).length > 0 ? meta : undefined)]);
