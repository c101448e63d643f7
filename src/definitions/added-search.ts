// A SearchParameter resource that an administrator switches on, read as the search room knows HL7's.
// https://hl7.org/fhir/R4/searchparameter.html
import type { Resource } from '../fhir/resource.js';
import type { LearntParameter } from './live.js';
import type { AddedParameter, Definitions } from './model.js';
import { parameterOf, strings } from './own-search.js';

/** Answered from tables of their own, which no SearchParameter reaches. */
const APART: ReadonlySet<string> = new Set(['AuditEvent']);

/** The resource types that a SearchParameter is for; those of Resource and DomainResource are many. */
export function basesOf(resource: Resource, { resourceTypes, isA }: Pick<Definitions, 'resourceTypes' | 'isA'>): readonly string[] {
  const bases = strings(resource.base);
  return resourceTypes.filter((type) => !APART.has(type) && bases.some((base) => isA(type, base)));
}

/** Throws, naming its url, where a member the search needs is missing. */
export function learntParameter(resource: Resource, added: AddedParameter, definitions: Pick<Definitions, 'resourceTypes' | 'isA'>): LearntParameter {
  const name = typeof resource.url === 'string' ? resource.url : `SearchParameter/${resource.id ?? ''}`;
  return { bases: basesOf(resource, definitions), parameter: Object.freeze({ ...parameterOf(name, resource), added }) };
}
