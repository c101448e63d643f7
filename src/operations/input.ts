// The parameters of an operation, from the query of a GET and the Parameters of a POST alike. https://hl7.org/fhir/R4/operations.html#request
import { fail, failWith } from '../fhir/errors.js';
import type { Issue } from '../fhir/issue.js';
import type { FhirRequest } from '../fhir/request.js';
import type { JsonObject, JsonValue, Resource } from '../fhir/resource.js';

/** What an operation takes, by name; `*` after a kind says that it may come more than once. */
export type InputKind = 'text' | 'text*' | 'boolean' | 'count' | 'Coding' | 'CodeableConcept' | 'part*' | 'CodeSystem' | 'ValueSet' | 'ConceptMap';
export type InputNames = Readonly<Record<string, InputKind>>;

export interface InputCoding {
  readonly system?: string;
  readonly version?: string;
  readonly code: string;
  readonly display?: string;
}

export interface Input {
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
  flag(name: string): boolean | undefined;
  count(name: string): number | undefined;
  coding(name: string): InputCoding | undefined;
  codings(name: string): readonly InputCoding[] | undefined;
  /** The parts of each parameter of the name. */
  parts(name: string): readonly (readonly JsonObject[])[];
  resource<T>(name: string): T | undefined;
}

const PRESENTATION = new Set(['_format', '_pretty']);
const RESOURCES: readonly string[] = ['CodeSystem', 'ValueSet', 'ConceptMap'];
const MOST_COUNT = 1_000_000_000;

/**
 * Refuses (400) what the operation does not take, what comes twice, and values of another kind. `validate` judges a body
 * before anything reads it. A body that is a resource of the one kind taken stands for that parameter.
 */
export function readInput(request: FhirRequest, names: InputNames, validate: (resource: Resource) => readonly Issue[]): Input {
  const values = new Map<string, JsonValue[]>();
  const add = (name: string, read: (kind: InputKind) => JsonValue): void => {
    const kind = names[name];
    if (kind === undefined || !Object.hasOwn(names, name)) throw fail('unknown-parameter', { text: `This operation takes ${Object.keys(names).join(', ')}, not ${JSON.stringify(name.slice(0, 64))}` });
    const before = values.get(name);
    if (before && !kind.endsWith('*')) throw fail('invalid-parameter', { text: `The parameter ${name} is given more than once` });
    values.set(name, [...(before ?? []), read(kind)]);
  };
  for (const [name, value] of request.query) if (!PRESENTATION.has(name)) add(name, (kind) => queryValue(name, kind, value));
  for (const [name, parameter] of bodyParameters(request, names, validate)) add(name, (kind) => bodyValue(name, kind, parameter));
  const first = <T>(name: string): T | undefined => values.get(name)?.[0] as T | undefined;
  return {
    text: first,
    texts: (name) => (values.get(name) ?? []) as string[],
    flag: first,
    count: first,
    coding: (name) => requireCode(name, first<JsonObject>(name)),
    codings: (name) => codingsOf(name, first<JsonObject>(name)),
    parts: (name) => (values.get(name) ?? []) as JsonObject[][],
    resource: <T>(name: string): T | undefined => first<T>(name),
  };
}

function queryValue(name: string, kind: InputKind, value: string): JsonValue {
  switch (kind) {
    case 'text': case 'text*': return requireText(name, value);
    case 'boolean': return requireFlag(name, value);
    case 'count': return requireCount(name, value);
    default: throw fail('invalid-parameter', { text: `The parameter ${name} is a ${kind.replace('*', '')}: send it by POST, in a Parameters resource` });
  }
}

function bodyParameters({ body }: FhirRequest, names: InputNames, validate: (resource: Resource) => readonly Issue[]): readonly (readonly [string, JsonObject])[] {
  if (!body) return [];
  const { resourceType } = body.value;
  if (typeof resourceType !== 'string') throw fail('not-a-resource');
  const resource: Resource = { ...body.value, resourceType };
  const faults = validate(resource).filter(({ severity }) => severity === 'error' || severity === 'fatal');
  if (faults.length > 0) throw failWith(400, faults);
  if (resourceType === 'Parameters') return objects(resource['parameter']).map((one) => [typeof one['name'] === 'string' ? one['name'] : '', one] as const);
  const [name] = Object.entries(names).find(([, kind]) => kind === resourceType) ?? [];
  if (name === undefined) throw fail('wrong-resource-type', { text: `The body of this operation is a Parameters resource, not a ${resourceType}`, expression: 'resourceType' });
  return [[name, { resource }]];
}

const objects = (value: JsonValue | undefined): JsonObject[] => (Array.isArray(value) ? (value as JsonObject[]) : []);

function bodyValue(name: string, kind: InputKind, parameter: JsonObject): JsonValue {
  if (kind === 'part*') return objects(parameter['part']);
  if (RESOURCES.includes(kind)) {
    const { resource } = parameter;
    if (typeof resource !== 'object' || resource === null || Array.isArray(resource) || resource['resourceType'] !== kind) throw wrongKind(name, `a resource ${kind}`);
    return resource;
  }
  const value = kind === 'Coding' ? parameter['valueCoding'] : kind === 'CodeableConcept' ? parameter['valueCodeableConcept'] : primitiveOf(parameter);
  if (value === undefined) throw wrongKind(name, kind === 'Coding' || kind === 'CodeableConcept' ? `a value${kind}` : 'a value');
  if (kind === 'boolean') return requireFlag(name, value);
  if (kind === 'count') return requireCount(name, value);
  return kind === 'Coding' || kind === 'CodeableConcept' ? value : requireText(name, value);
}

/** valueUri, valueString, valueCode …: clients differ, and the words are the same. */
function primitiveOf(parameter: JsonObject): JsonValue | undefined {
  return Object.entries(parameter).find(([member, value]) => member.startsWith('value') && typeof value !== 'object')?.[1];
}

const wrongKind = (name: string, wanted: string) => fail('invalid-parameter', { text: `The parameter ${name} must be ${wanted}`, expression: 'Parameters.parameter' });

function requireText(name: string, value: JsonValue): string {
  if (typeof value !== 'string' || value.trim() === '') throw wrongKind(name, 'a text that is not empty');
  return value;
}

function requireFlag(name: string, value: JsonValue): boolean {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw wrongKind(name, 'true or false');
}

function requireCount(name: string, value: JsonValue): number {
  const number = typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > MOST_COUNT) throw wrongKind(name, 'a whole number from 0');
  return number;
}

function requireCode(name: string, coding: JsonObject | undefined): InputCoding | undefined {
  if (coding === undefined) return undefined;
  if (typeof coding['code'] !== 'string') throw wrongKind(name, 'a Coding with a code');
  return coding as unknown as InputCoding;
}

function codingsOf(name: string, concept: JsonObject | undefined): readonly InputCoding[] | undefined {
  if (concept === undefined) return undefined;
  const list = objects(concept['coding']).flatMap((one) => requireCode(name, one) ?? []);
  if (list.length === 0) throw wrongKind(name, 'a CodeableConcept with a coding');
  return list;
}
