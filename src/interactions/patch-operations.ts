// The operations of a FHIRPath Patch, read from its Parameters before anything is changed. https://hl7.org/fhir/R4/fhirpatch.html
import { fail, type FhirError } from '../fhir/errors.js';
import type { JsonDocument } from '../fhir/json-document.js';
import { JsonNumber, parseTree, type JsonMembers, type JsonTree } from '../fhir/json-tree.js';

/** Fields are there where the kind of operation has them. */
export interface FhirpathOperation {
  readonly kind: (typeof KINDS)[number];
  readonly path: string;
  /** Where it stands in the body, for errors: `Parameters.parameter[0]`. */
  readonly place: string;
  readonly name: string;
  /** The part that holds the value. */
  readonly value: JsonMembers;
  readonly index: number;
  readonly source: number;
  readonly destination: number;
}

const KINDS = ['add', 'insert', 'delete', 'replace', 'move'] as const;
/** The parts each kind must have besides type and path; it may have no others. */
const PARTS = { add: ['name', 'value'], insert: ['value', 'index'], delete: [], replace: ['value'], move: ['source', 'destination'] } as const;
const MOST_OPERATIONS = 200;

/** Refuses (400) Parameters that are no FHIRPath Patch. */
export function readPatchOperations(document: JsonDocument): readonly FhirpathOperation[] {
  const body = parseTree(document.text, document.start);
  const parameters = body instanceof Map ? (body.get('parameter') ?? []) : [];
  if (!Array.isArray(parameters)) throw malformed('Parameters.parameter', 'must be an array');
  if (parameters.length > MOST_OPERATIONS) throw malformed('Parameters', `may have ${MOST_OPERATIONS} operations: send fewer`);
  return parameters.map((parameter, index) => readOperation(parameter, `Parameters.parameter[${index}]`));
}

function readOperation(parameter: JsonTree, place: string): FhirpathOperation {
  if (!(parameter instanceof Map) || parameter.get('name') !== 'operation') throw malformed(place, 'must be an operation: the parameters of a FHIRPath Patch have that name');
  const parts = partsOf(parameter, place);
  const type = textOf(parts, 'type', place);
  const kind = KINDS.find((known) => known === type);
  if (!kind) throw malformed(place, `must have a type out of ${KINDS.join(', ')}`);
  const needed: readonly string[] = PARTS[kind];
  const extra = [...parts.keys()].find((name) => name !== 'type' && name !== 'path' && !needed.includes(name));
  if (extra !== undefined) throw malformed(place, `(${kind}) has a part ${extra.slice(0, 64)}, which does not belong to it`);
  const number = (name: string): number => (needed.includes(name) ? numberOf(parts, name, place) : 0);
  return {
    kind,
    place,
    path: textOf(parts, 'path', place),
    name: needed.includes('name') ? textOf(parts, 'name', place) : '',
    value: needed.includes('value') ? partOf(parts, 'value', place) : new Map<string, JsonTree>(),
    index: number('index'),
    source: number('source'),
    destination: number('destination'),
  };
}

function partsOf(parameter: JsonMembers, place: string): ReadonlyMap<string, JsonMembers> {
  const list = parameter.get('part');
  const parts = new Map<string, JsonMembers>();
  for (const part of Array.isArray(list) ? list : []) {
    const name = part instanceof Map ? part.get('name') : undefined;
    if (!(part instanceof Map) || typeof name !== 'string') throw malformed(place, 'has a part without a name');
    if (parts.has(name)) throw malformed(place, `has two parts ${name.slice(0, 64)}`);
    parts.set(name, part);
  }
  return parts;
}

function partOf(parts: ReadonlyMap<string, JsonMembers>, name: string, place: string): JsonMembers {
  const part = parts.get(name);
  if (!part) throw malformed(place, `must have a part ${name}`);
  return part;
}

function textOf(parts: ReadonlyMap<string, JsonMembers>, name: string, place: string): string {
  const part = partOf(parts, name, place);
  const text = part.get('valueString') ?? part.get('valueCode');
  if (typeof text !== 'string' || text === '') throw malformed(place, `must have its ${name} as a valueString or valueCode`);
  return text;
}

function numberOf(parts: ReadonlyMap<string, JsonMembers>, name: string, place: string): number {
  const part = partOf(parts, name, place);
  const number = part.get('valueInteger') ?? part.get('valueUnsignedInt');
  if (!(number instanceof JsonNumber) || !/^[0-9]{1,9}$/.test(number.text)) throw malformed(place, `must have its ${name} as a valueInteger from 0 up`);
  return Number(number.text);
}

const malformed = (place: string, text: string): FhirError => fail('bad-request', { text: `${place} ${text}`, expression: place });
