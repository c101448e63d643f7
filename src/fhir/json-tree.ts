// JSON as a tree that can be changed and written out again, each number as it was written. https://hl7.org/fhir/R4/json.html#decimal
import { compareDecimals, parseDecimal } from './decimal.js';
import { blank, unquote, valueEnd } from './json-walk.js';
import type { JsonObject, JsonValue } from './resource.js';

/** A number by its text: 1.00 is not 1.0. */
export class JsonNumber {
  constructor(readonly text: string) {}
}

export type JsonTree = string | boolean | null | JsonNumber | JsonTree[] | JsonMembers;
/** Members in order. A Map, so that no name is special: `__proto__` is a member like any other. */
export type JsonMembers = Map<string, JsonTree>;

/** The value that begins at `start` of a text that readJson has taken. As deep in calls as the text is nested, which readJson limits. */
export function parseTree(text: string, start = 0): JsonTree {
  let pos = start;
  const skip = (): string | undefined => {
    pos = blank(text, pos);
    return text[pos];
  };
  const token = (): string => {
    const from = pos;
    pos = valueEnd(text, pos);
    return text.slice(from, pos);
  };
  const list = (close: string, one: () => void): void => {
    pos++;
    for (let next = skip(); next !== close; next = skip()) {
      if (next === ',') pos++;
      else one();
    }
    pos++;
  };
  const value = (): JsonTree => {
    const first = skip();
    if (first === '{') {
      const members: JsonMembers = new Map();
      list('}', () => {
        const key = unquote(token());
        skip();
        pos++;
        members.set(key, value());
      });
      return members;
    }
    if (first === '[') {
      const items: JsonTree[] = [];
      list(']', () => items.push(value()));
      return items;
    }
    return scalar(token());
  };
  return value();
}

function scalar(token: string): JsonTree {
  if (token.startsWith('"')) return unquote(token);
  if (token === 'null') return null;
  return token === 'true' || token === 'false' ? token === 'true' : new JsonNumber(token);
}

/** The JSON text of a tree, without white space. */
export function treeText(tree: JsonTree): string {
  if (tree instanceof JsonNumber) return tree.text;
  if (Array.isArray(tree)) return `[${tree.map(treeText).join(',')}]`;
  if (tree instanceof Map) return `{${[...tree].map(([key, value]) => `${JSON.stringify(key)}:${treeText(value)}`).join(',')}}`;
  return JSON.stringify(tree);
}

/** The tree as JSON.parse would give it. */
export function treeValue(tree: JsonTree): JsonValue {
  if (tree instanceof JsonNumber) return Number(tree.text);
  if (Array.isArray(tree)) return tree.map(treeValue);
  if (!(tree instanceof Map)) return tree;
  const value: JsonObject = {};
  for (const [key, child] of tree) if (key !== '__proto__') value[key] = treeValue(child);
  return value;
}

/** A tree that shares nothing that can change. */
export function copyTree(tree: JsonTree): JsonTree {
  if (Array.isArray(tree)) return tree.map(copyTree);
  return tree instanceof Map ? new Map([...tree].map(([key, value]) => [key, copyTree(value)])) : tree;
}

/** Equal as RFC 6902 has it: numbers by value, members in any order. https://www.rfc-editor.org/rfc/rfc6902#section-4.6 */
export function sameTree(one: JsonTree, other: JsonTree): boolean {
  if (one instanceof JsonNumber) return other instanceof JsonNumber && sameNumber(one.text, other.text);
  if (Array.isArray(one)) return Array.isArray(other) && one.length === other.length && one.every((item, index) => sameTree(item, other[index] ?? null));
  if (!(one instanceof Map)) return one === other;
  if (!(other instanceof Map) || one.size !== other.size) return false;
  return [...one].every(([key, value]) => {
    const found = other.get(key);
    return found !== undefined && sameTree(value, found);
  });
}

function sameNumber(one: string, other: string): boolean {
  if (one === other) return true;
  const a = parseDecimal(one);
  const b = parseDecimal(other);
  return a !== undefined && b !== undefined && compareDecimals(a, b) === 0;
}

export interface TreeSize {
  /** Objects and arrays inside each other; 0 for a scalar. */
  readonly depth: number;
  readonly nodes: number;
  /** Of strings and numbers. */
  readonly characters: number;
}

export function treeSize(tree: JsonTree): TreeSize {
  if (!(tree instanceof Map) && !Array.isArray(tree)) {
    return { depth: 0, nodes: 1, characters: typeof tree === 'string' ? tree.length : tree instanceof JsonNumber ? tree.text.length : 5 };
  }
  let depth = 0;
  let nodes = 1;
  let characters = 0;
  for (const child of tree.values()) {
    const size = treeSize(child);
    if (size.depth > depth) depth = size.depth;
    nodes += size.nodes;
    characters += size.characters;
  }
  return { depth: depth + 1, nodes, characters };
}
