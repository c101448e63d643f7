// An expression with its types worked out: where each step leads in the JSON, and which types its nodes can have.

/** One way from a node to a child: `valueQuantity`, of type Quantity. */
export interface Step {
  readonly member: string;
  readonly type: string;
  readonly repeats: boolean;
}

/** Whose node a name is looked up in: the input (`0`), the resource it lies in, or the `$this` of a filter (`1` and up). */
export type Scope = number | 'resource';

/** A collection of nodes. `types`: what they can be, so that later steps need no look at the data. */
export type Nodes =
  | { readonly op: 'scope'; readonly types: readonly string[]; readonly scope: Scope }
  /** `steps`: by type of the parent; types without the element are left out. */
  | { readonly op: 'child'; readonly types: readonly string[]; readonly of: Nodes; readonly steps: ReadonlyMap<string, readonly Step[]> }
  /** `as`, `ofType`: nodes of these types pass. */
  | { readonly op: 'keep'; readonly types: readonly string[]; readonly of: Nodes }
  /** `ofType` of resources whose type only the data can tell. */
  | { readonly op: 'narrow'; readonly types: readonly [string]; readonly of: Nodes }
  /** `tests`: the same test, once for each type of the nodes. */
  | { readonly op: 'filter'; readonly types: readonly string[]; readonly of: Nodes; readonly scope: number; readonly tests: ReadonlyMap<string, Value> }
  /** `parts`: what to go on to, once for each type of the nodes. */
  | { readonly op: 'select'; readonly types: readonly string[]; readonly of: Nodes; readonly scope: number; readonly parts: ReadonlyMap<string, Nodes> }
  | { readonly op: 'nth'; readonly types: readonly string[]; readonly of: Nodes; readonly place: number }
  /** Duplicates stay: an index entry is the same once or twice. */
  | { readonly op: 'union'; readonly types: readonly string[]; readonly of: readonly Nodes[] }
  | { readonly op: 'value'; readonly types: readonly [string]; readonly value: Value };

/** At most one primitive value; empty is `undefined` in the generated code. */
export type Value =
  | { readonly op: 'literal'; readonly value: string | number | boolean | null }
  | { readonly op: 'single'; readonly of: Nodes }
  /** `valued`: a primitive that has extensions alone does not count. */
  | { readonly op: 'exists'; readonly of: Nodes; readonly valued?: boolean }
  | { readonly op: 'count'; readonly of: Nodes }
  /** `tests`: as in a filter. */
  | { readonly op: 'all'; readonly of: Nodes; readonly scope: number; readonly tests: ReadonlyMap<string, Value> }
  /** `isDistinct`, of plain values. */
  | { readonly op: 'distinct'; readonly of: Nodes }
  /** `intersect(…).exists()`, of complex nodes. */
  | { readonly op: 'meets'; readonly of: Nodes; readonly other: Nodes }
  /** `&`. */
  | { readonly op: 'concat'; readonly left: Value; readonly right: Value }
  | { readonly op: 'in'; readonly item: Value; readonly list: Nodes }
  /** `dated`: of dates or times of day, which need more than JavaScript's <. */
  | { readonly op: 'compare'; readonly operator: '<' | '<=' | '>' | '>='; readonly left: Value; readonly right: Value; readonly dated: boolean }
  | { readonly op: 'sum'; readonly left: Value; readonly right: Value }
  /** Functions of text, by their name in runtime.ts. */
  | { readonly op: 'text'; readonly name: 'startsWith' | 'endsWith' | 'includes' | 'matches'; readonly of: Value; readonly argument: Value }
  | { readonly op: 'not'; readonly of: Value }
  | { readonly op: 'logic'; readonly operator: 'and' | 'or' | 'xor' | 'implies'; readonly left: Value; readonly right: Value }
  | { readonly op: 'equals'; readonly left: Value; readonly right: Value }
  /** `is`: of the node, or, after `resolve()`, of what it refers to. */
  | { readonly op: 'is'; readonly of: Nodes; readonly type: string; readonly kinds: readonly string[]; readonly resolved: boolean };

export const NOTHING: Nodes = { op: 'union', types: [], of: [] };

export const NUMBERS: ReadonlySet<string> = new Set(['decimal', 'integer', 'positiveInt', 'unsignedInt']);

/** Types whose JSON is not the only way to write the value, so that === would be wrong. */
const DATES: ReadonlySet<string> = new Set(['date', 'dateTime', 'instant', 'time']);

/** Nodes of these types tell their own: `Bundle.entry.resource`. */
export function isOpen(type: string): boolean {
  return type === 'Resource' || type === 'DomainResource';
}

export function isPrimitive(type: string): boolean {
  const first = type.charAt(0);
  return first >= 'a' && first <= 'z';
}

/** Can there be several, as far as the definitions tell? */
export function mayRepeat(nodes: Nodes): boolean {
  switch (nodes.op) {
    case 'scope':
    case 'value':
    case 'nth':
      return false;
    case 'child':
      return mayRepeat(nodes.of) || [...nodes.steps.values()].flat().some((step) => step.repeats);
    case 'union':
      return nodes.of.length > 1;
    case 'keep':
    case 'narrow':
    case 'filter':
      return mayRepeat(nodes.of);
    case 'select':
      return mayRepeat(nodes.of) || [...nodes.parts.values()].some(mayRepeat);
  }
}

/** Does it hold a union, whose duplicates a count would tell? */
export function hasUnion(nodes: Nodes): boolean {
  switch (nodes.op) {
    case 'scope':
    case 'value':
      return false;
    case 'union':
      return nodes.of.length > 1;
    case 'select':
      return hasUnion(nodes.of) || [...nodes.parts.values()].some(hasUnion);
    case 'child':
    case 'keep':
    case 'narrow':
    case 'filter':
    case 'nth':
      return hasUnion(nodes.of);
  }
}

/** Are all of them, of one kind, dates or times of day? Undefined for types that `<` has no code for. */
export function ordering(types: readonly string[]): 'number' | 'date' | 'time' | undefined {
  const kinds = new Set(types.map((type) => (NUMBERS.has(type) ? 'number' : type === 'time' ? 'time' : DATES.has(type) ? 'date' : undefined)));
  return kinds.size === 1 ? [...kinds][0] : undefined;
}

/** Can nodes of these types be compared by ===, given what they are compared with? */
export function comparable(types: readonly string[], other: readonly string[]): boolean {
  if (![...types, ...other].every(isPrimitive)) return false;
  const dated = (list: readonly string[]): boolean => list.some((type) => DATES.has(type));
  const plain = (list: readonly string[]): boolean => list.every((type) => type === 'boolean');
  return !(dated(types) && !plain(other)) && !(dated(other) && !plain(types));
}
