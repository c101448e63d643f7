// Prefer: respond-async: the request becomes a job, and its caller is told where to ask for the answer. https://hl7.org/fhir/R4/async.html
import type { Queryable } from '../db/database.js';
import type { FhirRequest } from '../fhir/request.js';
import type { Handler } from '../interactions/context.js';
import { DEFERRED, deferredText } from '../jobs/deferred-request.js';
import { jobUrl } from '../jobs/job-door.js';
import { makeJob, queueJob } from '../jobs/job-table.js';

export interface Deferral {
  readonly db: Queryable;
  readonly newId: () => string;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Told that there is a job to be done. */
  readonly queued: () => void;
  /** Codes of operations that make jobs of their own. */
  readonly makeJobs: ReadonlySet<string>;
}

/** Makes a handler that may be asked to answer later: a request of its own, not an entry of a Bundle, whose body is not a stream. */
export function createDeferral({ db, newId, clock, queued, makeJobs }: Deferral): (handler: Handler) => Handler {
  return (handler) => async (request, context) => {
    if (request.respondAsync !== true || request.inBundle || request.file || context.tx || makeJobs.has(request.operation ?? '')) return handler(request, context);
    const { caller } = context.grant;
    const [id, now] = [newId(), clock()];
    await makeJob(db, { id, type: DEFERRED, client: caller.client, role: caller.role, request: deferredText(request, caller), progress: '{}', now });
    await queueJob(db, id, 1, now);
    queued();
    return { status: 202, headers: { 'content-location': jobUrl(request.base, id), 'preference-applied': 'respond-async', 'retry-after': '1' } };
  };
}

/** Where the request came to, below the base, for the table of routes. */
export function pathOf({ interaction, method, type, id, compartment, operation }: FhirRequest): string {
  const place = compartment ? [compartment.type, compartment.id, type ?? '*'] : [type, id];
  const last = interaction === 'history' ? '_history' : interaction === 'operation' ? `$${operation ?? ''}` : interaction === 'search' && method === 'POST' ? '_search' : undefined;
  return [...place, last].filter((part) => part !== undefined).join('/');
}
