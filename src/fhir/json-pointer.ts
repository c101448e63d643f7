// JSON Pointer: from a text to the value it names. https://www.rfc-editor.org/rfc/rfc6901
import type { JsonTree } from './json-tree.js';
import { pathText, type Segment } from './json-walk.js';

/** Unescaped reference tokens; none names the whole document. */
export type Pointer = readonly string[];

const ESCAPED = /~[01]/g;
const WRONG_ESCAPE = /~(?![01])/;

/** Undefined for text that is no pointer. */
export function parsePointer(text: string): Pointer | undefined {
  if (text === '') return [];
  if (!text.startsWith('/') || WRONG_ESCAPE.test(text)) return undefined;
  return text.slice(1).split('/').map((token) => token.replace(ESCAPED, (escape) => (escape === '~1' ? '/' : '~')));
}

const INDEX = /^(?:0|[1-9][0-9]{0,8})$/;

/** The number an array takes `token` for; `01`, `+1` and `-` are none. */
export function arrayIndex(token: string): number | undefined {
  return INDEX.test(token) ? Number(token) : undefined;
}

/** The member or item of that name; undefined where there is none. */
export function childAt(tree: JsonTree, token: string): JsonTree | undefined {
  if (tree instanceof Map) return tree.get(token);
  const index = Array.isArray(tree) ? arrayIndex(token) : undefined;
  return Array.isArray(tree) && index !== undefined ? tree[index] : undefined;
}

/** The value at a pointer; undefined where there is none. */
export function valueAt(tree: JsonTree, pointer: Pointer): JsonTree | undefined {
  let at: JsonTree | undefined = tree;
  for (const token of pointer) {
    if (at === undefined) return undefined;
    at = childAt(at, token);
  }
  return at;
}

/** As indexed FHIRPath, for errors: `/name/0/given` is `Patient.name[0].given`. */
export function pointerPath(tree: JsonTree, pointer: Pointer): string {
  const type = tree instanceof Map ? tree.get('resourceType') : undefined;
  const path = pathText(pointer.map((token): Segment => arrayIndex(token) ?? token));
  return [typeof type === 'string' ? type : '', path].filter((part) => part !== '').join('.');
}
