// What a patch may do to a tree: a few operations that copy can double a resource until it fills the memory.
import { fail } from './errors.js';
import { treeSize, type JsonTree } from './json-tree.js';

/** As readJson takes. */
const MAX_DEPTH = 100;
/** Values looked at and characters copied, over the whole patch. */
const MOST_WORK = 20_000_000;
/** What a copied value weighs, in memory and time, beside one that is looked at. */
const COPIED = 20;

/** Counts what a patch does; throws (400, 422) where it is too much. */
export class TreeWork {
  #spent = 0;

  spend(amount: number): void {
    this.#spent += amount;
    if (this.#spent > MOST_WORK) throw fail('too-costly', { text: 'The patch copies or compares more than the server takes: send the whole resource by PUT' });
  }

  copy(value: JsonTree): void {
    const { nodes, characters } = treeSize(value);
    this.spend(nodes * COPIED + characters);
  }

  /** A value is about to stand below `above` containers. */
  place(value: JsonTree, above: number): void {
    const { depth, nodes } = treeSize(value);
    this.spend(nodes);
    if (above + depth > MAX_DEPTH) throw fail('too-deep', { text: `The patch nests objects and arrays more than ${MAX_DEPTH} deep` });
  }
}
