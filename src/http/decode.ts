// Stop 3 of a request: HTTP -> one frozen FhirRequest. https://hl7.org/fhir/R4/http.html
import { isUtf8 } from 'node:buffer';
import type { FastifyRequest } from 'fastify';
import { fail } from '../fhir/errors.js';
import { readJson } from '../fhir/json-text.js';
import { isOurVersion, parseMediaType, type MediaType } from '../fhir/media-type.js';
import { queryPairs } from '../fhir/query-string.js';
import type { FhirRequest, SentFile } from '../fhir/request.js';
import { readPreferences } from './prefer.js';
import type { Routed } from '../dispatch/router.js';
import type { Xml } from '../xml/xml.js';
import { binaryText, holdsBinaryXml, isBinary, namesFhir, writesBinary } from './raw-binary.js';

const JSON_TYPES = new Set(['application/fhir+json', 'application/json', 'application/json+fhir', 'text/json']);
/** Bodies that only operations on files take. */
export const FILE_TYPES: ReadonlySet<string> = new Set(['text/csv', 'application/fhir+ndjson', 'application/ndjson', 'application/x-ndjson']);
const XML_TYPES = new Set(['application/fhir+xml', 'application/xml', 'application/xml+fhir', 'text/xml']);
const JSON_PATCH = 'application/json-patch+json';
const XML_PATCH = 'application/xml-patch+xml';
const FORM = 'application/x-www-form-urlencoded';

/** What stands behind the path, without the question mark. */
export function queryText(url: string): string {
  const mark = url.indexOf('?');
  return mark < 0 ? '' : url.slice(mark + 1);
}

/** What bodies are read by. */
export interface BodyReading {
  readonly xml: Xml;
  /** How deep JSON may be nested. */
  readonly jsonDepth: number;
}

export function decode(request: FastifyRequest, routed: Routed, base: string, { xml, jsonDepth }: BodyReading): FhirRequest {
  const { headers } = request;
  const { interaction, type, id, compartment, version, part, operation } = routed.parts;
  const { preferReturn, preferHandling, respondAsync } = readPreferences(headers['prefer']);
  const isSearch = interaction === 'search';
  const form = isSearch && request.method === 'POST' ? formPairs(request) : [];
  const pairs = queryPairs(queryText(request.url));
  const file = sentFile(request, interaction === 'operation');
  const sent = isSearch || file ? undefined : writesBinary(routed.parts) ? readBinary(request, id, xml) : readBody(request, interaction === 'patch', { xml, jsonDepth });
  return {
    interaction, type, id, compartment, version, part, operation, base,
    method: request.method as FhirRequest['method'],
    query: form.length > 0 ? [...pairs, ...form] : pairs,
    body: sent?.body,
    file,
    jsonPatch: sent?.jsonPatch,
    xmlPatch: sent?.xmlPatch,
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
    preferReturn: preferReturn ?? (sent?.isFile && !namesFhir(headers.accept) ? 'minimal' : undefined),
    respondAsync,
    preferHandling,
  };
}

export const single = (header: string | string[] | undefined): string | undefined => (typeof header === 'string' ? header : undefined);
function readBody(request: FastifyRequest, isPatch: boolean, { xml, jsonDepth }: BodyReading): Sent | undefined {
  const bytes = bytesOf(request);
  if (!bytes) return undefined;
  const { name } = isPatch ? requireType(request, isPatchType, PATCH_TYPES.text, PATCH_TYPES.headers) : requireType(request, isResourceType, SEND_RESOURCE);
  const text = textOf(bytes);
  if (name === JSON_PATCH) return { jsonPatch: text };
  if (name === XML_PATCH) return { xmlPatch: text };
  return { body: XML_TYPES.has(name) ? xml.read(text) : readJson(text, { maxDepth: jsonDepth }) };
}

const SEND_RESOURCE = 'Send the body as application/fhir+json or application/fhir+xml';
const isResourceType = (name: string): boolean => JSON_TYPES.has(name) || XML_TYPES.has(name);
const isPatchType = (name: string): boolean => name === JSON_PATCH || name === XML_PATCH || isResourceType(name);

/** A body as it was read. */
interface Sent extends Pick<FhirRequest, 'body' | 'jsonPatch' | 'xmlPatch'> {
  /** It was no resource but a file, now the content of a Binary. */
  readonly isFile?: boolean;
}

/** A Binary's body: the resource, in a FHIR format, or any other content, which is then that of the file. */
function readBinary(request: FastifyRequest, id: string | undefined, xml: Xml): Sent | undefined {
  const bytes = bytesOf(request);
  const contentType = request.headers['content-type'] ?? '';
  if (!bytes && contentType === '') return undefined;
  const { name } = parseMediaType(contentType);
  if (bytes && JSON_TYPES.has(name)) {
    const body = readJson(textOf(bytes));
    if (isBinary(body)) return { body };
  }
  if (bytes && XML_TYPES.has(name) && holdsBinaryXml(bytes)) return { body: xml.read(textOf(bytes)) };
  return { body: readJson(binaryText(bytes ?? Buffer.alloc(0), contentType, single(request.headers['x-security-context']), id)), isFile: true };
}

const PATCH_TYPES = {
  text: `Send a JSON Patch as ${JSON_PATCH}, an XML Patch as ${XML_PATCH}, or a FHIRPath Patch as Parameters in application/fhir+json or application/fhir+xml`,
  // https://www.rfc-editor.org/rfc/rfc5789#section-2.2
  headers: { 'accept-patch': `${JSON_PATCH}, ${XML_PATCH}, application/fhir+json, application/fhir+xml` },
};

/** A body that comes as a stream; none but operations take one. */
function sentFile(request: FastifyRequest, isOperation: boolean): SentFile | undefined {
  const { body } = request;
  if (!isStream(body)) return undefined;
  const { name } = requireType(request, (type) => isOperation && FILE_TYPES.has(type), SEND_RESOURCE);
  return { contentType: name, bytes: body };
}

const isStream = (body: unknown): body is AsyncIterable<Uint8Array> => typeof body === 'object' && body !== null && Symbol.asyncIterator in body;

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
function requireType(request: FastifyRequest, takes: (name: string) => boolean, text: string, headers: Readonly<Record<string, string>> = {}): MediaType {
  const type = parseMediaType(request.headers['content-type'] ?? '');
  if (!takes(type.name)) throw fail('unsupported-media-type', { text }, headers);
  const charset = type.parameters.get('charset');
  if (charset !== undefined && !/^(utf-?8|us-ascii)$/.test(charset)) throw fail('unsupported-media-type', { text: 'Send the body in UTF-8' });
  if (!isOurVersion(type)) throw fail('unsupported-media-type', { text: 'This server speaks FHIR 4.0 alone: leave out fhirVersion, or write 4.0' });
  return type;
}
