// The door of the FHIR service: route, authenticate, decode, perform, reply. Below it nothing knows HTTP.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Router } from '../dispatch/router.js';
import type { Caller } from '../fhir/caller.js';
import { fail, FhirError } from '../fhir/errors.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { Handler, RefusedRequest } from '../interactions/context.js';
import { WRITES_CSV } from '../operations/csv-answer.js';
import { queryPairs } from '../fhir/query-string.js';
import type { Xml } from '../xml/xml.js';
import { presentationOf, presentationOrPlain, type Presentation } from './accept.js';
import type { AddressLimit } from './address-limit.js';
import { unpackBody } from './content-coding.js';
import { decode, FILE_TYPES, queryText, single } from './decode.js';
import type { Overload } from './overload.js';
import { createMetadataAnswer, type MetadataAnswer } from './metadata.js';
import { preferenceApplied } from './prefer.js';
import { present } from './present.js';
import { fileResponse, gathered, wantsFile, writesBinary } from './raw-binary.js';
import type { RateLimit } from './rate-limit.js';
import type { TokenVerifier } from '../identity/verify-token.js';
import type { PresentedBy } from './client-certificate.js';
import { reply, type Replied } from './reply.js';
import type { TransportCheck } from './transport.js';

export interface FhirDoor {
  /** `/fhir/R4`. */
  readonly basePath: string;
  /** The service base as this caller sees it, for links and Location. */
  readonly baseOf: (host: string | undefined) => string;
  readonly route: Router;
  readonly authenticate: TokenVerifier;
  /** The certificate and the role that came beside the token. */
  readonly presented: PresentedBy;
  readonly perform: (handler: Handler, request: FhirRequest, caller: Caller) => Promise<FhirResponse>;
  /** Throws for a request that came by too weak a road, before anything of it is looked at. */
  readonly requireTransport: TransportCheck;
  readonly xml: Xml;
  /** Writes metadata. */
  readonly keptXml: Pick<Xml, 'write'>;
  /** Of a body once it is unpacked. */
  readonly bodyLimitBytes: number;
  /** Throws while the process is too far behind to take more. */
  readonly requireCapacity: Overload['require'];
  readonly limitRate: RateLimit;
  readonly limitAddress: AddressLimit;
  /** How deep a body may be nested. */
  readonly jsonDepth: number;
  /** SMART's discovery document for a base, as JSON text. */
  readonly smartConfiguration: (base: string) => string;
  /** The CapabilityStatement's text for a base. */
  readonly capabilities: (base: string, query: FhirRequest['query']) => string;
  readonly refuse: (error: unknown, request: RefusedRequest, caller: Caller | undefined) => FhirResponse;
  /** Puts a refusal on record that was made before there was a request to perform: `line` is its method and URL, `address` where it came from. */
  readonly recordRefusal: (caller: Caller | undefined, response: FhirResponse, request: FhirRequest, line: string, address: string) => void;
}

/** Registers everything under the base path. Bodies come as bytes: the FHIR reader decides what they are. */
export function registerFhirDoor(app: FastifyInstance, door: FhirDoor): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => { done(null, body); });
  // Files are read as they come, by whoever takes them: they need not fit into memory, nor under the limit of bodies.
  app.addContentTypeParser([...FILE_TYPES], (_request, payload, done) => { done(null, payload); });
  const answerMetadata = createMetadataAnswer();
  const handle = (request: FastifyRequest, to: FastifyReply): Promise<FastifyReply> => serve(request, to, door, answerMetadata);
  app.all(door.basePath === '' ? '/' : door.basePath, handle);
  app.all(`${door.basePath}/*`, handle);
  app.setErrorHandler((error, request, to) => refuseByFastify(error, request, to, door));
  app.setNotFoundHandler((request, to) => {
    // A method that Fastify has no routes for (PROPFIND): the table of routes says what the URL takes.
    if (isBelow(request.url, door.basePath)) return handle(request, to);
    // Nobody's data is outside the base path: not for the record.
    const error = fail('unknown-route', { text: `Nothing is here: the FHIR service is at ${door.basePath}` });
    return reply(request, to, present(door.refuse(error, refused(request, door), undefined), presentationFor(request, door), door.xml));
  });
}

function isBelow(url: string, basePath: string): boolean {
  return url.startsWith(basePath) && ['', '/', '?'].includes(url.charAt(basePath.length));
}

/** Refusals that Fastify makes before a handler runs, in our words. */
export function refuseByFastify(error: unknown, request: FastifyRequest, to: FastifyReply, door: FhirDoor): Replied {
  return refuse(asRefusal(error), request, to, door, undefined);
}

async function serve(request: FastifyRequest, to: FastifyReply, door: FhirDoor, answerMetadata: MetadataAnswer): Promise<FastifyReply> {
  let caller: Caller | undefined;
  try {
    door.requireCapacity();
    door.requireTransport(request.headers);
    const base = door.baseOf(request.headers.host);
    const path = pathBelow(request.url, door.basePath);
    const { accept } = request.headers;
    if (isOpen(request.method, path)) {
      const response = answerMetadata(door.capabilities(base, queryPairs(queryText(request.url))), request.headers['if-none-match']);
      return reply(request, to, present(response, presentationOf(accept, queryText(request.url)), door.keptXml));
    }
    if (path === DISCOVERY && request.method === 'GET') return await sendJson(to, door.smartConfiguration(base));
    if (request.url.includes('access_token=')) throw tokenInUrl();
    const identified = door.authenticate(request.headers.authorization, door.presented(request));
    caller = identified instanceof Promise ? await identified : identified;
    door.limitRate(caller, to);
    if (request.headers['content-encoding'] !== undefined) await unpackBody(request, door.bodyLimitBytes);
    const asked = askedOf(request, path);
    const presentation = formOf(accept, asked, path);
    const routed = door.route(request.method, path);
    if (writesBinary(routed.parts)) request.body = await gathered(request.body, door.bodyLimitBytes);
    const decoded = decode(request, routed, base, door);
    const response = await door.perform(routed.handler, decoded, caller);
    if (request.headers.prefer !== undefined) sayApplied(decoded, response, to);
    if (wantsFile(routed.parts, accept, asked)) return reply(request, to, fileResponse(response, routed.parts.id ?? '', accept));
    return reply(request, to, present(response, presentation, door.xml));
  } catch (error) {
    return refuse(error, request, to, door, caller);
  }
}

function sayApplied(request: FhirRequest, { status }: FhirResponse, to: FastifyReply): void {
  const applied = preferenceApplied(request, status);
  if (applied !== undefined) to.header('preference-applied', applied);
}

/** The query; of a POST _search with the form behind it, where its parameters may stand too. */
function askedOf(request: FastifyRequest, path: string): string {
  const query = queryText(request.url);
  if (request.method !== 'POST' || !path.endsWith('_search') || !Buffer.isBuffer(request.body)) return query;
  return `${query}&${request.body.toString('latin1')}`;
}

/** A caller that can't read what is written is told so before anything is done; a file is written in its own format. */
function formOf(accept: string | undefined, asked: string, path: string): Presentation {
  // A file of a job is in a format of its own, too.
  if (path === 'Binary' || path.startsWith('Binary/') || path.startsWith('_jobs/')) return presentationOrPlain(accept, asked);
  return presentationOf(accept, asked, WRITES_CSV.has(path.slice(path.lastIndexOf('$') + 1)));
}

/** https://hl7.org/fhir/smart-app-launch/conformance.html#using-well-known */
const DISCOVERY = '.well-known/smart-configuration';

/** URLs stand in logs and histories. https://www.rfc-editor.org/rfc/rfc6750#section-5.3 */
const tokenInUrl = (): FhirError => fail('bad-request', { text: 'A token is taken from the Authorization header alone, never from the URL: consider this one known, and have it revoked' }, { 'WWW-Authenticate': 'Bearer realm="entitle-fhir", error="invalid_request"' });

function sendJson(to: FastifyReply, text: string): FastifyReply {
  return to.header('content-type', 'application/json; charset=utf-8').header('cache-control', 'public, max-age=300').send(text);
}

/** /metadata, and OPTIONS on the base, are for everyone. https://hl7.org/fhir/R4/http.html#capabilities */
function isOpen(method: string, path: string): boolean {
  if (path === 'metadata') return method === 'GET' || method === 'HEAD';
  return path === '' && method === 'OPTIONS';
}

function pathBelow(url: string, basePath: string): string {
  const mark = url.indexOf('?');
  const path = (mark < 0 ? url : url.slice(0, mark)).slice(basePath.length);
  return path.startsWith('/') ? path.slice(1) : path;
}

function refuse(error: unknown, request: FastifyRequest, to: FastifyReply, door: FhirDoor, caller: Caller | undefined): Replied {
  const response = door.refuse(limited(error, request, door), refused(request, door), caller);
  door.recordRefusal(caller, response, routedOf(request, door) ?? unread(request), `${request.method} ${request.url}`, request.ip);
  return reply(request, to, present(response, presentationFor(request, door), door.xml));
}

const presentationFor = (request: FastifyRequest, { basePath }: FhirDoor): Presentation =>
  presentationOrPlain(request.headers.accept, askedOf(request, pathBelow(request.url, basePath)));

/** A failure to authenticate counts against its address, and is another one where there were too many. */
export function limited(error: unknown, { ip }: Pick<FastifyRequest, 'ip'>, { limitAddress }: Pick<FhirDoor, 'limitAddress'>): unknown {
  return error instanceof FhirError && error.status === 401 ? limitAddress(ip) ?? error : error;
}

/** As much of a request as is known without reading it. */
function unread({ method, headers }: FastifyRequest): FhirRequest {
  return {
    interaction: 'unknown', method: method as FhirRequest['method'], query: [], base: '',
    requestId: single(headers['x-request-id']), correlationId: single(headers['x-correlation-id']),
  };
}

/** What it would have been, for the record. */
function routedOf(request: FastifyRequest, door: FhirDoor): FhirRequest | undefined {
  try {
    return { ...unread(request), ...door.route(request.method, pathBelow(request.url, door.basePath)).parts };
  } catch {
    return undefined;
  }
}

/** What can be said of a request that may not have been read: its form, too, for a search that keeps its parameters out of the URL. */
function refused(request: FastifyRequest, door: FhirDoor): RefusedRequest {
  const [type] = pathBelow(request.url, door.basePath).split('/', 1);
  const form = Buffer.isBuffer(request.body) && request.body.length < LONGEST_FORM ? `&${request.body.toString('latin1')}` : '';
  return { interaction: 'read', method: request.method as FhirRequest['method'], query: tolerantPairs(queryText(request.url) + form), headers: request.headers, ...(type && { type }) };
}

const LONGEST_FORM = 4096;

function tolerantPairs(text: string): FhirRequest['query'] {
  try {
    return queryPairs(text);
  } catch {
    return [];
  }
}

/** Fastify's own refusals as rows of the error table. */
function asRefusal(error: unknown): unknown {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return fail('body-too-long');
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return fail('unsupported-media-type');
  if (code === 'FST_ERR_BAD_URL') return fail('bad-request', { text: 'The path holds a % that is not followed by two hexadecimal digits of UTF-8' });
  if (error instanceof FhirError || typeof code !== 'string' || !code.startsWith('FST_ERR_')) return error;
  return fail('bad-request', { diagnostics: code });
}
