// The one pass over a client's JSON text: ranges, numbers that print differently, and what JSON.parse lets through.
// It trusts nothing and checks no grammar: JSON.parse does that, and only a text it takes makes this result meaningful.
import { hashOf, keyHash, loadBytes, nextQuote, skipBlank } from './json-bytes.js';

/** Lists whose items hold resources: Bundle.entry and Parameters.parameter. */
export const RESOURCE_LISTS = ['entry', 'parameter'] as const;
export type ResourceList = (typeof RESOURCE_LISTS)[number];

export interface Scan {
  /** Offsets of the members of the root object, three each: opening quote of the key, value, end (a comma or a brace; blanks may stand before it). */
  readonly members: number[];
  /** Resources in entry[i] or parameter[i], five numbers each: list (1-based), i, first and last offset, index of its first member in `resourceMembers`. */
  readonly resources: number[];
  /** As `members`, for all of these resources, one after the other. */
  readonly resourceMembers: number[];
  /** Offsets of the numbers that String(Number(…)) might print differently; whether it does is costly to know, and left for later. */
  readonly unusual: number[];
  /** No white space between tokens. */
  tight: boolean;
  /** Two keys of one object may be the same, or one may be forbidden: to be looked at slowly. */
  suspectKeys: boolean;
  /** First offset of an escape for NUL or half a surrogate pair; -1 where there is none. */
  badEscape: number;
  /** First offset of a number that a double can't come near to; -1 where there is none. */
  badNumber: number;
  /** Offset of the bracket that opens one level too many; -1 where there is none. */
  tooDeep: number;
  readonly maxDepth: number;
}

/** More members than this in one object are compared slowly: comparing pairs grows with the square. */
const COMPARED = 64;
/** PostgreSQL's numeric takes no more than 16,383 digits after the point; nobody measures with a thousand. */
const LONGEST_NUMBER = 1000;

interface Stacks {
  readonly isObject: Uint8Array;
  /** Where the keys of the object at this depth begin in `keys`. */
  readonly firstKey: Int32Array;
  readonly keys: Int32Array;
}

const stacks: Stacks[] = [];

/** One set of stacks per limit, made once: there is one limit in a running server. */
function stacksFor(maxDepth: number): Stacks {
  const size = maxDepth + 2;
  return (stacks[maxDepth] ??= { isObject: new Uint8Array(size), firstKey: new Int32Array(size), keys: new Int32Array(size * (COMPARED + 1)) });
}

/**
 * Scans text[start, end), which holds one JSON value. Offsets in the result are offsets into `text`.
 * One long function with local variables: as methods over fields it is half as fast.
 */
export function scanJson(text: string, start: number, end: number, maxDepth: number): Scan {
  const { source, view, length } = loadBytes(text, start, end);
  const { isObject, firstKey, keys } = stacksFor(maxDepth);
  const scan: Scan = {
    members: [], resources: [], resourceMembers: [], unusual: [], tight: false, suspectKeys: false, badEscape: -1, badNumber: -1, tooDeep: -1, maxDepth,
  };
  const { members, resources, resourceMembers } = scan;
  let pos = 0;
  let depth = 0;
  let keyCount = 0;
  let keyIsNext = false;
  let list = 0; // which list the root's current member is
  let index = 0; // item of that list
  let inResource = false;
  let tight = true;
  let backslash = nextBackslash(source, 0);
  for (;;) {
    const char = view.getUint8(pos);
    if (char === 0x22) {
      if (pos >= length) {
        scan.tight = tight;
        return scan;
      }
      const keyStart = pos + 1;
      let quote = nextQuote(view, keyStart);
      if (backslash < quote) {
        quote = closeEscaped(source, backslash, scan);
        backslash = nextBackslash(source, quote);
        if (keyIsNext) scan.suspectKeys = true;
      }
      pos = quote + 1;
      if (!keyIsNext) continue;
      keyIsNext = false;
      const hash = keyHash(view, keyStart, quote);
      if (keyCount - (firstKey[depth] ?? 0) >= COMPARED || hash === PROTO) scan.suspectKeys = true;
      else {
        for (let other = firstKey[depth] ?? 0; other < keyCount; other++) if (keys[other] === hash) scan.suspectKeys = true;
        keys[keyCount++] = hash;
      }
      if (view.getUint8(pos) <= 32) {
        tight = false;
        pos = skipBlank(view, pos);
      }
      if (view.getUint8(pos) === 0x3a) pos++;
      if (view.getUint8(pos) <= 32) {
        tight = false;
        if (view.getUint8(++pos) <= 32) pos = skipBlank(view, pos);
      }
      if (depth === 1) {
        list = RESOURCE_LISTS.indexOf(source.slice(keyStart, quote) as ResourceList) + 1;
        index = 0;
        members.push(start + keyStart - 1, start + pos);
      } else if (inResource) {
        if (depth === 4) resourceMembers.push(start + keyStart - 1, start + pos);
      } else if (list > 0 && depth === 3 && hash === RESOURCE && isObject[2] === 0 && view.getUint8(pos) === 0x7b && source.startsWith('resource', keyStart)) {
        inResource = true;
        resources.push(list, index, start + pos, 0, resourceMembers.length);
      }
    } else if (char <= 32) {
      tight = false;
      pos = skipBlank(view, pos + 1);
    } else if (char === 0x2c) {
      keyIsNext = isObject[depth] === 1;
      if (depth === 1) members.push(start + pos);
      else if (depth === 2) index++;
      else if (depth === 4 && inResource) resourceMembers.push(start + pos);
      pos++;
    } else if (char === 0x7b || char === 0x5b) {
      if (++depth > maxDepth) {
        scan.tooDeep = pos;
        return scan;
      }
      keyIsNext = char === 0x7b;
      isObject[depth] = keyIsNext ? 1 : 0;
      firstKey[depth] = keyCount;
      pos++;
    } else if (char === 0x7d || char === 0x5d) {
      keyIsNext = false;
      keyCount = firstKey[depth] ?? 0;
      if (depth === 1) {
        if (members.length > 0) members.push(start + pos);
      } else if (depth === 4 && inResource) {
        if (resourceMembers.length > (resources.at(-1) ?? 0)) resourceMembers.push(start + pos);
        resources[resources.length - 2] = start + pos + 1;
        inResource = false;
      }
      if (--depth < 0) return scan; // JSON.parse will refuse this
      pos++;
    } else if (char < 0x3a) {
      const from = pos;
      pos = numberEnd(view, pos);
      if (!printsSame(view, from, pos)) noteNumber(source.slice(from, pos), start + from, scan);
    } else pos++;
  }
}

function nextBackslash(source: string, at: number): number {
  const found = source.indexOf('\\', at);
  return found < 0 ? Infinity : found;
}

/** The closing quote of a string whose first backslash is given; notes escapes that can't be stored. */
function closeEscaped(source: string, first: number, scan: Scan): number {
  let at = first;
  let quote = -1;
  for (;;) {
    const after = at + escapeLength(source, at, scan);
    if (quote < after) quote = source.indexOf('"', after);
    if (quote < 0) return source.length;
    at = source.indexOf('\\', after);
    if (at < 0 || at > quote) return quote;
  }
}

/** 2, 6 (`\u0041`) or 12 (a surrogate pair). */
function escapeLength(source: string, at: number, scan: Scan): number {
  if (source.charCodeAt(at + 1) !== 0x75) return 2;
  const unit = Number.parseInt(source.slice(at + 2, at + 6), 16);
  if (unit >= 0xd800 && unit < 0xdc00 && /^\\u[dD][c-fC-F]/.test(source.slice(at + 6, at + 10))) return 12;
  if ((unit === 0 || (unit >= 0xd800 && unit < 0xe000)) && scan.badEscape < 0) scan.badEscape = at;
  return 6;
}

const PROTO = hashOf('__proto__');
const RESOURCE = hashOf('resource');

function numberEnd(view: DataView, at: number): number {
  let pos = at;
  for (;;) {
    const char = view.getUint8(++pos);
    if (char >= 0x30 && char <= 0x39) continue;
    if (char !== 0x2e && char !== 0x2d && char !== 0x2b && (char | 0x20) !== 0x65) return pos;
  }
}

/** Surely printed by String() as written: up to 15 characters, no exponent, no zero at the end of a fraction, not tiny, not -0. */
function printsSame(view: DataView, start: number, end: number): boolean {
  if (end - start > 15) return false;
  let point = false;
  for (let pos = start; pos < end; pos++) {
    const char = view.getUint8(pos);
    if (char === 0x2e) point = true;
    else if (char > 0x39 || char === 0x2b) return false;
  }
  if (!point) return view.getUint8(start) !== 0x2d || view.getUint8(start + 1) !== 0x30;
  return view.getUint8(end - 1) !== 0x30 && view.getUint8(start) !== 0x30 && view.getUint8(start) !== 0x2d;
}

/** A double holds any decimal of up to 300 digits somehow, so only exponents and longer ones are looked at now. */
function noteNumber(written: string, at: number, scan: Scan): void {
  scan.unusual.push(at);
  if (scan.badNumber >= 0 || (written.length <= 300 && !/[eE]/.test(written))) return;
  const value = Number(written);
  const vanished = value === 0 && /^[^eE]*[1-9]/.test(written);
  if (vanished || Math.abs(value) === Infinity || written.length > LONGEST_NUMBER) scan.badNumber = at;
}
