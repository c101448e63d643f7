// `_type`: of which types? https://hl7.org/fhir/R4/http.html#search
import type { Definitions } from '../definitions/model.js';
import { fail } from '../fhir/errors.js';
import type { FhirRequest } from '../fhir/request.js';

/** Of `all`, those that the pairs name; all where they name none. Throws 404 for what is no resource type. */
export function typesNamed(pairs: FhirRequest['query'], all: readonly string[], { resourceTypes }: Pick<Definitions, 'resourceTypes'>): readonly string[] {
  const named = pairs.flatMap(([name, value]) => (name === '_type' && value !== '' ? value.split(',') : []));
  const unknown = named.find((type) => !resourceTypes.includes(type));
  if (unknown !== undefined) throw fail('unknown-type', { text: `_type names ${unknown.slice(0, 64)}, which is no resource type of FHIR R4`, expression: '_type' });
  return named.length === 0 ? all : all.filter((type) => named.includes(type));
}
