// Our own CodeSystem and ValueSet resources in the packed form of HL7's, so that codes.ts lists both alike.
// https://hl7.org/fhir/R4/valueset-definitions.html#ValueSet.compose
import type { JsonObject, JsonValue, Resource } from '../fhir/resource.js';
import type { PackedInclude, PackedValueSet } from './packed.js';

/** [url, codes] of a complete CodeSystem; nothing of any other resource. */
export function packCodeSystem(resource: Resource): readonly (readonly [string, readonly string[]])[] {
  if (resource.resourceType !== 'CodeSystem' || resource.content !== 'complete') return [];
  return [[textOf(resource.url), codesIn(resource.concept)]];
}

/** [url, composition] of a ValueSet; nothing of any other resource. An include with filters can't be listed here: only terminology/ evaluates those. */
export function packValueSet(resource: Resource): readonly (readonly [string, PackedValueSet])[] {
  if (resource.resourceType !== 'ValueSet') return [];
  const [compose] = objectsIn([resource.compose ?? null]);
  const include = objectsIn(compose?.include);
  const exclude = objectsIn(compose?.exclude);
  if (include.length === 0 || [...include, ...exclude].some((part) => part.filter !== undefined)) return [[textOf(resource.url), {}]];
  return [[textOf(resource.url), { include: include.map(packPart), exclude: exclude.map(packPart) }]];
}

function packPart(part: JsonObject): PackedInclude {
  return {
    ...(typeof part.system === 'string' && { system: part.system }),
    ...(part.concept !== undefined && { codes: objectsIn(part.concept).map((concept) => textOf(concept.code)) }),
    ...(Array.isArray(part.valueSet) && { valueSet: part.valueSet.map(textOf) }),
  };
}

function codesIn(concepts: JsonValue | undefined): readonly string[] {
  return objectsIn(concepts).flatMap((concept) => [textOf(concept.code), ...codesIn(concept.concept)]);
}

function objectsIn(value: JsonValue | undefined): readonly JsonObject[] {
  if (!Array.isArray(value)) return [];
  return value.filter((item): item is JsonObject => typeof item === 'object' && item !== null && !Array.isArray(item));
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
