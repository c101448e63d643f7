// Our own SearchParameter resources, read as the search room knows HL7's.
// https://hl7.org/fhir/R4/searchparameter.html
import type { Resource, JsonValue } from '../fhir/resource.js';
import type { SearchParameter, SearchType } from './model.js';
import type { ConformanceFile } from './conformance-files.js';
import type { BasedParameter } from './search-tables.js';

const TYPES: ReadonlySet<string> = new Set<SearchType>(['number', 'date', 'string', 'token', 'reference', 'composite', 'quantity', 'uri', 'special']);

/** Throws, naming the file, where a member the search needs is missing or a base is no resource type. */
export function readOwnSearch(files: readonly ConformanceFile[], isResource: (type: string) => boolean): readonly BasedParameter[] {
  const parameters = files.filter(({ resource }) => resource.resourceType === 'SearchParameter');
  return parameters.map(({ file, resource }) => {
    const bases = strings(resource.base);
    const stray = bases.find((base) => !isResource(base));
    if (bases.length === 0) throw new Error(`${file}: a SearchParameter needs a base`);
    if (stray !== undefined) throw new Error(`${file}: the base ${stray} is no resource type of FHIR R4`);
    return { bases, parameter: parameterOf(file, resource) };
  });
}

/** Throws, beginning with `file`, where a member is missing. */
export function parameterOf(file: string, resource: Resource): SearchParameter {
  const { type } = resource;
  if (!isSearchType(type)) throw new Error(`${file}: a SearchParameter needs a type: ${[...TYPES].join(', ')}`);
  const components = Array.isArray(resource.component) ? resource.component.map((component) => componentOf(file, component)) : undefined;
  const targets = strings(resource.target);
  return Object.freeze({
    code: needed(file, resource.code, 'code'),
    type,
    url: needed(file, resource.url, 'url'),
    ...(type !== 'special' && { expression: needed(file, resource.expression, 'expression') }),
    ...(targets.length > 0 && { targets }),
    ...(components && { components }),
  });
}

function componentOf(file: string, component: JsonValue): { readonly definition: string; readonly expression: string } {
  const { definition, expression } = typeof component === 'object' && component !== null && !Array.isArray(component) ? component : {};
  return { definition: needed(file, definition, 'component.definition'), expression: needed(file, expression, 'component.expression') };
}

function needed(file: string, value: JsonValue | undefined, member: string): string {
  if (typeof value !== 'string' || value === '') throw new Error(`${file}: a SearchParameter needs ${member}`);
  return value;
}

export function isSearchType(value: JsonValue | undefined): value is SearchType {
  return typeof value === 'string' && TYPES.has(value);
}

export function strings(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}
