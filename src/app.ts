// The Fastify instance, built from the parts it is handed.
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { answerClientError } from './http/client-error.js';
import { registerCdsHooksDoor, type CdsDoor } from './http/cds-hooks-door.js';
import { refuseByFastify, registerFhirDoor, type FhirDoor } from './http/fhir-door.js';
import type { Clients } from './identity/clients.js';
import { registerClientsDoor } from './http/clients-door.js';
import { registerHealthDoor, type Health } from './http/health-door.js';
import { registerKeysDoor } from './http/keys-door.js';
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
  readonly bodyLimitBytes: number;
  readonly log: AppLog;
}

/** A caller that sends its headers or body slower than this is let go. */
const REQUEST_TIMEOUT_MS = 120_000;
const HANG_UP_MS = 50;

export function createApp({ fhir, oauth, clients, cds, health, keys, bodyLimitBytes, log }: AppParts): App {
  const app = Fastify({
    loggerInstance: log,
    // One logger for all: a child for each request costs 3 µs, and requests are not logged one by one.
    childLoggerFactory: (logger) => logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyLimitBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Ids and versions stand in the path; nothing of ours is longer.
    routerOptions: { maxParamLength: 512 },
    forceCloseConnections: 'idle',
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => void refuseByFastify(error, request, reply, fhir),
  });
  registerHealthDoor(app, health);
  registerKeysDoor(app, keys);
  registerFhirDoor(app, fhir);
  registerOAuthDoor(app, oauth);
  registerCdsHooksDoor(app, { ...fhir, ...cds });
  registerClientsDoor(app, { ...fhir, clients });
  hangUpWhenIdle(app);
  return app;
}

/** Once the server stops, a connection is let go as soon as its request has been answered: else a client that keeps it open keeps the process. */
function hangUpWhenIdle(app: App): void {
  app.addHook('preClose', (done) => {
    const timer = setInterval(() => { app.server.closeIdleConnections(); }, HANG_UP_MS).unref();
    app.server.once('close', () => { clearInterval(timer); });
    done();
  });
}
