// From an element to its children, as FHIR's JSON lays them out. https://hl7.org/fhir/R4/json.html
import type { Item } from './item.js';
import type { ElementModel, TypeModel } from './model.js';
import { isOpen, isPrimitive } from './plan.js';

type Json = Readonly<Record<string, unknown>>;

/** Appends the children of that name. Nothing for a name the type has not got. */
export function pushChildren(item: Item, name: string, model: TypeModel, into: Item[]): void {
  const element = model.element(item.type, name);
  const node = nodeOf(item);
  if (element && node) pushElement(node, name, element, into);
}

/** All children, in the order of the JSON. */
export function pushAllChildren(item: Item, model: TypeModel, into: Item[]): void {
  const node = nodeOf(item);
  if (!node) return;
  const done = new Set<string>();
  for (const key of Object.keys(node)) {
    const member = key.startsWith('_') ? key.slice(1) : key;
    if (done.has(member)) continue;
    done.add(member);
    const [name, element] = elementOf(item.type, member, model) ?? [];
    if (name !== undefined && element) pushElement(node, name, element, into, member);
  }
}

/** What the members of a node lie in: for a primitive, its `_name`. */
function nodeOf({ type, value, sibling }: Item): Json | undefined {
  if (isPrimitive(type)) return sibling as Json | undefined;
  return typeof value === 'object' && value !== null ? (value as Json) : undefined;
}

/** The element that a JSON member belongs to: `value` for `valueQuantity`. */
function elementOf(type: string, member: string, model: TypeModel): readonly [string, ElementModel] | undefined {
  const plain = model.element(type, member);
  if (plain) return plain.choice ? undefined : [member, plain];
  for (let end = member.length - 1; end > 0; end--) {
    const char = member.charCodeAt(end);
    if (char < 65 || char > 90) continue;
    const name = member.slice(0, end);
    const element = model.element(type, name);
    if (element?.choice) return [name, element];
  }
  return undefined;
}

function pushElement(node: Json, name: string, element: ElementModel, into: Item[], only?: string): void {
  if (!element.choice) pushMember(node, name, element.types[0] ?? '', into);
  else {
    for (const [type, member, sibling] of membersOf(name, element)) {
      if ((only === undefined || only === member) && (node[member] !== undefined || node[sibling] !== undefined)) pushMember(node, member, type, into);
    }
  }
}

type Member = readonly [type: string, member: string, sibling: string];
const members = new WeakMap<ElementModel, readonly Member[]>();

function membersOf(name: string, element: ElementModel): readonly Member[] {
  const known = members.get(element);
  if (known) return known;
  const made = element.types.map((type): Member => {
    const member = name + type.charAt(0).toUpperCase() + type.slice(1);
    return [type, member, `_${member}`];
  });
  members.set(element, made);
  return made;
}

function pushMember(node: Json, member: string, type: string, into: Item[]): void {
  const value = node[member];
  const primitive = isPrimitive(type);
  const sibling = primitive ? node[`_${member}`] : undefined;
  if (!Array.isArray(value) && !Array.isArray(sibling)) pushOne(type, value, sibling, into);
  else {
    const values = Array.isArray(value) ? (value as readonly unknown[]) : [];
    const siblings = Array.isArray(sibling) ? (sibling as readonly unknown[]) : [];
    for (let place = 0; place < Math.max(values.length, siblings.length); place++) pushOne(type, values[place], siblings[place], into);
  }
}

function pushOne(type: string, value: unknown, sibling: unknown, into: Item[]): void {
  const extra = typeof sibling === 'object' && sibling !== null ? sibling : undefined;
  if (value === undefined || value === null) {
    if (extra) into.push({ type, value: undefined, sibling: extra });
  } else if (typeof value !== 'object') {
    if (isPrimitive(type)) into.push(extra ? { type, value, sibling: extra } : { type, value });
  } else if (!isPrimitive(type)) into.push({ type: isOpen(type) ? resourceTypeOf(value, type) : type, value });
}

/** A resource of any type tells its own. */
export function resourceTypeOf(value: unknown, otherwise: string): string {
  if (!isOpen(otherwise)) return otherwise;
  const type = typeof value === 'object' && value !== null && 'resourceType' in value ? value.resourceType : undefined;
  return typeof type === 'string' ? type : otherwise;
}
