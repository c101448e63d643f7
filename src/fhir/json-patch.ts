// JSON Patch on a tree whose numbers keep their digits. https://www.rfc-editor.org/rfc/rfc6902
import { fail, type FhirError } from './errors.js';
import { arrayIndex, childAt, parsePointer, pointerPath, valueAt, type Pointer } from './json-pointer.js';
import { readJsonValue } from './json-text.js';
import { copyTree, parseTree, sameTree, treeSize, type JsonMembers, type JsonTree } from './json-tree.js';
import { TreeWork } from './tree-work.js';

const OPS = ['add', 'remove', 'replace', 'move', 'copy', 'test'] as const;

interface PatchOperation {
  /** From 1. */
  readonly number: number;
  readonly op: (typeof OPS)[number];
  readonly path: Pointer;
  /** move and copy. */
  readonly from: Pointer;
  /** add, replace and test; null for the others. */
  readonly value: JsonTree;
}

export type JsonPatch = readonly PatchOperation[];

const MOST_OPERATIONS = 1000;

/** Reads a patch document; refuses (400) what is none, before anything is changed. */
export function readJsonPatch(text: string): JsonPatch {
  readJsonValue(text);
  const tree = parseTree(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  if (!Array.isArray(tree)) throw fail('bad-request', { text: 'A JSON Patch is an array of operations: [{"op": "replace", "path": "/active", "value": true}]' });
  if (tree.length > MOST_OPERATIONS) throw fail('bad-request', { text: `A JSON Patch may have ${MOST_OPERATIONS} operations here: send fewer` });
  return tree.map(readOperation);
}

function readOperation(tree: JsonTree, index: number): PatchOperation {
  const number = index + 1;
  if (!(tree instanceof Map)) throw malformed(number, 'must be an object');
  const op = OPS.find((known) => known === tree.get('op'));
  if (!op) throw malformed(number, `must have an op out of ${OPS.join(', ')}`);
  const value = tree.get('value');
  const needsValue = op === 'add' || op === 'replace' || op === 'test';
  if (needsValue && value === undefined) throw malformed(number, `(${op}) must have a value`);
  const from = op === 'move' || op === 'copy' ? pointer(tree, 'from', number, op) : [];
  const path = pointer(tree, 'path', number, op);
  return { number, op, path, from, value: needsValue && value !== undefined ? value : null };
}

function pointer(tree: JsonMembers, member: 'path' | 'from', number: number, op: string): Pointer {
  const text = tree.get(member);
  const parsed = typeof text === 'string' ? parsePointer(text) : undefined;
  if (!parsed) throw malformed(number, `(${op}) must have a ${member} that is a JSON Pointer, such as /name/0/family`);
  return parsed;
}

const malformed = (number: number, text: string): FhirError => fail('bad-request', { text: `Operation ${number} of the JSON Patch ${text}` });

/**
 * The patched tree. `tree` itself is changed and must be thrown away where this throws (422): all operations are applied or none.
 * Objects and arrays that a removal has left empty are taken out at the end, since FHIR knows no empty ones.
 */
export function applyJsonPatch(tree: JsonTree, patch: JsonPatch): JsonTree {
  const run = new PatchRun(tree);
  for (const operation of patch) run.apply(operation);
  return run.finish();
}

class PatchRun {
  #root: JsonTree;
  readonly #work = new TreeWork();
  readonly #emptied = new Set<JsonTree>();

  constructor(root: JsonTree) {
    this.#root = root;
  }

  apply(operation: PatchOperation): void {
    const { op, path, value } = operation;
    if (op === 'add') this.#add(operation, this.#fitting(operation, copyTree(value)));
    else if (op === 'remove') this.#remove(operation, path);
    else if (op === 'replace') this.#replace(operation);
    else if (op === 'move') this.#move(operation);
    else if (op === 'copy') this.#copy(operation);
    else this.#test(operation);
  }

  finish(): JsonTree {
    if (this.#emptied.size > 0) dropEmpty(this.#root, this.#emptied);
    return this.#root;
  }

  #add(operation: PatchOperation, value: JsonTree): void {
    const last = operation.path.at(-1);
    if (last === undefined) {
      this.#root = value;
      return;
    }
    const parent = this.#parentOf(operation, operation.path);
    if (parent instanceof Map) parent.set(last, value);
    else {
      const index = last === '-' ? parent.length : arrayIndex(last);
      if (index === undefined || index > parent.length) throw this.#refuse(operation, operation.path, `the list has ${parent.length} items, so the last part must be 0 to ${parent.length}, or - for its end`);
      parent.splice(index, 0, value);
    }
  }

  #remove(operation: PatchOperation, path: Pointer): JsonTree {
    const last = path.at(-1);
    if (last === undefined) throw this.#refuse(operation, path, 'the whole resource can not be removed by a patch: send a DELETE');
    const removed = this.#find(operation, path);
    const parent = this.#parentOf(operation, path);
    if (parent instanceof Map) parent.delete(last);
    else parent.splice(Number(last), 1);
    this.#emptied.add(parent);
    return removed;
  }

  #replace(operation: PatchOperation): void {
    this.#find(operation, operation.path);
    const value = this.#fitting(operation, copyTree(operation.value));
    const last = operation.path.at(-1);
    if (last === undefined) {
      this.#root = value;
      return;
    }
    const parent = this.#parentOf(operation, operation.path);
    if (parent instanceof Map) parent.set(last, value);
    else parent[Number(last)] = value;
  }

  #move(operation: PatchOperation): void {
    const { from, path } = operation;
    const value = this.#find(operation, from);
    const shared = from.every((token, index) => token === path[index]);
    if (shared && from.length === path.length) return;
    if (shared) throw this.#refuse(operation, path, 'a value can not be moved into itself');
    this.#fitting(operation, value);
    this.#remove(operation, from);
    this.#add(operation, value);
  }

  #copy(operation: PatchOperation): void {
    const value = this.#find(operation, operation.from);
    this.#fitting(operation, value);
    this.#work.copy(value);
    this.#add(operation, copyTree(value));
  }

  #test(operation: PatchOperation): void {
    this.#work.spend(treeSize(operation.value).nodes);
    const found = this.#find(operation, operation.path);
    if (!sameTree(found, operation.value)) throw this.#refuse(operation, operation.path, 'the value there is another one than the test asks for');
  }

  /** The same value, if it is not too much to be put at the path. */
  #fitting(operation: PatchOperation, value: JsonTree): JsonTree {
    this.#work.place(value, operation.path.length);
    return value;
  }

  #find(operation: PatchOperation, path: Pointer): JsonTree {
    const found = valueAt(this.#root, path);
    if (found === undefined) throw this.#refuse(operation, path, 'there is nothing at this place');
    return found;
  }

  #parentOf(operation: PatchOperation, path: Pointer): JsonMembers | JsonTree[] {
    const parent = valueAt(this.#root, path.slice(0, -1));
    if (parent instanceof Map || Array.isArray(parent)) return parent;
    throw this.#refuse(operation, path, 'there is no object or list that it could be in');
  }

  #refuse(operation: PatchOperation, path: Pointer, reason: string): FhirError {
    const expression = pointerPath(this.#root, path);
    const text = `Operation ${operation.number} of the JSON Patch (${operation.op}) fails at ${pointerText(path)}: ${reason}. Nothing was changed`;
    return fail('patch-failed', { text, ...(expression !== '' && expression.length <= MOST_SAID && { expression }) });
  }
}

/** Of what the caller sent, in an error. */
const MOST_SAID = 200;

function pointerText(path: Pointer): string {
  if (path.length === 0) return 'the root';
  return path.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('').slice(0, MOST_SAID);
}

/** Takes the containers out of which everything was removed, and those that are empty for that; gives whether `tree` is one of them. */
function dropEmpty(tree: JsonTree, emptied: ReadonlySet<JsonTree>): boolean {
  if (!(tree instanceof Map) && !Array.isArray(tree)) return false;
  let dropped = emptied.has(tree);
  if (tree instanceof Map) {
    for (const [key, child] of tree) {
      if (dropEmpty(child, emptied)) dropped = tree.delete(key);
    }
    return dropped && tree.size === 0;
  }
  for (let index = tree.length - 1; index >= 0; index--) {
    const child = childAt(tree, String(index));
    if (child === undefined || !dropEmpty(child, emptied)) continue;
    tree.splice(index, 1);
    dropped = true;
  }
  return dropped && tree.length === 0;
}
