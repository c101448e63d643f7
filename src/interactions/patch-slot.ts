// Elements of a resource as places in its JSON tree: where one stands, what it holds, and how it is put in or taken out.
// A primitive's id and extensions stand beside it, under `_name`: both move together. https://hl7.org/fhir/R4/json.html#primitive
import type { Definitions, ElementRule } from '../definitions/model.js';
import type { JsonMembers, JsonTree } from '../fhir/json-tree.js';
import type { Place } from '../fhirpath/locate.js';

/** One element's JSON: the value, and the object under `_name`; null where it has none. */
export interface Pair {
  readonly value: JsonTree;
  readonly extra: JsonTree;
}

export interface TypedElement {
  readonly element: ElementRule;
  /** The type it has here: one of a choice. */
  readonly type: string;
}

export interface Slot extends TypedElement {
  readonly holder: JsonMembers;
  /** As the JSON names it: `valueQuantity`. */
  readonly member: string;
  /** Undefined where the element does not repeat. */
  readonly index?: number;
}

/** The members of an element, and its type. */
export interface Inside {
  readonly members: JsonMembers;
  readonly type: string;
}

/** The slots on the way to a place, the last one its own. Undefined where the definitions or the tree have no such place. */
export function trailTo(root: JsonMembers, place: Place, definitions: Definitions): Slot[] | undefined {
  const trail: Slot[] = [];
  let inside: Inside | undefined = rootOf(root);
  for (let at = 0; at < place.length; ) {
    const member = String(place[at++]);
    const next = place[at];
    if (typeof next === 'number') at++;
    const found = inside && memberElement(definitions, inside.type, member);
    if (!inside || !found) return undefined;
    const slot: Slot = { holder: inside.members, member, ...found, ...(typeof next === 'number' && { index: next }) };
    trail.push(slot);
    inside = insideOf(slot, definitions);
  }
  return trail;
}

export function rootOf(root: JsonMembers): Inside {
  return { members: root, type: typeOf(root) };
}

/** The resourceType; empty, which no definition has, where there is none. */
export function typeOf(resource: JsonMembers): string {
  const type = resource.get('resourceType');
  return typeof type === 'string' ? type : '';
}

/** The members of the element in a slot; for a primitive, of the object beside it. Undefined where there are none. */
export function insideOf(slot: Slot, definitions: Definitions): Inside | undefined {
  const { value, extra } = pairIn(slot);
  const members = isPrimitive(slot.type, definitions) ? extra : value;
  if (!(members instanceof Map)) return undefined;
  return definitions.isResource(slot.type) ? rootOf(members) : { members, type: slot.type };
}

export const isPrimitive = (type: string, definitions: Definitions): boolean => definitions.type(type)?.kind === 'primitive-type';

/** The element that a type has under a name of the JSON: `valueQuantity` is value[x] as a Quantity. */
export function memberElement(definitions: Definitions, type: string, member: string): TypedElement | undefined {
  for (const element of definitions.type(type)?.elements ?? []) {
    const found = isChoice(element) ? element.types.find((one) => memberName(element, one) === member) : element.name === member ? element.types[0] : undefined;
    if (found !== undefined) return { element, type: found };
  }
  return undefined;
}

export const isChoice = (element: ElementRule): boolean => element.name.endsWith('[x]');

/** `valueQuantity` for value[x] as a Quantity; the element's own name where it is no choice. */
export function memberName(element: ElementRule, type: string): string {
  return isChoice(element) ? `${element.name.slice(0, -3)}${type.charAt(0).toUpperCase()}${type.slice(1)}` : element.name;
}

/** All items of a list, those that have only an extension too. */
export function pairsOf(holder: JsonMembers, member: string): Pair[] {
  const values = itemsOf(holder.get(member));
  const extras = itemsOf(holder.get(`_${member}`));
  return Array.from({ length: Math.max(values.length, extras.length) }, (_, index) => ({ value: values[index] ?? null, extra: extras[index] ?? null }));
}

const itemsOf = (tree: JsonTree | undefined): readonly JsonTree[] => (Array.isArray(tree) ? tree : []);

export function setPairs(holder: JsonMembers, member: string, pairs: readonly Pair[]): void {
  setUnlessEmpty(holder, member, pairs.map(({ value }) => value));
  setUnlessEmpty(holder, `_${member}`, pairs.map(({ extra }) => extra));
}

/** An array of nulls alone says nothing. */
function setUnlessEmpty(holder: JsonMembers, member: string, items: JsonTree[]): void {
  if (items.every((item) => item === null)) holder.delete(member);
  else holder.set(member, items);
}

export function pairIn({ holder, member, index }: Slot): Pair {
  if (index !== undefined) return pairsOf(holder, member)[index] ?? NOTHING;
  return { value: holder.get(member) ?? null, extra: holder.get(`_${member}`) ?? null };
}

const NOTHING: Pair = { value: null, extra: null };

/** Puts a pair where another was; one of nothing takes the element out, and the next of a list moves up. */
export function setPair({ holder, member, index }: Slot, pair: Pair): void {
  const nothing = pair.value === null && pair.extra === null;
  if (index !== undefined) {
    const pairs = pairsOf(holder, member);
    if (nothing) pairs.splice(index, 1);
    else pairs[index] = pair;
    setPairs(holder, member, pairs);
    return;
  }
  setUnlessNull(holder, member, pair.value);
  setUnlessNull(holder, `_${member}`, pair.extra);
}

function setUnlessNull(holder: JsonMembers, member: string, value: JsonTree): void {
  if (value === null) holder.delete(member);
  else holder.set(member, value);
}

/** Takes an element out, and with it those around it that have nothing else: FHIR knows no empty elements. */
export function removeLast(trail: readonly Slot[], definitions: Definitions): void {
  const slot = trail.at(-1);
  if (!slot) return;
  setPair(slot, NOTHING);
  for (let around = trail.length - 2; around >= 0 && trail[around + 1]?.holder.size === 0; around--) {
    const outer = trail[around];
    if (outer) setPair(outer, isPrimitive(outer.type, definitions) ? { ...pairIn(outer), extra: null } : NOTHING);
  }
}
