// Walks a resource by the definitions alone and names each place as HL7's validator does: what the generated code is compared with.
import type { Definitions } from '../../src/definitions/model.js';
import type { JsonObject, JsonValue } from '../../src/fhir/resource.js';

export interface Place {
  readonly value: JsonValue;
  readonly path: string;
  /** Puts another value in its place. */
  readonly replace: (value: JsonValue) => void;
}

/** Every element with a value below the resource, siblings (`_x`), resourceType and resources left out. */
export function placesOf(resource: JsonObject, definitions: Definitions): Place[] {
  const type = resource.resourceType as string;
  return childrenOf(resource, type, type, definitions);
}

function childrenOf(holder: JsonObject, type: string, path: string, definitions: Definitions): Place[] {
  return Object.keys(holder).flatMap((key) => {
    const found = elementOf(type, key, definitions);
    if (found === undefined) return [];
    const at = path + found.segment;
    const value = holder[key]!;
    if (!Array.isArray(value)) return below(value, found.type, at, definitions, (other) => (holder[key] = other));
    return value.flatMap((item, i) => below(item, found.type, `${at}[${i}]`, definitions, (other) => (value[i] = other)));
  });
}

function below(value: JsonValue, type: string, path: string, definitions: Definitions, replace: (value: JsonValue) => void): Place[] {
  if (value === null) return [];
  const nested = typeof value === 'object' ? value as JsonObject : {};
  const inner = type === 'Resource' ? nested.resourceType as string : type;
  const place = { value, path, replace };
  return [place, ...childrenOf(nested, inner, path, definitions)];
}

function elementOf(type: string, key: string, definitions: Definitions): { type: string; segment: string } | undefined {
  const single = definitions.element(type, key);
  if (single !== undefined && !single.choice) return { type: single.types[0]!, segment: `.${key}` };
  for (let end = key.length - 1; end > 0; end--) {
    const choice = definitions.element(type, key.slice(0, end));
    const form = choice?.choice === true ? choice.types.find((code) => code.toLowerCase() === key.slice(end).toLowerCase()) : undefined;
    if (form !== undefined) return { type: form, segment: `.${key.slice(0, end)}.ofType(${form})` };
  }
  return undefined;
}
