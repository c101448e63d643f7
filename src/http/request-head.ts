// What the head of a request must be before any of it is believed: a version that is ours, and once what can mean one thing alone. https://www.rfc-editor.org/rfc/rfc9112#section-3.2
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { fail, type FhirError } from '../fhir/errors.js';

/** Of two of them Node keeps the first, and a proxy before us may have believed the other. Lists (Accept, If-Match, Prefer) may come in several lines. */
const ONCE: ReadonlySet<string> = new Set([
  'host', 'authorization', 'content-type', 'content-length', 'if-modified-since', 'if-none-exist', 'x-request-id', 'x-provenance', 'x-break-glass-reason', 'x-http-method-override', 'origin',
]);

/** Refuses at every door, before the caller is asked for. */
export function registerHeadCheck(app: FastifyInstance, refuse: (error: FhirError, request: FastifyRequest, to: FastifyReply) => unknown): void {
  app.addHook('onRequest', (request, to, done) => {
    const wrong = faultOf(request.raw);
    if (wrong === undefined) done();
    else refuse(fail('bad-request', { text: wrong }), request, to);
  });
}

function faultOf({ httpVersionMajor, httpVersionMinor, headers, rawHeaders }: IncomingMessage): string | undefined {
  // The parser takes a request line of 0.9 and of 2.0 as well.
  if (httpVersionMajor !== 1) return 'Send HTTP/1.1 (or 1.0)';
  if (headers.host === undefined && httpVersionMinor > 0) return 'An HTTP/1.1 request needs a Host header';
  // All names differ: nearly every request.
  if (Object.keys(headers).length * 2 === rawHeaders.length) return undefined;
  const name = sentTwice(rawHeaders);
  return name && `The header ${name} was sent more than once: send it once`;
}

function sentTwice(raw: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index]?.toLowerCase() ?? '';
    if (seen.has(name) && ONCE.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}
