// The Fastify instance, built from the parts it is handed.
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { answerClientError } from './http/client-error.js';
import { registerCdsHooksDoor, type CdsDoor } from './http/cds-hooks-door.js';
import { refuseByFastify, registerFhirDoor, type FhirDoor } from './http/fhir-door.js';
import type { Clients } from './identity/clients.js';
import { registerClientsDoor } from './http/clients-door.js';
import { recordDoors, type RecordAccess } from './http/door-record.js';
import { registerHealthDoor, type Health } from './http/health-door.js';
import { registerKeysDoor } from './http/keys-door.js';
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
  /** The JWK Set of the key that notifications are signed with, as JSON text. */
  readonly keys: string;
  readonly limits: AppLimits;
  readonly browsers: BrowserParts;
  /** Records what is asked at the doors beside the FHIR service. */
  readonly record: RecordAccess;
  readonly log: AppLog;
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

export function createApp({ fhir, oauth, clients, cds, health, keys, limits, browsers, record, log }: AppParts): App {
  const app = Fastify({
    loggerInstance: log,
    // One logger for all: a child for each request costs 3 µs, and requests are not logged one by one.
    childLoggerFactory: (logger) => logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    http: { maxHeaderSize: limits.headerBytes, headersTimeout: Math.min(HEADERS_MS, limits.requestMs), connectionsCheckingInterval: Math.min(CHECK_MS, limits.requestMs) },
    ...(limits.proxies.length > 0 && { trustProxy: [...limits.proxies] }),
    // Ids and versions stand in the path; nothing of ours is longer.
    routerOptions: { maxParamLength: 512 },
    forceCloseConnections: 'idle',
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => void refuseByFastify(error, request, reply, fhir),
  });
  registerBrowserHeaders(app, browsers);
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

/** What services there are, and what a browser may ask, tells of nobody. */
function doorOf({ method, url }: { readonly method: string; readonly url: string }): string | undefined {
  if (method === 'OPTIONS') return undefined;
  if (url.startsWith('/oauth2/')) return 'token';
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
