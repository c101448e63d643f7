// Stop 10 of a request: FhirResponse -> HTTP. https://hl7.org/fhir/R4/http.html#versioning
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { etag } from '../fhir/etag.js';
import { httpDate } from '../fhir/http-date.js';
import type { FhirResponse } from '../fhir/request.js';
import { codingFor, compress, packing, WORTH_COMPRESSING, type Coding } from './content-coding.js';

const FHIR_JSON = 'application/fhir+json; charset=utf-8';

/** At once, or once the body is packed. */
export type Replied = FastifyReply | Promise<FastifyReply>;

/** Types of content that are packed already gain nothing. */
const PACKABLE = /^text\/|json|xml/;

export function reply(request: FastifyRequest, to: FastifyReply, response: FhirResponse): Replied {
  to.code(response.status);
  echoTraces(request, to);
  to.header('cache-control', 'private, no-cache');
  // What is held of files is never to be taken for a page.
  to.header('x-content-type-options', 'nosniff');
  if (response.version !== undefined) to.header('etag', etag(response.version));
  if (response.updated !== undefined) to.header('last-modified', httpDate(response.updated));
  if (response.location !== undefined) to.header('location', response.location);
  if (response.headers) to.headers(response.headers);
  if (response.bytes) return to.send(response.bytes);
  if (response.stream) return sendStream(request, to, response.stream);
  if (response.body === undefined) return to.send();
  const type = response.headers?.['content-type'];
  if (type === undefined) to.header('content-type', FHIR_JSON);
  to.header('vary', to.hasHeader('vary') ? 'origin, accept, accept-encoding' : 'accept, accept-encoding');
  if (response.body.length < WORTH_COMPRESSING || (type !== undefined && !PACKABLE.test(type))) return to.send(response.body);
  const coding = codingFor(request.headers['accept-encoding']);
  return coding === undefined ? to.send(response.body) : sendPacked(to, response.body, coding);
}

async function sendPacked(to: FastifyReply, body: string, coding: Coding): Promise<FastifyReply> {
  const packed = await compress(body, coding);
  return to.header('content-encoding', coding).send(packed);
}

/** As fast as the caller takes it; where it fails the connection is cut, so that no part is taken for the whole. */
function sendStream(request: FastifyRequest, to: FastifyReply, stream: AsyncIterable<string>): FastifyReply {
  const coding = codingFor(request.headers['accept-encoding']);
  to.header('vary', 'origin, accept-encoding');
  const plain = Readable.from(stream, { objectMode: false });
  if (coding === undefined) return to.send(plain);
  return to.header('content-encoding', coding).send(packing(plain, coding));
}

/** The ids by which a caller follows its request, each under the name it came by. */
export function echoTraces(request: FastifyRequest, to: FastifyReply): void {
  echo(request, to, 'x-request-id');
  echo(request, to, 'x-correlation-id');
  echo(request, to, 'ssp-traceid');
}

/** A trace id that is sent comes back, as long as it is one word that can stand in a header. */
function echo(request: FastifyRequest, to: FastifyReply, name: string): void {
  const value = request.headers[name];
  if (typeof value === 'string' && value.length <= 200 && /^[\x21-\x7e]+$/.test(value)) to.header(name, value);
}
