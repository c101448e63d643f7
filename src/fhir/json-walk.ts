// Walking a well-formed JSON text slowly: from a path to its place, from a place to its path, and all numbers with theirs.
// Paths are indexed FHIRPath, `name[0].given[1]`. https://hl7.org/fhir/R4/fhirpath.html

export type Segment = string | number;

export interface Child {
  readonly key: Segment;
  /** Where the member or item begins: the quote of its key, or the value itself. */
  readonly start: number;
  readonly valueStart: number;
}

/** Members or items of the container at `start`, one by one; nothing for a string, number or literal. */
export function* children(text: string, start: number): Generator<Child> {
  const isObject = text[start] === '{';
  if (!isObject && text[start] !== '[') return;
  let pos = blank(text, start + 1);
  for (let index = 0; text[pos] !== '}' && text[pos] !== ']'; index++) {
    const child = isObject ? memberAt(text, pos) : { key: index, start: pos, valueStart: pos };
    yield child;
    pos = blank(text, valueEnd(text, child.valueStart));
    if (text[pos] === ',') pos = blank(text, pos + 1);
  }
}

function memberAt(text: string, start: number): Child {
  const end = stringEnd(text, start);
  return { key: unquote(text.slice(start, end)), start, valueStart: blank(text, blank(text, end) + 1) };
}

/** The text of a JSON string's token, quotes and escapes taken off. */
export function unquote(token: string): string {
  return token.includes('\\') ? String(JSON.parse(token)) : token.slice(1, -1);
}

/** The offset after the value that begins at `start`. */
export function valueEnd(text: string, start: number): number {
  if (text[start] === '"') return stringEnd(text, start);
  let pos = start;
  for (let depth = 0; pos < text.length; ) {
    const char = text.charCodeAt(pos);
    if (char === 0x22) {
      pos = stringEnd(text, pos);
      continue;
    }
    if (char === 0x7b || char === 0x5b) depth++;
    else if (char === 0x7d || char === 0x5d) {
      if (depth === 0) return pos;
      if (--depth === 0) return pos + 1;
    } else if (depth === 0 && (char === 0x2c || char <= 32)) return pos;
    pos++;
  }
  return pos;
}

function stringEnd(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); ; quote = text.indexOf('"', quote + 1)) {
    if (quote < 0) return text.length;
    let first = quote;
    while (text[first - 1] === '\\') first--;
    if ((quote - first) % 2 === 0) return quote + 1;
  }
}

/** The offset of the next token. */
export function blank(text: string, start: number): number {
  let pos = start;
  while (pos < text.length && text.charCodeAt(pos) <= 32) pos++;
  return pos;
}

/** The innermost path whose member or item holds this offset; empty for the root itself. */
export function pathAt(text: string, root: number, offset: number): string {
  const path: Segment[] = [];
  for (let at = root; ; ) {
    let inner: Child | undefined;
    for (const child of children(text, at)) {
      if (child.start > offset) break;
      inner = child;
    }
    if (!inner || (inner.valueStart !== inner.start && offset >= valueEnd(text, inner.valueStart))) return pathText(path);
    path.push(inner.key);
    if (offset <= inner.valueStart) return pathText(path);
    at = inner.valueStart;
  }
}

/** The member or item at a path; undefined where the text has none. Follows `value` to `valueQuantity`, and index 0 of what is no array to itself. */
export function find(text: string, root: number, path: readonly Segment[]): Child | undefined {
  let place: Child = { key: '', start: root, valueStart: root };
  for (const segment of path) {
    if (segment === 0 && text[place.valueStart] !== '[') continue;
    const child = step(text, place.valueStart, segment);
    if (!child) return undefined;
    place = child;
  }
  return place;
}

function step(text: string, start: number, segment: Segment): Child | undefined {
  let choice: Child | undefined;
  for (const child of children(text, start)) {
    if (child.key === segment) return child;
    if (typeof segment === 'string' && typeof child.key === 'string' && child.key.startsWith(segment) && /^[A-Z]/.test(child.key.slice(segment.length))) choice ??= child;
  }
  return choice;
}

/** Every number of the value at `root` as written, by path. One pass. */
export function numbersByPath(text: string, root: number): Map<string, string> {
  const numbers = new Map<string, string>();
  walk(text, root, [], {
    number: (path, start, end) => numbers.set(pathText(path), text.slice(start, end)),
  });
  return numbers;
}

export interface BadKey {
  readonly at: number;
  readonly path: string;
  readonly key: string;
}

/** The first key that its object already has, or that no FHIR element has (`__proto__`); undefined where all are well. */
export function findBadKey(text: string, root: number): BadKey | undefined {
  let bad: BadKey | undefined;
  walk(text, root, [], {
    key: (path, key, seen, at) => {
      if (seen.has(key) || key === '__proto__') bad ??= { at, path: pathText([...path, key]), key };
      seen.add(key);
    },
  });
  return bad;
}

interface Visitor {
  key?(path: readonly Segment[], key: string, seen: Set<string>, at: number): void;
  number?(path: readonly Segment[], start: number, end: number): void;
}

/** Visits the value at `start` and all in it; gives the offset after it. As deep in calls as the text is nested, which readJson limits. */
function walk(text: string, start: number, path: Segment[], visitor: Visitor): number {
  const open = text[start];
  if (open !== '{' && open !== '[') {
    const end = valueEnd(text, start);
    if (open === '-' || (open !== undefined && open >= '0' && open <= '9')) visitor.number?.(path, start, end);
    return end;
  }
  const seen = new Set<string>();
  let pos = blank(text, start + 1);
  for (let index = 0; text[pos] !== '}' && text[pos] !== ']'; index++) {
    const child = open === '{' ? memberAt(text, pos) : { key: index, start: pos, valueStart: pos };
    if (typeof child.key === 'string') visitor.key?.(path, child.key, seen, pos);
    path.push(child.key);
    pos = blank(text, walk(text, child.valueStart, path, visitor));
    path.pop();
    if (text[pos] === ',') pos = blank(text, pos + 1);
  }
  return pos + 1;
}

/** `name[0].given[1]`; names that are no identifiers in backticks. */
export function pathText(path: readonly Segment[]): string {
  let text = '';
  for (const segment of path) {
    if (typeof segment === 'number') text += `[${segment}]`;
    else text += (text === '' ? '' : '.') + (/^[A-Za-z_]\w*$/.test(segment) ? segment : `\`${segment}\``);
  }
  return text;
}

/** The reverse of pathText, a leading type name left out. */
export function parsePath(path: string, type: string | undefined): Segment[] {
  const segments: Segment[] = [];
  for (const [token, quoted, index] of path.matchAll(/`([^`]*)`|\[([0-9]+)\]|[^.[\]`]+/g)) {
    segments.push(index !== undefined ? Number(index) : (quoted ?? token));
  }
  return type !== undefined && segments[0] === type ? segments.slice(1) : segments;
}

export interface Position {
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

export function positionAt(text: string, offset: number): Position {
  let line = 1;
  let lineStart = 0;
  for (let end = text.indexOf('\n'); end >= 0 && end < offset; end = text.indexOf('\n', lineStart)) {
    line++;
    lineStart = end + 1;
  }
  return { line, column: offset - lineStart + 1 };
}
