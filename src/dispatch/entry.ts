// The entries of a batch or transaction as the requests they are. https://hl7.org/fhir/R4/http.html#transaction
import { isUtf8 } from 'node:buffer';
import { fail, type FhirError } from '../fhir/errors.js';
import { memberDocument, type JsonDocument } from '../fhir/json-text.js';
import { queryPairs } from '../fhir/query-string.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { Grant } from '../search/grant.js';
import { at } from './entry-place.js';
import type { Routed, Router } from './router.js';

export interface Entry {
  readonly index: number;
  readonly fullUrl: string | undefined;
  readonly request: FhirRequest;
  readonly routed: Routed;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** How many entries the Bundle has; throws 400 where it is no batch or transaction. */
export function bundleEntries(document: JsonDocument | undefined): { type: 'batch' | 'transaction'; entries: readonly unknown[] } {
  const bundle = document?.value;
  if (bundle?.['resourceType'] !== 'Bundle') throw fail('not-a-resource', { text: 'POST to the base takes a Bundle of type batch or transaction' });
  const { type, entry = [] } = bundle;
  if (type !== 'batch' && type !== 'transaction')
    throw fail('bad-request', { text: 'Bundle.type must be batch or transaction here', expression: 'Bundle.type' });
  if (!Array.isArray(entry)) throw fail('bad-request', { text: 'Bundle.entry must be an array', expression: 'Bundle.entry' });
  return { type, entries: entry };
}

/** One entry as a request; what is wrong with it is told at its place. */
export function readEntry(outer: FhirRequest, raw: unknown, index: number, route: Router): Entry {
  const entry = object(raw, index, '');
  const asked = object(entry['request'], index, '.request');
  const method = text(asked['method'], index, '.request.method');
  if (!isMethod(method)) throw wrong(index, '.request.method', 'must be GET, HEAD, POST, PUT, PATCH or DELETE');
  const url = relative(text(asked['url'], index, '.request.url'), outer.base);
  const { routed, query } = readUrl(method, url, index, route);
  const document = entry['resource'] === undefined || !outer.body ? undefined : memberDocument(outer.body, 'entry', index);
  const patch = document && routed.parts.interaction === 'patch' ? patchText(document, `Bundle.entry[${index}]`) : undefined;
  const { type, id, compartment, version, operation, interaction } = routed.parts;
  return {
    index,
    routed,
    fullUrl: optional(entry['fullUrl']),
    request: {
      interaction, type, id, compartment, version, operation, method, query, jsonPatch: patch?.jsonPatch, xmlPatch: patch?.xmlPatch,
      body: patch === undefined ? document : undefined,
      ifMatch: optional(asked['ifMatch']),
      ifNoneMatch: optional(asked['ifNoneMatch']),
      ifNoneExist: optional(asked['ifNoneExist']),
      ifModifiedSince: optional(asked['ifModifiedSince']),
      requestId: undefined,
      bundleRequestId: outer.requestId,
      correlationId: outer.correlationId,
      purposeOfUse: outer.purposeOfUse,
      breakGlassReason: outer.breakGlassReason,
      provenance: undefined,
      headers: outer.headers,
      inBundle: true,
      preferHandling: outer.preferHandling,
      preferReturn: outer.preferReturn ?? 'minimal',
      base: outer.base,
    },
  };
}

function readUrl(method: string, url: string, index: number, route: Router): { routed: Routed; query: FhirRequest['query'] } {
  const mark = url.indexOf('?');
  try {
    const routed = route(method, mark < 0 ? url : url.slice(0, mark));
    return { routed, query: mark < 0 ? [] : queryPairs(url.slice(mark + 1)) };
  } catch (error) {
    throw at(error, `Bundle.entry[${index}].request.url`);
  }
}

const optional = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** A JSON Patch or XML Patch comes as a Binary, since an entry holds resources only. https://hl7.org/fhir/R4/http.html#patch */
function patchText(body: JsonDocument, place: string): Pick<FhirRequest, 'jsonPatch' | 'xmlPatch'> | undefined {
  const { resourceType, contentType, data } = body.value;
  if (resourceType !== 'Binary') return undefined;
  const type = typeof contentType === 'string' ? contentType.toLowerCase().split(';', 1)[0]?.trim() : undefined;
  const isXml = type === 'application/xml-patch+xml';
  if ((type !== 'application/json-patch+json' && !isXml) || typeof data !== 'string') {
    throw fail('bad-request', { text: `${place}.resource: a Binary of a PATCH has contentType application/json-patch+json or application/xml-patch+xml, and the patch in base64 as its data`, expression: `${place}.resource` });
  }
  const bytes = Buffer.from(data, 'base64');
  if (!isUtf8(bytes)) throw fail('malformed-json', { text: `${place}.resource.data is not UTF-8 text in base64`, expression: `${place}.resource.data` });
  const patch = bytes.toString('utf8');
  return isXml ? { xmlPatch: patch } : { jsonPatch: patch };
}

const isMethod = (method: string): method is FhirRequest['method'] => METHODS.has(method);

function relative(url: string, base: string): string {
  const path = url === base || url.startsWith(`${base}/`) ? url.slice(base.length) : url;
  return path.startsWith('/') ? path.slice(1) : path;
}

function object(value: unknown, index: number, member: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw wrong(index, member, 'must be there and be an object');
}

function text(value: unknown, index: number, member: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw wrong(index, member, 'must be there and be a string');
}

/** `member` of the entry, with its dot. The place is put together only here: bundles have thousands of entries that are right. */
function wrong(index: number, member: string, what: string): FhirError {
  const place = `Bundle.entry[${index}]${member}`;
  return fail('bad-request', { text: `${place} ${what}`, expression: place });
}

/** An entry of HEAD is answered as its GET is, without the resource. https://hl7.org/fhir/R4/valueset-http-verb.html */
export const asAsked = ({ request }: Pick<Entry, 'request'>, response: FhirResponse): FhirResponse => (request.method === 'HEAD' && response.status < 400 ? { ...response, body: '' } : response);

/** Throws 403 where the caller's Bundles may not hold an entry of this method (domain.md section 4). */
export function requireMethod({ index, request: { method } }: Entry, { entryMethod, caller }: Grant): void {
  if (entryMethod === undefined || method === entryMethod || (entryMethod === 'GET' && method === 'HEAD')) return;
  throw fail('forbidden', { text: `The Bundles of the role ${caller.role} may hold ${entryMethod} alone`, expression: `Bundle.entry[${index}].request.method` });
}
