// Bundles as JSON text, made of stored texts that nobody parses. https://hl7.org/fhir/R4/bundle.html
import { STATUS_CODES } from 'node:http';
import { instantText } from './date-time.js';
import { etag } from './etag.js';
import type { FhirResponse } from './request.js';

export interface Link {
  readonly relation: 'self' | 'first' | 'previous' | 'next' | 'last';
  readonly url: string;
}

/** A resource that a search found; `type` and `id` are by FHIR's grammar, so nothing in them needs an escape. */
export interface SearchEntry {
  readonly type: string;
  readonly id: string;
  /** The resource's JSON text. */
  readonly text: string;
  /** How well it meets what was asked, from 0 to 1. https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.search.score */
  readonly score?: number;
  /** How good a match $match takes it to be. https://hl7.org/fhir/R4/extension-match-grade.html */
  readonly grade?: string;
}

/** A row of a list that an operation makes: the same resource may stand in several, and has its own URL in one of them. */
export type ListedEntry = ({ readonly place: string } | { readonly uuid: string }) & {
  readonly text: string;
  /** JSON text of the entry's extensions. */
  readonly extension: string;
};

export interface Searchset {
  readonly id?: string;
  /** When it was made, milliseconds since the epoch. */
  readonly made?: number;
  /** Matches in all, without includes. */
  readonly total?: number;
  readonly links: readonly Link[];
  /** The service base: full URLs begin with it. */
  readonly base: string;
  readonly matches: readonly SearchEntry[];
  readonly includes?: readonly SearchEntry[];
  /** JSON text of an OperationOutcome about the search, put last with mode outcome. */
  readonly outcome?: string;
}

export function searchsetText({ id, made, total, links, base, matches, includes = [], outcome }: Searchset): string {
  const prefix = quote(base).slice(1, -1);
  const list = addEntries(addEntries('', prefix, matches, 'match'), prefix, includes, 'include');
  return bundleText('searchset', id, total, links, outcome === undefined ? list : add(list, `{"resource":${outcome},"search":{"mode":"outcome"}}`), made);
}

function addEntries(list: string, base: string, entries: readonly SearchEntry[], mode: 'match' | 'include'): string {
  let longer = list;
  for (const { type, id, text, score, grade } of entries) {
    const ranked = score === undefined ? '' : `,"score":${score}`;
    const graded = grade === undefined ? '' : `"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/match-grade","valueCode":"${grade}"}],`;
    longer = add(longer, `{"fullUrl":"${base}/${type}/${id}","resource":${text},"search":{${graded}"mode":"${mode}"${ranked}}}`);
  }
  return longer;
}

/** A searchset of rows in the order given, with what belongs to them as includes. */
export function listText({ total, links, base, rows, includes }: Pick<Searchset, 'total' | 'links' | 'base' | 'includes'> & { readonly rows: readonly ListedEntry[] }): string {
  const prefix = quote(base).slice(1, -1);
  let list = '';
  for (const row of rows) {
    const url = 'place' in row ? `${prefix}/${row.place}` : `urn:uuid:${row.uuid}`;
    list = add(list, `{"extension":${row.extension},"fullUrl":"${url}","resource":${row.text},"search":{"mode":"match"}}`);
  }
  return bundleText('searchset', undefined, total, links, addEntries(list, prefix, includes ?? [], 'include'));
}

/** With a comma where it needs one. A list that began with a comma would have to be copied to lose it. */
const add = (list: string, entry: string): string => (list === '' ? entry : `${list},${entry}`);

/** A Bundle of resources that belong together, in order. */
export function collectionText(base: string, entries: readonly SearchEntry[]): string {
  let list = '';
  for (const { type, id, text } of entries) list = add(list, `{"fullUrl":${quote(`${base}/${type}/${id}`)},"resource":${text}}`);
  return bundleText('collection', undefined, undefined, [], list);
}

/** A document: its first entry is the Composition. https://hl7.org/fhir/R4/documents.html#bundle */
export function documentText({ id, identifier, timestamp, base, entries }: { readonly id: string; readonly identifier: string; readonly timestamp: string; readonly base: string; readonly entries: readonly SearchEntry[] }): string {
  let list = '';
  for (const entry of entries) list = add(list, `{"fullUrl":${quote(`${base}/${entry.type}/${entry.id}`)},"resource":${entry.text}}`);
  return `{"resourceType":"Bundle","id":${quote(id)},"identifier":{"system":"urn:ietf:rfc:3986","value":"urn:uuid:${identifier}"},"type":"document","timestamp":"${timestamp}","entry":[${list}]}`;
}

export interface HistoryEntry {
  /** Of the resource, without a version. */
  readonly fullUrl: string;
  readonly type: string;
  readonly id: string;
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly updated: number;
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Null where this version is a deletion. */
  readonly text: string | null;
}

export interface History {
  readonly id?: string;
  readonly total?: number;
  readonly links: readonly Link[];
  /** Newest first. */
  readonly entries: readonly HistoryEntry[];
}

export function historyText({ id, total, links, entries }: History): string {
  let list = '';
  for (const entry of entries) list = add(list, historyEntry(entry));
  return bundleText('history', id, total, links, list);
}

function historyEntry({ fullUrl, type, id, version, updated, method, text }: HistoryEntry): string {
  const resource = text === null ? '' : `,"resource":${text}`;
  const url = method === 'POST' ? type : `${type}/${id}`;
  const status = text === null ? 204 : version === 1 || method === 'POST' ? 201 : 200;
  return `{"fullUrl":${quote(fullUrl)}${resource},"request":{"method":"${method}","url":"${url}"},"response":{${responseMembers({ status, version: String(version), updated })}}}`;
}

/** What one entry of a batch or transaction is answered with. */
export interface Reply extends FhirResponse {
  readonly fullUrl?: string;
}

/** One entry per reply, in order: a resource in the body becomes the entry's, an outcome the response's. */
export function responseText(type: 'batch-response' | 'transaction-response', replies: readonly Reply[], options: { readonly id?: string; readonly links?: readonly Link[] } = {}): string {
  let list = '';
  for (const reply of replies) list = add(list, replyEntry(reply));
  return bundleText(type, options.id, undefined, options.links ?? [], list);
}

function replyEntry(reply: Reply): string {
  const { fullUrl, body, outcome } = reply;
  const url = fullUrl === undefined ? '' : `"fullUrl":${quote(fullUrl)},`;
  const resource = body === undefined || body === '' || outcome ? '' : `"resource":${body},`;
  const said = body !== undefined && outcome ? `,"outcome":${body}` : '';
  return `{${url}${resource}"response":{${responseMembers(reply)}${said}}}`;
}

function responseMembers({ status, location, version, updated }: Pick<FhirResponse, 'status' | 'location' | 'version' | 'updated'>): string {
  let members = `"status":"${status} ${STATUS_CODES[status] ?? ''}"`;
  if (location !== undefined) members += `,"location":${quote(location)}`;
  if (version !== undefined) members += `,"etag":${quote(etag(version))}`;
  if (updated !== undefined) members += `,"lastModified":"${instantText(updated)}"`;
  return members;
}

/** An empty `list` is left out: an empty array is not FHIR. */
function bundleText(type: string, id: string | undefined, total: number | undefined, links: readonly Link[], list: string, made?: number): string {
  let head = '{"resourceType":"Bundle"';
  if (id !== undefined) head += `,"id":${quote(id)}`;
  if (made !== undefined) head += `,"meta":{"lastUpdated":"${instantText(made)}"}`;
  head += `,"type":"${type}"`;
  if (total !== undefined) head += `,"total":${total}`;
  if (links.length > 0) head += `,"link":[${links.map(({ relation, url }) => `{"relation":"${relation}","url":${quote(url)}}`).join(',')}]`;
  return list === '' ? `${head}}` : `${head},"entry":[${list}]}`;
}

/** Printable ASCII without quote and backslash, as nearly all URLs are: they need no escape. */
const PLAIN = /^[ !#-[\]-~]*$/;

function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}
