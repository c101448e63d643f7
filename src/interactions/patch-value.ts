// The value of a FHIRPath Patch operation as JSON of the type that its place asks for. https://hl7.org/fhir/R4/fhirpatch.html
import type { Definitions, ElementRule } from '../definitions/model.js';
import { copyTree, type JsonMembers, type JsonTree } from '../fhir/json-tree.js';
import { isChoice, isPrimitive, memberElement, memberName, pairsOf, setPair, setPairs, typeOf, type Inside, type Pair } from './patch-slot.js';

/** What is wrong with a value or where it should go, in words. */
export class PatchFault extends Error {}

interface TypedPair {
  readonly type: string;
  readonly pair: Pair;
}

/** Adds the value of a part under a name: to the end of a list, or where nothing is yet. */
export function addValue({ members, type }: Inside, name: string, part: JsonMembers, definitions: Definitions): void {
  const element = namedElement(definitions, type, name);
  const typed = typedValue(part, element, definitions);
  const member = memberName(element, typed.type);
  if (element.max > 1) {
    setPairs(members, member, [...pairsOf(members, member), typed.pair]);
    return;
  }
  const there = [...members.keys()].find((key) => memberElement(definitions, type, key.replace(/^_/, ''))?.element === element);
  if (there !== undefined) throw new PatchFault(`${type} has ${there.replace(/^_/, '')} already, and may have it once: replace it`);
  setPair({ holder: members, member, element, type: typed.type }, typed.pair);
}

/** By the name of FHIRPath (`value`), of the definition (`value[x]`) or of the JSON (`valueQuantity`). */
function namedElement(definitions: Definitions, type: string, name: string): ElementRule {
  const element = definitions.type(type)?.elements.find((one) => one.name === name || one.name === `${name}[x]`) ?? memberElement(definitions, type, name)?.element;
  if (!element) throw new PatchFault(`${type} has no element ${name.slice(0, 64)}`);
  return element;
}

/** The value of a part, and the type it has at the element: the part's own for a choice, else the element's. */
export function typedValue(part: JsonMembers, element: ElementRule, definitions: Definitions): TypedPair {
  const sent = sentValue(part, definitions);
  if (!sent) return { type: onlyType(element), pair: { value: fromParts(part, element, definitions), extra: null } };
  const type = element.types.find((one) => one === sent.type) ?? (isChoice(element) ? undefined : element.types.find((one) => isRelated(sent.type, one, definitions)));
  if (type === undefined) throw new PatchFault(`${element.path} takes ${element.types.slice(0, 8).join(', ')}, not ${sent.type}`);
  return { type, pair: sent.pair };
}

/** A code is sent as a string or the other way round; narrative can only be sent as a string. */
function isRelated(sent: string, wanted: string, definitions: Definitions): boolean {
  return definitions.isA(sent, wanted) || definitions.isA(wanted, sent) || (wanted === 'xhtml' && sent === 'string');
}

/** What value[x] or resource of the part holds; undefined where it has neither. */
function sentValue(part: JsonMembers, definitions: Definitions): TypedPair | undefined {
  const resource = part.get('resource');
  if (resource instanceof Map) return { type: typeOf(resource), pair: { value: copyTree(resource), extra: null } };
  const names = new Set([...part.keys()].map((key) => key.replace(/^_/, '')).filter((key) => key.startsWith('value')));
  const [member, second] = names;
  if (member === undefined) return undefined;
  const type = memberElement(definitions, 'Parameters.parameter', member)?.type;
  if (type === undefined || second !== undefined) throw new PatchFault('a value is one value[x] of a type that Parameters takes, or parts');
  const pair = { value: copyTree(part.get(member) ?? null), extra: copyTree(part.get(`_${member}`) ?? null) };
  if (pair.value === null && pair.extra === null) throw new PatchFault('a value can not be null: use delete');
  return { type, pair };
}

function onlyType(element: ElementRule): string {
  const [type] = element.types;
  if (type === undefined || isChoice(element)) throw new PatchFault(`${element.path} needs a value[x]: parts do not tell its type`);
  return type;
}

/** An element whose type has no name of its own, or none that Parameters takes (Extension), is sent as its children. */
function fromParts(part: JsonMembers, element: ElementRule, definitions: Definitions): JsonTree {
  const type = onlyType(element);
  const parts = part.get('part');
  if (!Array.isArray(parts) || isPrimitive(type, definitions)) throw new PatchFault(`the value for ${element.path} is missing: send a value[x] or parts`);
  const members: JsonMembers = new Map();
  for (const child of parts) {
    const name = child instanceof Map ? child.get('name') : undefined;
    if (!(child instanceof Map) || typeof name !== 'string') throw new PatchFault('each part of a value has a name');
    addValue({ members, type }, name, child, definitions);
  }
  return members;
}
