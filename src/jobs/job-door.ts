// The URL of a job: where its client asks how far it is, takes what came of it, and calls it off.
// https://hl7.org/fhir/R4/async.html
import type { Queryable } from '../db/database.js';
import { fail } from '../fhir/errors.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { Handler } from '../interactions/context.js';
import type { Caller } from '../fhir/caller.js';
import type { Job } from './job.js';
import { cancelJob, readJob, removeJob } from './job-table.js';

/** How the jobs of one type tell of themselves. */
export interface JobReport {
  readonly type: string;
  /** A few words for X-Progress. */
  progress(job: Job): string;
  /** The answer once it is done, cut to what this caller may know. */
  answer(job: Job, request: FhirRequest, caller: Caller, db: Queryable): Promise<FhirResponse>;
}

export interface JobDoor {
  readonly status: Handler;
  readonly cancel: Handler;
}

const NO_STORE = { 'cache-control': 'no-store' };

export const jobUrl = (base: string, id: string): string => `${base}/_jobs/${id}`;

export function createJobDoor({ db, clock, reports }: { readonly db: Queryable; readonly clock: () => number; readonly reports: readonly JobReport[] }): JobDoor {
  return {
    async status(request, { grant }) {
      const job = await ownJob(db, request, grant.caller);
      if (job.status === 'failed') throw fail('business-rule', { text: `The job has failed: ${(JSON.parse(job.result ?? '{}') as { text?: string }).text ?? ''}` });
      const report = reports.find(({ type }) => type === job.type);
      if (!report) throw new Error(`nobody reports on jobs of type ${job.type}`);
      if (job.status === 'done') {
        const answer = await report.answer(job, request, grant.caller, db);
        return { ...answer, headers: { ...answer.headers, ...NO_STORE } };
      }
      return { status: 202, headers: { ...NO_STORE, 'x-progress': report.progress(job), 'retry-after': '1' } };
    },
    /** What was done already stays done. */
    async cancel(request, { grant }) {
      const job = await ownJob(db, request, grant.caller);
      if (!(await cancelJob(db, job.id, clock()))) await removeJob(db, job.id);
      return { status: 202 };
    },
  };
}

/** 404 for another client's, as for one that never was. */
async function ownJob(db: Queryable, { id }: FhirRequest, caller: Caller): Promise<Job> {
  const job = id === undefined ? undefined : await readJob(db, id);
  const isOwn = job?.client === caller.client && job.role === caller.role;
  if (job && job.status !== 'cancelled' && (isOwn || caller.role === 'admin')) return job;
  throw fail('not-found', { text: 'There is no such job: it was called off, or it is not yours' });
}
