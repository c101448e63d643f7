// Binary as the file it holds: raw bytes in and out, unless a FHIR format is asked for or sent. https://hl7.org/fhir/R4/binary.html#rest
import type { Routed } from '../dispatch/router.js';
import { asText } from '../fhir/elements.js';
import { fail } from '../fhir/errors.js';
import type { JsonDocument } from '../fhir/json-text.js';
import { children, unquote, valueEnd } from '../fhir/json-walk.js';
import { parseReference } from '../fhir/reference.js';
import type { FhirResponse } from '../fhir/request.js';
import type { JsonObject } from '../fhir/resource.js';

type Parts = Routed['parts'];

/** What a resource may be written in; `_format` says one of them, so that it asks for the resource. */
const FHIR_TYPES: ReadonlySet<string> = new Set([
  'application/fhir+json', 'application/json', 'application/json+fhir', 'text/json', 'application/fhir+xml', 'application/xml', 'application/xml+fhir', 'text/xml',
]);
/** A media type that can stand in a header: what was stored in JSON may be anything. https://www.rfc-editor.org/rfc/rfc9110#name-media-type */
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:[ \t]*;[ \t]*[\w!#$&^.+-]+=(?:[\w!#$&^.+-]+|"[ !#-[\]-~]*"))*$/;
const UNKNOWN = 'application/octet-stream';

interface Range {
  readonly type: string;
  readonly quality: number;
}

/** Is it a read of a Binary that wants the file, not the resource? */
export function wantsFile({ interaction, type }: Parts, accept: string | undefined, query: string): boolean {
  if (type !== 'Binary' || (interaction !== 'read' && interaction !== 'vread') || query.includes('_format=')) return false;
  return !namesFhir(accept);
}

/** Does the caller like a FHIR format best? */
export function namesFhir(accept = '*/*'): boolean {
  const [best] = rangesOf(accept);
  return best !== undefined && FHIR_TYPES.has(best.type);
}

/** Best first; of equal ones as they were sent. */
function rangesOf(accept: string): Range[] {
  const ranges = accept.toLowerCase().split(',').map((range): Range => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const quality = Number(parameters.find((one) => one.startsWith('q='))?.slice(2) ?? 1);
    return { type, quality: Number.isNaN(quality) ? 0 : quality };
  });
  return ranges.filter(({ type, quality }) => type !== '' && quality > 0).sort((a, b) => b.quality - a.quality);
}

/** The file of a Binary's JSON text, as its reader gets it; 406 where the caller does not take its media type. */
export function fileResponse(response: FhirResponse, id: string, accept: string | undefined): FhirResponse {
  const { body, ...head } = response;
  if (body === undefined || response.status !== 200 || response.outcome) return response;
  const { contentType = '', data = '', securityContext } = membersOf(body);
  const type = MEDIA_TYPE.test(contentType) ? contentType : UNKNOWN;
  const plain = type.toLowerCase().split(';', 1)[0]?.trim() ?? '';
  if (!rangesOf(accept ?? '*/*').some((range) => holds(range.type, plain))) throw fail('not-acceptable', { text: `This file is ${type}: take that, or application/fhir+json for the resource` });
  const headers = {
    ...head.headers,
    'content-type': type,
    // A file may be a page with scripts: it is never to run as one of ours.
    'content-disposition': `attachment; filename="${id}"`,
    'content-security-policy': 'sandbox; default-src \'none\'',
    ...(securityContext !== undefined && /^[\x21-\x7e]+$/.test(securityContext) && { 'x-security-context': securityContext }),
  };
  return { ...head, headers, bytes: Buffer.from(data, 'base64') };
}

const holds = (range: string, type: string): boolean => range === '*/*' || range === type || (range.endsWith('/*') && type.startsWith(range.slice(0, -1)));

interface Members {
  readonly contentType?: string;
  readonly data?: string;
  readonly securityContext?: string;
}

/** Found in the text, not parsed: a file is copied once, as its bytes. */
function membersOf(text: string): Members {
  const found: { -readonly [K in keyof Members]: Members[K] } = {};
  for (const { key, valueStart } of children(text, 0)) {
    const token = (): string => text.slice(valueStart, valueEnd(text, valueStart));
    if (key === 'contentType') found.contentType = unquote(token());
    else if (key === 'data') found.data = unquote(token());
    else if (key === 'securityContext') found.securityContext = asText((JSON.parse(token()) as JsonObject)['reference']) ?? '';
  }
  return found;
}

/** Does the request write a Binary, so that its body may be any file? */
export const writesBinary = ({ interaction, type }: Parts): boolean => type === 'Binary' && (interaction === 'create' || interaction === 'update');

/** The body in whole, where it came as a stream; 413 beyond the limit of bodies. */
export async function gathered(body: unknown, limitBytes: number): Promise<unknown> {
  if (typeof body !== 'object' || body === null || !(Symbol.asyncIterator in body)) return body;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > limitBytes) throw fail('body-too-long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The JSON text of the Binary that holds these bytes. */
export function binaryText(bytes: Buffer, contentType: string, securityContext: string | undefined, id: string | undefined): string {
  if (!MEDIA_TYPE.test(contentType)) throw fail('unsupported-media-type', { text: 'Send the media type of the file as Content-Type, such as application/pdf' });
  const context = securityContext === undefined ? '' : `,"securityContext":{"reference":${JSON.stringify(requireReference(securityContext))}}`;
  return `{"resourceType":"Binary"${id === undefined ? '' : `,"id":"${id}"`},"contentType":${JSON.stringify(contentType)}${context}${bytes.length === 0 ? '' : `,"data":"${bytes.toString('base64')}"`}}`;
}

function requireReference(text: string): string {
  const kind = parseReference(text)?.kind;
  if (kind === 'resource' || kind === 'absolute') return text;
  throw fail('bad-request', { text: `X-Security-Context must be a reference such as Patient/1; it is ${text.slice(0, 60)}` });
}

/** Is the root of this XML a Binary's? */
export const holdsBinaryXml = (bytes: Buffer): boolean => /^[^<]*(?:<[?!][^<]*)*<Binary[\s/>]/.test(bytes.subarray(0, 2048).toString('latin1'));

/** Is what was sent in a FHIR format the resource itself? Any other content is that of a file. */
export const isBinary = (document: JsonDocument): boolean => document.value['resourceType'] === 'Binary';
