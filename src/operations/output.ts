// The Parameters that an operation answers with. https://hl7.org/fhir/R4/parameters.html
import { exactJson } from '../fhir/exact-json.js';
import type { FhirResponse } from '../fhir/request.js';

export type OutputParameter = { readonly name: string; readonly part?: readonly OutputParameter[] } & Readonly<Record<string, unknown>>;

/** Values that are undefined leave their parameter out; amounts keep their places (exactNumber). */
export function parametersResponse(parameters: readonly (OutputParameter | undefined)[], meta?: object): FhirResponse {
  const given = parameters.filter((one) => one !== undefined);
  // An empty array is not FHIR.
  return { status: 200, body: exactJson({ resourceType: 'Parameters', meta, parameter: given.length > 0 ? given : undefined }) };
}

export function output(name: string, member: `value${string}`, value: unknown): OutputParameter | undefined {
  return value === undefined ? undefined : { name, [member]: value };
}

export function outputParts(name: string, parts: readonly (OutputParameter | undefined)[]): OutputParameter {
  return { name, part: parts.filter((one) => one !== undefined) };
}
