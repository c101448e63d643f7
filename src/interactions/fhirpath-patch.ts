// FHIRPath Patch: finds elements by FHIRPath and changes them in the tree of the stored text. https://hl7.org/fhir/R4/fhirpatch.html
import type { Definitions } from '../definitions/model.js';
import { fail } from '../fhir/errors.js';
import { treeValue, type JsonMembers, type JsonTree } from '../fhir/json-tree.js';
import { TreeWork } from '../fhir/tree-work.js';
import { PathError } from '../fhirpath/expression.js';
import { createLocate, type Place } from '../fhirpath/locate.js';
import type { FhirpathOperation } from './patch-operations.js';
import { insideOf, isPrimitive, memberElement, memberName, pairIn, pairsOf, removeLast, rootOf, setPair, setPairs, trailTo, type Inside, type Pair, type Slot, type TypedElement } from './patch-slot.js';
import { addValue, PatchFault, typedValue } from './patch-value.js';

/** The patched tree, which is `tree` changed; it must be thrown away where this throws (422): all operations are applied or none. */
export function applyFhirpathPatch(tree: JsonTree, operations: readonly FhirpathOperation[], definitions: Definitions): JsonTree {
  if (!(tree instanceof Map)) throw new Error('a stored text is an object');
  const run = new PatchRun(tree, definitions);
  const work = new TreeWork();
  for (const operation of operations) {
    work.place(tree, 0);
    step(operation, () => run.apply(operation));
  }
  work.place(tree, 0);
  return tree;
}

function step(operation: FhirpathOperation, apply: () => void): void {
  try {
    apply();
  } catch (error) {
    if (!(error instanceof PatchFault) && !(error instanceof PathError)) throw error;
    const text = `${operation.place} (${operation.kind} ${operation.path.slice(0, 200)}) fails: ${error.message}. Nothing was changed`;
    throw fail('patch-failed', { text, expression: operation.place });
  }
}

/** The list that an insert or a move works on. */
interface List extends TypedElement {
  readonly holder: JsonMembers;
  readonly member: string;
  readonly pairs: Pair[];
}

class PatchRun {
  readonly #locate = createLocate();

  constructor(
    readonly root: JsonMembers,
    readonly definitions: Definitions,
  ) {}

  apply(operation: FhirpathOperation): void {
    const { kind, path } = operation;
    if (kind === 'add') addValue(this.#insideAt(path), operation.name, operation.value, this.definitions);
    else if (kind === 'insert') this.#insert(operation);
    else if (kind === 'delete') this.#delete(path);
    else if (kind === 'replace') this.#replace(operation);
    else this.#move(operation);
  }

  #insert({ path, index, value }: FhirpathOperation): void {
    const { holder, member, element, pairs } = this.#listAt(path);
    if (index > pairs.length) throw new PatchFault(`the list has ${pairs.length} items, so index must be 0 to ${pairs.length}`);
    pairs.splice(index, 0, typedValue(value, element, this.definitions).pair);
    setPairs(holder, member, pairs);
  }

  /** Deleting what is not there succeeds. */
  #delete(path: string): void {
    const [place, ...others] = this.#places(path);
    if (place === undefined) return;
    if (others.length > 0) throw new PatchFault(`the path leads to ${others.length + 1} elements, and one can be deleted: name it by its index`);
    if (place.length === 0) throw new PatchFault('the whole resource can not be deleted by a patch: send a DELETE');
    removeLast(this.#trail(place), this.definitions);
  }

  #replace({ path, value }: FhirpathOperation): void {
    const slot = this.#trail(this.#one(path)).at(-1);
    if (!slot) throw new PatchFault('the whole resource can not be replaced by a patch: send a PUT');
    const typed = typedValue(value, slot.element, this.definitions);
    const member = memberName(slot.element, typed.type);
    if (member !== slot.member) setPair(slot, { value: null, extra: null });
    setPair({ ...slot, member }, typed.pair);
  }

  #move({ path, source, destination }: FhirpathOperation): void {
    const { holder, member, pairs } = this.#listAt(path);
    if (source >= pairs.length || destination >= pairs.length) throw new PatchFault(`the list has ${pairs.length} items, so source and destination must be below ${pairs.length}`);
    pairs.splice(destination, 0, ...pairs.splice(source, 1));
    setPairs(holder, member, pairs);
  }

  #places(path: string): Place[] {
    return this.#locate(path, () => treeValue(this.root) as object);
  }

  #one(path: string): Place {
    const places = this.#places(path);
    const [place] = places;
    if (place === undefined) throw new PatchFault('there is nothing at this path');
    if (places.length > 1) throw new PatchFault(`the path leads to ${places.length} elements, and must lead to one: name it by its index`);
    return place;
  }

  #trail(place: Place): Slot[] {
    const trail = trailTo(this.root, place, this.definitions);
    if (!trail) throw new PatchFault('the path leads to something that FHIR does not define');
    return trail;
  }

  /** The members of the element at a path, for something to be added to them. */
  #insideAt(path: string): Inside {
    const slot = this.#trail(this.#one(path)).at(-1);
    if (!slot) return rootOf(this.root);
    const inside = insideOf(slot, this.definitions);
    if (inside) return inside;
    if (!isPrimitive(slot.type, this.definitions)) throw new PatchFault('the path leads to something that nothing can be added to');
    const members: JsonMembers = new Map();
    setPair(slot, { ...pairIn(slot), extra: members });
    return { members, type: slot.type };
  }

  /** The whole list that a path leads to. One that is empty yet is found by its name in the element before it. */
  #listAt(path: string): List {
    const places = this.#places(path);
    const [first] = places;
    if (first === undefined) return this.#emptyListAt(path);
    const slot = this.#trail(first).at(-1);
    if (!slot || slot.element.max <= 1) throw new PatchFault('the path leads to no list');
    const pairs = pairsOf(slot.holder, slot.member);
    const start = first.slice(0, -1).join('/');
    if (places.length !== pairs.length || places.some((place) => place.slice(0, -1).join('/') !== start)) throw new PatchFault('the path must lead to one whole list, not to a choice of its items or to items of several lists');
    return { ...slot, pairs };
  }

  #emptyListAt(path: string): List {
    const [, before, member] = /^(.+)\.([A-Za-z]\w*)$/s.exec(path) ?? [];
    if (before === undefined || member === undefined) throw new PatchFault('there is nothing at this path');
    const { members, type } = this.#insideAt(before);
    const found = memberElement(this.definitions, type, member);
    if (!found || found.element.max <= 1) throw new PatchFault(`${type} has no list ${member.slice(0, 64)}`);
    return { ...found, holder: members, member, pairs: [] };
  }
}
