// The Fastify instance, built from the parts it is handed.
import type { RequestListener } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { answerClientError } from './http/client-error.js';
import { registerCdsHooksDoor, type CdsDoor } from './http/cds-hooks-door.js';
import { refuseByFastify, registerFhirDoor, type FhirDoor } from './http/fhir-door.js';
import type { Clients } from './identity/clients.js';
import { registerClientsDoor } from './http/clients-door.js';
import { recordDoors, type RecordAccess } from './http/door-record.js';
import { registerHealthDoor, type Health } from './http/health-door.js';
import { registerKeysDoor } from './http/keys-door.js';
import { registerHeadCheck } from './http/request-head.js';
import { registerBrowserHeaders, type BrowserParts } from './http/security-headers.js';
import { registerOAuthDoor, type OAuthDoor } from './http/oauth-door.js';

/** The names by which the rest of the house knows Fastify's own. */
export type App = FastifyInstance;
export type AppLog = FastifyBaseLogger;

export interface AppParts {
  readonly fhir: FhirDoor;
  readonly oauth: OAuthDoor;
  readonly clients: Clients;
  readonly cds: Pick<CdsDoor, 'authenticate' | 'newId'>;
  readonly health: Health;
  /** The JWK Set of the keys that notifications and id_tokens are signed with, as JSON text. */
  readonly keys: () => Promise<string>;
  readonly limits: AppLimits;
  readonly browsers: BrowserParts;
  /** Records what is asked at the doors beside the FHIR service. */
  readonly record: RecordAccess;
  /** Where the server speaks https itself. */
  readonly tls: TlsFiles | undefined;
  readonly log: AppLog;
}

/** PEM, as read. */
export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Whose clients' certificates count; a client that shows none is let in all the same, without what is bound to one. */
  readonly clientCa: Buffer | undefined;
}

export interface AppLimits {
  readonly bodyBytes: number;
  readonly headerBytes: number;
  /** A caller that sends its headers or body slower than this is let go. */
  readonly requestMs: number;
  /** Whose X-Forwarded-For is believed. */
  readonly proxies: readonly string[];
}

/** Nobody's headers take longer than this, whatever bodies may. */
const HEADERS_MS = 20_000;
const CHECK_MS = 5000;
const HANG_UP_MS = 50;

export function createApp({ fhir, oauth, clients, cds, health, keys, limits, browsers, record, tls, log }: AppParts): App {
  // A request without a Host is refused in our own words, as one with two is.
  const http = { requireHostHeader: false, maxHeaderSize: limits.headerBytes, headersTimeout: Math.min(HEADERS_MS, limits.requestMs), connectionsCheckingInterval: Math.min(CHECK_MS, limits.requestMs) };
  const app = Fastify({
    loggerInstance: log,
    // One logger for all: a child for each request costs 3 µs, and requests are not logged one by one.
    childLoggerFactory: (logger) => logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    http,
    ...(tls && { serverFactory: (handler: RequestListener) => createServer({ ...http, requestTimeout: limits.requestMs, ...secured(tls) }, handler) }),
    ...(limits.proxies.length > 0 && { trustProxy: [...limits.proxies] }),
    // Ids and versions stand in the path; nothing of ours is longer.
    routerOptions: { maxParamLength: 512 },
    forceCloseConnections: 'idle',
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => void refuseByFastify(error, request, reply, fhir),
  });
  registerBrowserHeaders(app, browsers);
  registerHeadCheck(app, (error, request, to) => refuseByFastify(error, request, to, fhir));
  registerHealthDoor(app, health);
  registerKeysDoor(app, keys);
  registerFhirDoor(app, fhir);
  // A scope of its own: what the FHIR service is asked is recorded with what was answered.
  void app.register((scope, _options, done) => {
    recordDoors(scope, doorOf, record);
    registerOAuthDoor(scope, oauth);
    registerCdsHooksDoor(scope, { ...fhir, ...cds });
    registerClientsDoor(scope, { ...fhir, clients });
    done();
  });
  hangUpWhenIdle(app);
  return app;
}

/** Asks every client for a certificate where some can be believed; what depends on one looks whether there was. */
function secured({ cert, key, clientCa }: TlsFiles): ServerOptions {
  return { cert, key, minVersion: 'TLSv1.2', ...(clientCa && { ca: clientCa, requestCert: true, rejectUnauthorized: false }) };
}

/** What services there are, and what a browser may ask, tells of nobody. */
function doorOf({ method, url }: { readonly method: string; readonly url: string }): string | undefined {
  if (method === 'OPTIONS') return undefined;
  if (url.startsWith('/oauth2/')) return url.startsWith('/oauth2/authorize') ? 'authorize' : 'token';
  if (url.startsWith('/admin/')) return 'clients';
  return method === 'POST' && url.startsWith('/cds-services/') ? '$cds-hooks' : undefined;
}

/** Once the server stops, a connection is let go as soon as its request has been answered: else a client that keeps it open keeps the process. */
function hangUpWhenIdle(app: App): void {
  app.addHook('preClose', (done) => {
    const timer = setInterval(() => { app.server.closeIdleConnections(); }, HANG_UP_MS).unref();
    app.server.once('close', () => { clearInterval(timer); });
    done();
  });
}
