// The JsonDocument that readJson makes: what the scan found, turned into members and numbers only when somebody asks.
import { isExact } from './decimal.js';
import type { JsonDocument, Member } from './json-document.js';
import { RESOURCE_LISTS, scanJson, type ResourceList, type Scan } from './json-scan.js';
import { numbersByPath, parsePath, pathText, unquote, valueEnd, type Position, type Segment } from './json-walk.js';
import type { JsonObject, JsonValue } from './resource.js';

export interface Origin {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly value: JsonObject;
  /** Of the whole text. */
  readonly scan: Scan;
  /** Three per member, as the scan notes them. */
  readonly offsets: readonly number[];
  /** Where the text was made from another. */
  readonly locate: Locate | undefined;
}

/** The place in the text that this one was made from, by JSON path; empty for the root. */
export type Locate = (path: string) => Position | undefined;

/** Numbers per row of Scan.resources. */
const ROW = 5;

export class TextDocument implements JsonDocument {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly value: JsonObject;
  readonly #origin: Origin;
  #members: readonly Member[] | undefined;
  #rows: ReadonlyMap<number, number> | undefined;
  #nested: Scan | undefined;
  #unusual: boolean | undefined;
  #numbers: ReadonlyMap<string, string> | undefined;

  constructor(origin: Origin) {
    this.text = origin.text;
    this.start = origin.start;
    this.end = origin.end;
    this.value = origin.value;
    this.#origin = origin;
  }

  get locate(): Locate | undefined {
    return this.#origin.locate;
  }

  get tight(): boolean {
    return this.#origin.scan.tight;
  }

  get members(): readonly Member[] {
    return (this.#members ??= membersOf(this.text, this.#origin.offsets));
  }

  /** Would a range's value be printed by JSON.stringify as it is written, apart from white space? False also where it might not. */
  isPlain(start: number, end: number): boolean {
    const { unusual } = this.#origin.scan;
    const next = unusual[firstFrom(unusual, start)];
    return (next === undefined || next >= end) && !this.text.slice(start, end).includes('\\');
  }

  exactDecimal(path: string): string | undefined {
    if (!this.#hasUnusual()) return undefined;
    const written = this.writtenNumber(path);
    return written === undefined || isExact(written) ? undefined : written;
  }

  writtenNumber(path: string): string | undefined {
    const { resourceType } = this.value;
    const segments = parsePath(path, typeof resourceType === 'string' ? resourceType : undefined);
    if (!this.#hasUnusual()) return numberAt(this.value, segments);
    return (this.#numbers ??= numbersByPath(this.text, this.start)).get(pathText(segments));
  }

  /** The document of `value`, which is the resource in list[index]. */
  resourceOf(list: ResourceList, index: number, value: JsonObject): TextDocument | undefined {
    const scan = this.#ownScan();
    const row = (this.#rows ??= rowsOf(scan)).get(rowKey(RESOURCE_LISTS.indexOf(list) + 1, index));
    if (row === undefined) return undefined;
    const { resources, resourceMembers } = scan;
    const offsets = resourceMembers.slice(resources[row + 4], resources[row + ROW + 4]);
    return new TextDocument({ text: this.text, start: resources[row + 2] ?? 0, end: resources[row + 3] ?? 0, value, scan, offsets, locate: this.locate });
  }

  /** A scan that has this document's own lists: a Bundle inside a Bundle needs one of its own. */
  #ownScan(): Scan {
    const { scan, offsets } = this.#origin;
    if (offsets === scan.members) return scan;
    return (this.#nested ??= scanJson(this.text, this.start, this.end, scan.maxDepth));
  }

  /** Does some number in the range not print as written? */
  #hasUnusual(): boolean {
    return (this.#unusual ??= this.#findUnusual());
  }

  #findUnusual(): boolean {
    const { unusual } = this.#origin.scan;
    for (let at = firstFrom(unusual, this.start); at < unusual.length; at++) {
      const start = unusual[at] ?? 0;
      if (start >= this.end) return false;
      const written = this.text.slice(start, valueEnd(this.text, start));
      if (String(Number(written)) !== written) return true;
    }
    return false;
  }
}

/** Index of the first that is not below `least`, in a rising list. */
function firstFrom(rising: readonly number[], least: number): number {
  let low = 0;
  for (let high = rising.length; low < high; ) {
    const middle = (low + high) >> 1;
    if ((rising[middle] ?? 0) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

function membersOf(text: string, offsets: readonly number[]): Member[] {
  const members: Member[] = [];
  for (let at = 0; at < offsets.length; at += 3) {
    const start = offsets[at] ?? 0;
    const valueStart = offsets[at + 1] ?? 0;
    let valueEnd = offsets[at + 2] ?? 0;
    while (text.charCodeAt(valueEnd - 1) <= 32) valueEnd--;
    members.push({ key: keyBefore(text, start, valueStart), start, valueStart, valueEnd });
  }
  return members;
}

/** The key that opens at `start`; a colon and perhaps blanks stand between it and the value. */
function keyBefore(text: string, start: number, valueStart: number): string {
  return unquote(text.slice(start, text.lastIndexOf('"', valueStart - 1) + 1));
}

function rowsOf({ resources }: Scan): Map<number, number> {
  const rows = new Map<number, number>();
  for (let row = 0; row < resources.length; row += ROW) rows.set(rowKey(resources[row] ?? 0, resources[row + 1] ?? 0), row);
  return rows;
}

function rowKey(list: number, index: number): number {
  return index * (RESOURCE_LISTS.length + 1) + list;
}

function numberAt(root: JsonValue, path: readonly Segment[]): string | undefined {
  let value: JsonValue | undefined = root;
  for (const segment of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    if (Array.isArray(value)) value = typeof segment === 'number' ? value[segment] : undefined;
    else value = Object.hasOwn(value, segment) ? value[segment] : undefined;
  }
  return typeof value === 'number' ? String(value) : undefined;
}
