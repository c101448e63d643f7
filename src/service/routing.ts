// Which work answers which request: operations, the table of routes, and the CapabilityStatement that tells of both.
import { createBundleHandler } from '../dispatch/bundle.js';
import { createCapabilities } from '../dispatch/capabilities.js';
import { createOperationHandler } from '../dispatch/operation.js';
import { createDeferral } from '../dispatch/respond-async.js';
import { createRouter, type Router } from '../dispatch/router.js';
import { createRoutes } from '../dispatch/routes.js';
import type { AuthorizationServer } from '../dispatch/smart.js';
import { deferredReport } from '../jobs/deferred-request.js';
import { exportReport } from '../jobs/export-report.js';
import { ingestReport } from '../jobs/ingest-report.js';
import { createJobDoor } from '../jobs/job-door.js';
import { createReindexReport } from '../jobs/reindex-report.js';
import type { Operation } from '../operations/operation.js';
import { createOperations } from '../operations/operations.js';
import { createCodeChecker } from '../validation/code-checker.js';
import type { Given } from './given.js';
import type { Made } from './parts.js';
import type { Queue } from './queues.js';

export interface Routing {
  readonly route: Router;
  /** See createCapabilities. */
  readonly capabilities: ReturnType<typeof createCapabilities>;
}

/** `wake` is told of the queue that something was put into. */
export function createRouting(given: Given, made: Made, { authorization, wake }: { readonly authorization: AuthorizationServer; readonly wake: (queue: Queue) => void }): Routing {
  const { config, database, definitions } = given;
  const { parts, switching } = made;
  const { clock, newId } = parts;
  const operations = operationsOf(given, made, wake);
  const job = createJobDoor({ db: database, clock, reports: [ingestReport, deferredReport, exportReport, createReindexReport(switching.added)] });
  const makeJobs = new Set(operations.flatMap(({ code, makesJob }) => (makesJob ? [code] : [])));
  const later = createDeferral({ db: database, newId, clock, queued: () => { wake('answers'); }, makeJobs });
  // A bundle's entries are routed by the same table that holds the bundle's own row.
  const routes = createRoutes({ bundle: createBundleHandler(() => route, config.bundleEntryLimit), operation: createOperationHandler(operations), capabilities: ({ base }) => Promise.resolve({ status: 200, body: capabilities(base) }), job, later });
  const route = createRouter(routes, definitions);
  const capabilities = createCapabilities({ definitions: parts.definitions, routes, operations, authorization, conditionalDelete: config.conditionalDelete, version: given.version, date: new Date(clock()).toISOString() });
  return { route, capabilities };
}

function operationsOf({ config, database, definitions }: Given, { parts, terminology, validator, switching }: Made, wake: (queue: Queue) => void): readonly Operation[] {
  return createOperations({
    nonePolicy: config.nonePolicy, terminology, definitions, validate: parts.validate, validator, profiles: parts.profiles, codes: createCodeChecker(definitions, terminology.answers), newId: parts.newId,
    db: database, fileLimitBytes: config.fileLimitBytes, jobQueued: () => { wake('files'); }, exportQueued: () => { wake('exports'); }, ...switching,
  });
}
