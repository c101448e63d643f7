// What $validate is asked: a resource, bare or in Parameters, and a mode and profiles in the query or beside it.
import { fail } from '../../fhir/errors.js';
import type { FhirRequest } from '../../fhir/request.js';
import type { JsonObject, JsonValue, Resource } from '../../fhir/resource.js';

const MODES = ['create', 'update', 'delete', 'profile'] as const;

export interface ValidateInput {
  /** Undefined where the stored one is meant. */
  readonly resource: Resource | undefined;
  /** Where it stands in the body, where that is a Parameters: `Parameters.parameter[0].resource`. */
  readonly within: string | undefined;
  readonly mode: (typeof MODES)[number] | undefined;
  readonly profiles: readonly string[];
}

interface Given {
  readonly name: string;
  readonly value: JsonValue | undefined;
}

/** Refuses (400) parameters it does not take, and a mode that there is not. */
export function readValidateInput(request: FhirRequest): ValidateInput {
  const { body } = request;
  const parameters = body && wraps(body.value, request.type) ? listOf(body.value['parameter']) : undefined;
  const at = parameters?.findIndex(({ name, resource }) => name === 'resource' && isObject(resource)) ?? -1;
  const beside = (parameters ?? []).filter((_, index) => index !== at).map((one): Given => ({ name: typeof one['name'] === 'string' ? one['name'] : '', value: valueOf(one) }));
  const given = [...request.query.filter(([name]) => !name.startsWith('_')).map(([name, value]): Given => ({ name, value })), ...beside];
  const profiles = textsOf(given, 'profile');
  const [mode, ...more] = textsOf(given, 'mode');
  const stray = given.find(({ name }) => name !== 'mode' && name !== 'profile');
  if (stray) throw fail('unknown-parameter', { text: `$validate takes resource, mode and profile, not ${JSON.stringify(stray.name.slice(0, 64))}` });
  if (mode !== undefined && (more.length > 0 || !isMode(mode))) throw fail('invalid-parameter', { text: `mode is one of ${MODES.join(', ')}` });
  if (mode === 'profile' && profiles.length === 0) throw fail('invalid-parameter', { text: 'mode profile needs the parameter profile, the canonical URL to judge by' });
  const resource = parameters ? parameters[at]?.['resource'] : body?.value;
  return { resource: resource === undefined ? undefined : asResource(resource), within: at < 0 ? undefined : `Parameters.parameter[${at}].resource`, mode: mode as ValidateInput['mode'], profiles };
}

/** Is it the question, not what is asked about? At Parameters/$validate it is, where it holds a parameter `resource`. */
function wraps(body: JsonObject, type: string | undefined): boolean {
  if (body['resourceType'] !== 'Parameters') return false;
  return type !== 'Parameters' || listOf(body['parameter']).some(({ name, resource }) => name === 'resource' && isObject(resource));
}

function isMode(mode: string): boolean {
  return MODES.some((one) => one === mode);
}

function textsOf(given: readonly Given[], wanted: string): readonly string[] {
  return given.filter(({ name }) => name === wanted).map(({ value }) => {
    if (typeof value !== 'string' || value.trim() === '') throw fail('invalid-parameter', { text: `The parameter ${wanted} must be a text that is not empty` });
    return value.trim();
  });
}

/** valueCode, valueUri, valueCanonical, valueString: clients differ. */
function valueOf(parameter: JsonObject): JsonValue | undefined {
  return Object.entries(parameter).find(([member]) => member.startsWith('value'))?.[1];
}

function asResource(value: JsonValue): Resource {
  if (!isObject(value) || typeof value['resourceType'] !== 'string') throw fail('not-a-resource');
  return { ...value, resourceType: value['resourceType'] };
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const listOf = (value: JsonValue | undefined): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
