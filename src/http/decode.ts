// Stop 3 of a request: HTTP -> one frozen FhirRequest. https://hl7.org/fhir/R4/http.html
import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { fail } from '../fhir/errors.js';
import { readJson } from '../fhir/json-text.js';
import { queryPairs } from '../fhir/query-string.js';
import type { FhirRequest, SentFile } from '../fhir/request.js';
import type { Routed } from '../dispatch/router.js';

const JSON_TYPES = new Set(['application/fhir+json', 'application/json', 'application/json+fhir', 'text/json']);
/** Bodies that only operations on files take. */
export const FILE_TYPES: ReadonlySet<string> = new Set(['text/csv', 'application/fhir+ndjson', 'application/ndjson', 'application/x-ndjson']);
const JSON_PATCH = 'application/json-patch+json';
const FORM = 'application/x-www-form-urlencoded';

/** What stands behind the path, without the question mark. */
export function queryText(url: string): string {
  const mark = url.indexOf('?');
  return mark < 0 ? '' : url.slice(mark + 1);
}

export function decode(request: FastifyRequest, routed: Routed, base: string): FhirRequest {
  const { headers } = request;
  const { interaction, type, id, compartment, version, operation } = routed.parts;
  const isSearch = interaction === 'search';
  const form = isSearch && request.method === 'POST' ? formPairs(request) : [];
  const pairs = queryPairs(queryText(request.url));
  const file = sentFile(request, interaction === 'operation');
  const sent = isSearch || file ? undefined : readBody(request, interaction === 'patch');
  return {
    interaction, type, id, compartment, version, operation, base,
    method: request.method as FhirRequest['method'],
    query: form.length > 0 ? [...pairs, ...form] : pairs,
    body: sent?.body,
    file,
    jsonPatch: sent?.jsonPatch,
    ifMatch: headers['if-match'],
    ifNoneMatch: headers['if-none-match'],
    ifModifiedSince: headers['if-modified-since'],
    ifNoneExist: single(headers['if-none-exist']),
    requestId: single(headers['x-request-id']),
    bundleRequestId: undefined,
    correlationId: single(headers['x-correlation-id']),
    purposeOfUse: single(headers['x-purpose-of-use']),
    breakGlassReason: single(headers['x-break-glass-reason']),
    provenance: single(headers['x-provenance']),
    headers,
    inBundle: false,
    preferReturn: preferred(headers['prefer'], RETURN) as FhirRequest['preferReturn'],
    preferHandling: preferred(headers['prefer'], HANDLING) as FhirRequest['preferHandling'],
  };
}

const RETURN = /\breturn=(minimal|representation|OperationOutcome)\b/;
const HANDLING = /\bhandling=(strict|lenient)\b/;

export const single = (header: string | string[] | undefined): string | undefined => (typeof header === 'string' ? header : undefined);
const preferred = (header: string | string[] | undefined, which: RegExp): string | undefined => (header === undefined ? undefined : which.exec(String(header))?.[1]);

function readBody(request: FastifyRequest, isPatch: boolean): Pick<FhirRequest, 'body' | 'jsonPatch'> | undefined {
  const bytes = bytesOf(request);
  if (!bytes) return undefined;
  if (!isPatch) {
    requireType(request, (type) => JSON_TYPES.has(type), 'Send the body as application/fhir+json');
    return { body: readJson(textOf(bytes)) };
  }
  const type = requireType(request, (one) => one === JSON_PATCH || JSON_TYPES.has(one), PATCH_TYPES.text, PATCH_TYPES.headers);
  return type === JSON_PATCH ? { jsonPatch: textOf(bytes) } : { body: readJson(textOf(bytes)) };
}

const PATCH_TYPES = {
  text: `Send a JSON Patch as ${JSON_PATCH}, or a FHIRPath Patch as Parameters in application/fhir+json`,
  // https://www.rfc-editor.org/rfc/rfc5789#section-2.2
  headers: { 'accept-patch': `${JSON_PATCH}, application/fhir+json` },
};

/** A body that comes as a stream; none but operations take one. */
function sentFile(request: FastifyRequest, isOperation: boolean): SentFile | undefined {
  const { body } = request;
  if (!(body instanceof Readable)) return undefined;
  const contentType = requireType(request, (type) => isOperation && FILE_TYPES.has(type), 'Send the body as application/fhir+json');
  return { contentType, bytes: body as AsyncIterable<Uint8Array> };
}

function formPairs(request: FastifyRequest): [string, string][] {
  const bytes = bytesOf(request);
  if (!bytes) return [];
  requireType(request, (type) => type === FORM, `POST _search takes its parameters as ${FORM}`);
  return queryPairs(textOf(bytes));
}

function bytesOf(request: FastifyRequest): Buffer | undefined {
  return Buffer.isBuffer(request.body) && request.body.length > 0 ? request.body : undefined;
}

function textOf(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw fail('malformed-json', { text: 'The body is not UTF-8' });
  return bytes.toString('utf8');
}

/** The media type of the body, if it is one that is taken. */
function requireType(request: FastifyRequest, takes: (type: string) => boolean, text: string, headers: Readonly<Record<string, string>> = {}): string {
  refuseCoding(request.headers['content-encoding']);
  const [type = '', ...parameters] = (request.headers['content-type'] ?? '').toLowerCase().split(';').map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  if (!takes(type)) throw fail('unsupported-media-type', { text }, headers);
  if (charset && !/^charset="?(utf-?8|us-ascii)"?$/.test(charset)) throw fail('unsupported-media-type', { text: 'Send the body in UTF-8' });
  return type;
}

/** A body that is compressed is not read. https://www.rfc-editor.org/rfc/rfc9110#section-8.4 */
function refuseCoding(coding: string | undefined): void {
  if (coding === undefined || coding.toLowerCase() === 'identity') return;
  throw fail('unsupported-media-type', { text: `The body is in the coding ${coding.slice(0, 60)}: send it without` }, { 'accept-encoding': 'identity' });
}
