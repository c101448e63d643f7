// The text that is stored and that reads return: the client's, without white space, with the server's id and meta spliced in.
// https://hl7.org/fhir/R4/resource.html#Meta
import { instantText } from './date-time.js';
import { exactJson, ExactNumber } from './exact-json.js';
import { isPlain, isTight, type JsonDocument } from './json-text.js';
import { minify } from './json-minify.js';
import { children, valueEnd } from './json-walk.js';
import { findStringEdits, type StringEdits, type TokenEdit } from './string-edits.js';

export interface Edits {
  /** Top-level members to set to a value, or to drop (undefined). `meta` is merged like a client's; `id` and `resourceType` stay the server's. */
  readonly set?: Readonly<Record<string, unknown>>;
  /** As `set`, with values that are JSON text already. */
  readonly texts?: Readonly<Record<string, string>>;
  /** New text for links to other entries of a transaction. */
  readonly strings?: StringEdits;
  /** Names of members, besides FHIR's own (reference, url, uri, valueUri …), whose strings `strings` may change. */
  readonly names?: ReadonlySet<string>;
}

export interface Stored {
  readonly id: string;
  readonly versionId: number | string;
  /** Milliseconds since the epoch. */
  readonly lastUpdated: number;
  readonly edits?: Edits;
}

/** `{"resourceType":…,"id":…,"meta":{"versionId":…,"lastUpdated":…` and then the members in the client's order. Numbers and strings stay as the client wrote them. */
export function storedText(document: JsonDocument, stored: Stored): string {
  const { resourceType } = document.value;
  const copy = copierOf(document, stored.edits);
  const meta = metaText(document, stored, copy);
  return `{"resourceType":${JSON.stringify(resourceType)},"id":${JSON.stringify(stored.id)},"meta":${meta}${restText(document, stored.edits, copy)}}`;
}

/** The text of a range whose ends stand between tokens, as it is to be stored. */
type Copy = (start: number, end: number) => string;

function copierOf(document: JsonDocument, edits: Edits | undefined): Copy {
  const { text } = document;
  const plain: Copy = isTight(document) ? (start, end) => text.slice(start, end) : (start, end) => minify(text, start, end);
  const tokens = edits?.strings ? findStringEdits(text, document.start, document.end, edits.strings, edits.names) : [];
  return tokens.length === 0 ? plain : (start, end) => copyEdited(plain, tokens, start, end);
}

function copyEdited(plain: Copy, tokens: readonly TokenEdit[], start: number, end: number): string {
  let copied = '';
  let from = start;
  for (const token of tokens) {
    if (token.start < start || token.end > end) continue;
    copied += plain(from, token.start) + token.text;
    from = token.end;
  }
  return copied + plain(from, end);
}

const OWNED = new Set(['resourceType', 'id', 'meta']);

/** All members but the owned ones, each with a comma before it. Neighbours that stay are copied in one piece. */
function restText(document: JsonDocument, edits: Edits | undefined, copy: Copy): string {
  const changes = changesOf(document, edits, copy);
  const written = new Set<string>();
  let rest = '';
  let from = -1;
  let to = -1;
  const flush = (): void => {
    if (from >= 0) rest += `,${copy(from, to)}`;
    from = -1;
  };
  for (const { key, start, valueEnd: end } of document.members) {
    if (OWNED.has(key) || changes?.has(key)) {
      flush();
      if (!OWNED.has(key)) rest += memberText(key, changes?.get(key));
      written.add(key);
    } else {
      if (from < 0) from = start;
      to = end;
    }
  }
  flush();
  for (const [key, text] of changes ?? []) if (!written.has(key)) rest += memberText(key, text);
  return rest;
}

function memberText(key: string, text: string | undefined): string {
  return text === undefined ? '' : `,${JSON.stringify(key)}:${text}`;
}

/** JSON text by member; undefined drops the member. */
function changesOf(document: JsonDocument, edits: Edits | undefined, copy: Copy): Map<string, string | undefined> | undefined {
  if (!edits?.set && !edits?.texts) return undefined;
  const changes = new Map<string, string | undefined>();
  for (const [key, value] of Object.entries(edits.set ?? {})) changes.set(key, value === undefined ? undefined : valueText(document, key, value, copy));
  for (const [key, text] of Object.entries(edits.texts ?? {})) changes.set(key, text);
  for (const key of OWNED) changes.delete(key);
  return changes;
}

/** Objects and lists that the document's member holds already are copied from it, at any depth: what is changed beside them costs their numbers no digit. */
function valueText(document: JsonDocument, key: string, value: unknown, copy: Copy): string {
  const before = document.value[key];
  const member = isTree(value) && isTree(before) ? document.members.find((one) => one.key === key) : undefined;
  if (!member || !isTree(value) || !isTree(before) || isPlain(document, member.valueStart, member.valueEnd)) return exactJson(value);
  const texts = new Map<string, string>();
  gather(document.text, member.valueStart, before, copy, texts);
  return reusing(value, texts);
}

type Tree = readonly unknown[] | Readonly<Record<string, unknown>>;
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null;

/** The text of each object and list below a place, by its value. */
function gather(text: string, start: number, value: Tree, copy: Copy, texts: Map<string, string>): void {
  for (const { key, valueStart } of children(text, start)) {
    const child = (value as Readonly<Record<string | number, unknown>>)[key];
    if (!isTree(child)) continue;
    texts.set(JSON.stringify(child), copy(valueStart, valueEnd(text, valueStart)));
    gather(text, valueStart, child, copy, texts);
  }
}

function reusing(value: unknown, texts: ReadonlyMap<string, string>): string {
  if (!isTree(value) || value instanceof ExactNumber) return exactJson(value);
  const known = texts.get(JSON.stringify(value));
  if (known !== undefined) return known;
  if (Array.isArray(value)) return `[${value.map((item) => reusing(item, texts)).join()}]`;
  const members = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{${members.map(([name, item]) => `${JSON.stringify(name)}:${reusing(item, texts)}`).join()}}`;
}

const SERVERS = new Set(['versionId', 'lastUpdated']);

function metaText(document: JsonDocument, { versionId, lastUpdated, edits }: Stored, copy: Copy): string {
  const own = `{"versionId":"${versionId}","lastUpdated":"${instantText(lastUpdated)}"`;
  if (edits?.set && 'meta' in edits.set) return `${own}${valueMembers(edits.set.meta)}}`;
  const member = document.value.meta === undefined ? undefined : document.members.find(({ key }) => key === 'meta');
  if (!member || document.text[member.valueStart] !== '{') return `${own}}`;
  let rest = '';
  for (const { key, start, valueStart } of children(document.text, member.valueStart)) {
    if (typeof key === 'string' && !SERVERS.has(key)) rest += `,${copy(start, valueEnd(document.text, valueStart))}`;
  }
  return `${own}${rest}}`;
}

/** The members of a meta that the server set, without what is the version's own. */
function valueMembers(meta: unknown): string {
  const { versionId: _version, lastUpdated: _updated, ...rest } = { ...(meta as Record<string, unknown> | undefined) };
  const text = JSON.stringify(rest).slice(1, -1);
  return text === '' ? '' : `,${text}`;
}
