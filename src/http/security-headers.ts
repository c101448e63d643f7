// Headers of every answer, whichever door gave it, and which web pages of others may read answers (CORS). https://fetch.spec.whatwg.org/#http-cors-protocol
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

export interface BrowserParts {
  /** Origins whose pages may read answers; `*` for any. Empty: none. */
  readonly corsOrigins: readonly string[];
  /** Clients come by TLS: they are told to go on doing so. */
  readonly tls: boolean;
}

/** Nothing here is ever a page: nothing of it is to be run, framed, or told of to another site. */
const ALWAYS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'content-security-policy': 'default-src \'none\'; frame-ancestors \'none\'',
  'referrer-policy': 'no-referrer',
};
const TLS = { 'strict-transport-security': 'max-age=31536000; includeSubDomains' };

const EXPOSED = 'ETag, Location, Content-Location, Last-Modified, Preference-Applied, Retry-After, WWW-Authenticate, X-Request-Id, X-Correlation-Id, X-Progress, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset';
const PREFLIGHT = {
  'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
  'access-control-allow-headers': 'Authorization, Content-Type, Accept, Prefer, If-Match, If-None-Match, If-None-Exist, If-Modified-Since, X-Request-Id, X-Correlation-Id, X-Purpose-Of-Use, X-Break-Glass-Reason, X-Provenance',
  'access-control-max-age': '86400',
};

/** For the whole app, before any door is asked. Callers bring tokens, never cookies: `Access-Control-Allow-Credentials` is not sent, whoever asks. */
export function registerBrowserHeaders(app: FastifyInstance, { corsOrigins, tls }: BrowserParts): void {
  const headers = tls ? { ...ALWAYS, ...TLS } : ALWAYS;
  const origins = new Set(corsOrigins);
  app.addHook('onRequest', (request, to, done) => {
    to.headers(headers);
    if (origins.size > 0 && answeredAsPreflight(request, to, origins)) return;
    done();
  });
}

/** Adds the headers for an origin that may read; true where all that was asked is whether it may. */
function answeredAsPreflight({ method, headers }: FastifyRequest, to: FastifyReply, origins: ReadonlySet<string>): boolean {
  const { origin } = headers;
  const any = origins.has('*');
  // A cache must not give one origin's answer to another.
  if (!any) to.header('vary', 'Origin');
  if (origin === undefined || !(any || origins.has(origin))) return false;
  to.header('access-control-allow-origin', any ? '*' : origin);
  if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) {
    to.header('access-control-expose-headers', EXPOSED);
    return false;
  }
  void to.code(204).headers(PREFLIGHT).send();
  return true;
}
