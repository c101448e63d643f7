// The jobs of this process: what callers left to be done, each queue by itself.
import type { Caller } from '../fhir/caller.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import { ANSWER_KEPT_MS, createDeferredKind } from '../jobs/deferred-request.js';
import { EXPORT_KEPT_MS } from '../jobs/export-report.js';
import { createExportKind } from '../jobs/export.js';
import { createIngestKind } from '../jobs/ingest-feed.js';
import { createJobRunner, type JobKind } from '../jobs/job-runner.js';
import { createReindexKind } from '../jobs/reindex.js';
import { repeat, type Repeated } from '../jobs/repeat.js';
import type { Given } from './given.js';
import type { Made } from './parts.js';

/** A job may take hours: no queue waits for another. */
export type Queue = 'files' | 'reindexes' | 'exports' | 'answers';

/** Where a job was left by another process: those of this one are begun at once. */
const JOBS_EVERY_MS = 2000;

/** `performLater` does a request whose caller was told to ask for the answer. */
export function startQueues(given: Given, made: Made, performLater: (request: FhirRequest, caller: Caller) => Promise<FhirResponse>): Readonly<Record<Queue, Repeated>> {
  const { parts, switching } = made;
  const start = (kind: JobKind, keptMs?: number): Repeated => startQueue(kind, given, made, keptMs);
  return {
    files: start(createIngestKind({ ...parts, nonePolicy: given.config.nonePolicy })),
    reindexes: start(createReindexKind({ db: given.database, added: switching.added })),
    exports: start(createExportKind(parts), EXPORT_KEPT_MS),
    answers: start(createDeferredKind(performLater), ANSWER_KEPT_MS),
  };
}

function startQueue(kind: JobKind, { database, log }: Given, { parts }: Made, keptMs?: number): Repeated {
  const onFailure = (error: unknown): void => { log.error({ err: error }, 'a job could not go on; tried again soon'); };
  const runner = createJobRunner({ database, store: parts.store, kinds: [kind], clock: parts.clock, owner: parts.newId(), onFailure, ...(keptMs !== undefined && { keptMs }) });
  let stopped = false;
  const jobs = repeat(() => runner.run(() => stopped), { everyMs: JOBS_EVERY_MS, onFailure });
  return {
    wake: () => { jobs.wake(); },
    stop: () => {
      stopped = true;
      return jobs.stop();
    },
  };
}
