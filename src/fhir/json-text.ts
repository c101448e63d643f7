// A client's JSON as text and as value together: what is stored and returned is the text, so no decimal loses a digit.
// https://hl7.org/fhir/R4/json.html
import { fail, type ErrorName } from './errors.js';
import type { JsonDocument, Member } from './json-document.js';
import { findFault } from './json-fault.js';
import { scanJson, type ResourceList, type Scan } from './json-scan.js';
import { blank, find, findBadKey, parsePath, pathAt, positionAt, type Position, type Segment } from './json-walk.js';
import { TextDocument, type Locate } from './text-document.js';
import type { JsonValue, Resource } from './resource.js';

export type { JsonDocument, Member };

export interface JsonLimits {
  /** Objects and arrays inside each other, the root counted. */
  readonly maxDepth?: number;
  /** For a text that was made from another: where in that one the element at a JSON path (`name[0].family`) is. */
  readonly locate?: Locate;
}

const MAX_DEPTH = 100;

/**
 * Reads a body that is one JSON object. Refuses with line and column (400): text that is not JSON, an object that names a member twice, `__proto__`,
 * characters PostgreSQL can't hold, numbers no double comes near to, nesting too deep, and a root that is no object.
 */
export function readJson(text: string, limits: JsonLimits = {}): JsonDocument {
  const { body, value, scan } = readChecked(text, limits);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw fail('not-a-resource', { text: `The body must be a JSON object, not ${value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`}`, line: 1, column: 1 });
  }
  const start = blank(body, 0);
  const end = body.trimEnd().length;
  return new TextDocument({ text: body, start, end, value, scan, offsets: scan.members, locate: limits.locate });
}

/** As readJson for a body that need not be an object (a JSON Patch), the value alone. */
export function readJsonValue(text: string, limits: JsonLimits = {}): JsonValue {
  return readChecked(text, limits).value;
}

/** The resource a document holds; refuses an object without a resourceType. */
export function requireResource(document: JsonDocument): Resource {
  const { resourceType } = document.value;
  if (typeof resourceType === 'string' && resourceType !== '') return document.value as Resource;
  throw fail('not-a-resource', { ...positionAt(document.text, document.start) });
}

/** The resource in entry[index] of a Bundle or parameter[index] of Parameters, over the same text and the same parsed tree; undefined where there is none. */
export function memberDocument(document: JsonDocument, list: ResourceList, index: number): JsonDocument | undefined {
  const items = document.value[list];
  const item = Array.isArray(items) ? items[index] : undefined;
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return undefined;
  const value = item.resource;
  if (typeof value !== 'object' || Array.isArray(value)) return undefined;
  if (value === null || !(document instanceof TextDocument)) return undefined;
  return document.resourceOf(list, index, value);
}

/** No white space between the tokens of the document; false also where that is not known. */
export function isTight(document: JsonDocument): boolean {
  return document instanceof TextDocument && document.tight;
}

/** Would JSON.stringify print the value of a range as it is written, apart from white space? False also where that is not known. */
export function isPlain(document: JsonDocument, start: number, end: number): boolean {
  return document instanceof TextDocument && document.isPlain(start, end);
}

/** The document of a stored resource of which only some members are of interest: its value holds resourceType and those, if it has them. */
export function readMembers(text: string, names: readonly string[]): JsonDocument {
  const scan = scanJson(text, 0, text.length, MAX_DEPTH);
  const value: Record<string, JsonValue> = {};
  const document = new TextDocument({ text, start: 0, end: text.length, value, scan, offsets: scan.members, locate: undefined });
  for (const { key, valueStart, valueEnd } of document.members) {
    if (key === 'resourceType' || key === 'meta' || names.includes(key)) value[key] = JSON.parse(text.slice(valueStart, valueEnd)) as JsonValue;
  }
  return document;
}

/** Line and column of the element at an indexed path, with or without the leading type name; undefined where the text has none. Rescans: for failures. */
export function positionOf(document: JsonDocument, path: string): Position | undefined {
  const place = find(document.text, document.start, segmentsOf(document, path));
  if (!place) return undefined;
  const locate = document instanceof TextDocument ? document.locate : undefined;
  return locate ? located(pathAt(document.text, blank(document.text, 0), place.start), locate) : positionAt(document.text, place.start);
}

/** Of the element itself, or else of the nearest around it. */
function located(path: string, locate: Locate): Position | undefined {
  for (let at = path; ; at = at.slice(0, Math.max(at.lastIndexOf('.'), at.lastIndexOf('['), 0))) {
    const found = locate(at);
    if (found || at === '') return found;
  }
}

function segmentsOf(document: JsonDocument, path: string): Segment[] {
  const { resourceType } = document.value;
  return parsePath(path, typeof resourceType === 'string' ? resourceType : undefined);
}

interface Checked {
  readonly body: string;
  readonly value: JsonValue;
  readonly scan: Scan;
}

/** The scan comes first: nesting must be known before anything that could run out of stack or memory over it. */
function readChecked(text: string, limits: JsonLimits): Checked {
  const body = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  const maxDepth = limits.maxDepth ?? MAX_DEPTH;
  const scan = scanJson(body, 0, body.length, maxDepth);
  if (scan.tooDeep >= 0) {
    throw fail('too-deep', { text: `Objects and arrays are nested more than ${maxDepth} deep: send a flatter body`, ...positionAt(body, scan.tooDeep) });
  }
  const value = parse(body);
  checkCharacters(body, value, scan);
  return { body, value, scan };
}

function parse(body: string): JsonValue {
  try {
    return JSON.parse(body) as JsonValue;
  } catch {
    const fault = findFault(body);
    if (!fault) throw fail('malformed-json');
    const { line, column } = positionAt(body, fault.at);
    const char = body.codePointAt(fault.at);
    const found = char === undefined ? 'the end of the body' : JSON.stringify(String.fromCodePoint(char));
    throw fail('malformed-json', { text: `The body is not well-formed JSON: line ${line}, column ${column} should be ${fault.expected}, but is ${found}`, line, column });
  }
}

/** What JSON.parse lets through and FHIR or PostgreSQL does not. */
function checkCharacters(body: string, value: JsonValue, scan: Scan): void {
  if (scan.suspectKeys) {
    const bad = findBadKey(body, blank(body, 0));
    if (bad?.key === '__proto__') refuse('unknown-element', 'No FHIR element has the name __proto__: leave it out', body, value, bad.at);
    else if (bad) refuse('duplicate-key', `An object has two members of the name ${JSON.stringify(bad.key)}: send one`, body, value, bad.at);
  }
  const half = isWellFormed(body) ? -1 : body.search(/\p{Surrogate}/u);
  if (scan.badEscape >= 0 || half >= 0) {
    refuse('bad-character', 'A string holds U+0000 or half a surrogate pair, which cannot be stored: leave the character out', body, value, half < 0 ? scan.badEscape : half);
  }
  if (scan.badNumber >= 0) {
    refuse('bad-number', 'A number is too big, too close to zero or too long to be held: FHIR asks for 18 digits', body, value, scan.badNumber);
  }
}

function refuse(name: ErrorName, text: string, body: string, value: JsonValue, at: number): never {
  const type = typeof value === 'object' && value !== null && !Array.isArray(value) ? value.resourceType : undefined;
  const path = pathAt(body, blank(body, 0), at);
  const expression = typeof type === 'string' && path !== '' ? `${type}.${path}` : path;
  throw fail(name, { text, ...(expression !== '' && { expression }), ...positionAt(body, at) });
}

/** String.prototype.isWellFormed: in Node 20, in TypeScript's library from es2024. Constant time for most texts. */
function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}
