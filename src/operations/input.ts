// The parameters of an operation, from the query of a GET and the Parameters of a POST alike. https://hl7.org/fhir/R4/operations.html#request
import { readPence } from '../budgets/ledger/money.js';
import { asObject, asText } from '../fhir/elements.js';
import { fail, failWith } from '../fhir/errors.js';
import type { Issue } from '../fhir/issue.js';
import type { JsonDocument } from '../fhir/json-text.js';
import type { FhirRequest } from '../fhir/request.js';
import type { JsonObject, JsonValue, Resource } from '../fhir/resource.js';

/** What an operation takes, by name; `*` after a kind says that it may come more than once. */
export type InputKind = 'text' | 'text*' | 'boolean' | 'count' | 'count*' | 'Coding' | 'CodeableConcept' | 'Reference' | 'Reference*' | 'Period' | 'Money' | 'Identifier' | 'Meta' | 'Reference or RelatedPerson' | 'Reference or Group' | 'part' | 'part*' | 'CodeSystem' | 'ValueSet' | 'ConceptMap' | 'Group' | 'Patient';
/** Where a fault of a parameter stands, for OperationOutcome.issue.expression. */
export const AT = 'Parameters.parameter';

export type InputNames = Readonly<Record<string, InputKind>>;

export interface InputCoding {
  readonly system?: string;
  readonly version?: string;
  readonly code: string;
  readonly display?: string;
}

export interface Input {
  has(name: string): boolean;
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
  flag(name: string): boolean | undefined;
  count(name: string): number | undefined;
  counts(name: string): readonly number[];
  coding(name: string): InputCoding | undefined;
  codings(name: string): readonly InputCoding[] | undefined;
  /** The parts of each parameter of the name. */
  parts(name: string): readonly (readonly JsonObject[])[];
  /** The same, each read by names of its own. */
  groups(name: string, names: InputNames): readonly Input[];
  /** A Reference, Period, Money or Identifier as sent; `values` where it may come more than once. */
  value(name: string): JsonObject | undefined;
  values(name: string): readonly JsonObject[];
  /** The literal reference of a Reference: `Task/1`. */
  reference(name: string): string | undefined;
  /** An amount, in pence; 422 where it is not of whole pence, or not in pounds. */
  pence(name: string): bigint | undefined;
  resource<T>(name: string): T | undefined;
}

const PRESENTATION = new Set(['_format', '_pretty']);
const COMPLEX: ReadonlySet<string> = new Set(['Coding', 'CodeableConcept', 'Reference', 'Period', 'Money', 'Identifier', 'Meta']);
const RESOURCES: readonly string[] = ['CodeSystem', 'ValueSet', 'ConceptMap', 'Group', 'Patient'];
const MOST_COUNT = 1_000_000_000;

/**
 * Refuses (400) what the operation does not take, what comes twice, and values of another kind. `validate` judges a body
 * before anything reads it. A body that is a resource of the one kind taken stands for that parameter.
 */
export function readInput(request: FhirRequest, names: InputNames, validate: (resource: Resource) => readonly Issue[]): Input {
  const given = new Given(names);
  for (const [name, value] of request.query) if (!PRESENTATION.has(name)) given.add(name, '', (kind) => queryValue(name, kind, value));
  for (const { name, path, parameter } of bodyParameters(request, names, validate)) given.add(name, path, (kind) => bodyValue(name, kind, parameter));
  return inputOf(given, request.body);
}

/** What was sent under one name: `path` is where it stands in the body, `parameter[2]`. */
interface Held {
  readonly value: JsonValue;
  readonly path: string;
}

class Given {
  private readonly held = new Map<string, Held[]>();

  constructor(private readonly names: InputNames) {}

  add(name: string, path: string, read: (kind: InputKind) => JsonValue): void {
    const kind = this.names[name];
    if (kind === undefined || !Object.hasOwn(this.names, name)) throw fail('unknown-parameter', { text: `This operation takes ${Object.keys(this.names).join(', ')}, not ${JSON.stringify(name.slice(0, 64))}` });
    const before = this.held.get(name);
    if (before && !kind.endsWith('*')) throw fail('invalid-parameter', { text: `The parameter ${name} is given more than once` });
    this.held.set(name, [...(before ?? []), { value: read(kind), path }]);
  }

  of(name: string): readonly Held[] {
    return this.held.get(name) ?? [];
  }
}

function inputOf(given: Given, document: JsonDocument | undefined): Input {
  const first = <T>(name: string): T | undefined => given.of(name)[0]?.value as T | undefined;
  const all = <T>(name: string): readonly T[] => given.of(name).map(({ value }) => value as T);
  return {
    has: (name) => given.of(name).length > 0,
    text: first,
    texts: all,
    flag: first,
    count: first,
    counts: all,
    coding: (name) => requireCode(name, first<JsonObject>(name)),
    codings: (name) => codingsOf(name, first<JsonObject>(name)),
    parts: all,
    groups: (name, names) => given.of(name).map((held) => groupOf(held, names, document)),
    value: first,
    values: all,
    reference: (name) => asText(first<JsonObject>(name)?.['reference']),
    pence: (name) => given.of(name).map(({ value, path }) => document && readPence(document, value, `${path}.valueMoney`))[0],
    resource: first,
  };
}

function groupOf({ value, path }: Held, names: InputNames, document: JsonDocument | undefined): Input {
  const given = new Given(names);
  for (const [index, part] of objects(value).entries()) {
    const name = asText(part['name']) ?? '';
    given.add(name, `${path}.part[${index}]`, (kind) => bodyValue(name, kind, part));
  }
  return inputOf(given, document);
}

function queryValue(name: string, kind: InputKind, value: string): JsonValue {
  switch (kind) {
    case 'text': case 'text*': return requireText(name, value);
    case 'boolean': return requireFlag(name, value);
    case 'count': case 'count*': return requireCount(name, value);
    // R4 leaves it to POST, but a literal reference is plain enough: `criteria=Group/1`.
    case 'Reference': case 'Reference or Group': return { reference: requireText(name, value) };
    default: throw fail('invalid-parameter', { text: `The parameter ${name} is a ${kind.replace('*', '')}: send it by POST, in a Parameters resource` });
  }
}

interface Sent {
  readonly name: string;
  readonly path: string;
  readonly parameter: JsonObject;
}

function bodyParameters({ body }: FhirRequest, names: InputNames, validate: (resource: Resource) => readonly Issue[]): readonly Sent[] {
  if (!body) return [];
  const { resourceType } = body.value;
  if (typeof resourceType !== 'string') throw fail('not-a-resource');
  const resource: Resource = { ...body.value, resourceType };
  const faults = validate(resource).filter(({ severity }) => severity === 'error' || severity === 'fatal');
  if (faults.length > 0) throw failWith(400, faults);
  if (resourceType === 'Parameters') return objects(resource['parameter']).map((parameter, index) => ({ name: asText(parameter['name']) ?? '', path: `parameter[${index}]`, parameter }));
  const [name] = Object.entries(names).find(([, kind]) => kind === resourceType) ?? [];
  if (name === undefined) throw fail('wrong-resource-type', { text: `The body of this operation is a Parameters resource, not a ${resourceType}`, expression: 'resourceType' });
  return [{ name, path: '', parameter: { resource } }];
}

const objects = (value: JsonValue | undefined): JsonObject[] => (Array.isArray(value) ? (value as JsonObject[]) : []);

function bodyValue(name: string, kind: InputKind, parameter: JsonObject): JsonValue {
  if (kind === 'part' || kind === 'part*') return objects(parameter['part']);
  if (kind === 'Reference or RelatedPerson') return referenceOr('RelatedPerson', name, parameter);
  if (kind === 'Reference or Group') return referenceOr('Group', name, parameter);
  if (RESOURCES.includes(kind)) {
    const { resource } = parameter;
    if (typeof resource !== 'object' || resource === null || Array.isArray(resource) || resource['resourceType'] !== kind) throw wrongKind(name, `a resource ${kind}`);
    return resource;
  }
  const type = kind.replace('*', '');
  const value = COMPLEX.has(type) ? parameter[`value${type}`] : primitiveOf(parameter);
  if (value === undefined) throw wrongKind(name, COMPLEX.has(type) ? `a value${type}` : 'a value');
  if (COMPLEX.has(type)) return value;
  if (kind === 'boolean') return requireFlag(name, value);
  return type === 'count' ? requireCount(name, value) : requireText(name, value);
}

/** What is held here, or told about. */
function referenceOr(type: string, name: string, { valueReference, resource }: JsonObject): JsonObject {
  const found = asObject(valueReference) ?? asObject(resource);
  if (found && (valueReference !== undefined || found['resourceType'] === type)) return found;
  throw wrongKind(name, `a valueReference, or a resource ${type}`);
}

/** valueUri, valueString, valueCode …: clients differ, and the words are the same. */
function primitiveOf(parameter: JsonObject): JsonValue | undefined {
  return Object.entries(parameter).find(([member, value]) => member.startsWith('value') && typeof value !== 'object')?.[1];
}

const wrongKind = (name: string, wanted: string) => fail('invalid-parameter', { text: `The parameter ${name} must be ${wanted}`, expression: AT });

function requireText(name: string, value: JsonValue): string {
  if (typeof value !== 'string' || value.trim() === '') throw wrongKind(name, 'a text that is not empty');
  // JSON was read without; a query may have one.
  if (value.includes('\0')) throw wrongKind(name, 'a text without the character NUL');
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
