// The URL of a job: where its client asks how far it is, takes what came of it, and calls it off.
// https://hl7.org/fhir/R4/async.html
import type { Queryable } from '../db/database.js';
import { fail, type FhirError } from '../fhir/errors.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { Context, Handler } from '../interactions/context.js';
import type { Caller } from '../fhir/caller.js';
import type { Job } from './job.js';
import { cancelJob, readJob, removeJob } from './job-table.js';

/** How the jobs of one type tell of themselves. */
export interface JobReport {
  readonly type: string;
  /** A few words for X-Progress. */
  progress(job: Job): string;
  /** The answer once it is done, cut to what this caller may know. */
  answer(job: Job, request: FhirRequest, context: Context): Promise<FhirResponse>;
  /** One of its files, named by `request.part`. */
  file?(job: Job, request: FhirRequest, context: Context): Promise<FhirResponse>;
  /** Is the job this caller's? Where nothing is said it is that of its client in its role, and of every administrator. */
  owns?(job: Job, caller: Caller): boolean;
}

export interface JobDoor {
  readonly status: Handler;
  readonly file: Handler;
  readonly cancel: Handler;
}

const NO_STORE = { 'cache-control': 'no-store' };

export const jobUrl = (base: string, id: string): string => `${base}/_jobs/${id}`;

export function createJobDoor({ db, clock, reports }: { readonly db: Queryable; readonly clock: () => number; readonly reports: readonly JobReport[] }): JobDoor {
  const own = (request: FhirRequest, { grant }: Context): Promise<Reported> => ownJob(db, request, grant.caller, reports);
  return {
    async status(request, context) {
      const { job, report } = await own(request, context);
      if (job.status === 'failed') throw fail('business-rule', { text: `The job has failed: ${(JSON.parse(job.result ?? '{}') as { text?: string }).text ?? ''}` });
      if (job.status === 'done') {
        const answer = await report.answer(job, request, context);
        return { ...answer, headers: { ...answer.headers, ...NO_STORE } };
      }
      return { status: 202, headers: { ...NO_STORE, 'x-progress': report.progress(job), 'retry-after': '1' } };
    },
    async file(request, context) {
      const { job, report } = await own(request, context);
      if (!report.file || job.status !== 'done') throw fail('not-found', { text: 'The job has no such file, or is not done yet' });
      const answer = await report.file(job, request, context);
      return { ...answer, headers: { ...answer.headers, ...NO_STORE } };
    },
    /** What was done already stays done. */
    async cancel(request, context) {
      const { job } = await own(request, context);
      if (!(await cancelJob(db, job.id, clock()))) await removeJob(db, job.id);
      return { status: 202 };
    },
  };
}

interface Reported {
  readonly job: Job;
  readonly report: JobReport;
}

/** Is it the same client, speaking for the same person? One client may speak for many. */
export function isOwnJob(owner: Caller, caller: Caller): boolean {
  return (['client', 'role', 'subject', 'patient', 'relatedPerson', 'practitionerRole', 'organization'] as const).every((name) => owner[name] === caller[name]);
}

/** 404 for another client's, as for one that never was. */
async function ownJob(db: Queryable, { id }: FhirRequest, caller: Caller, reports: readonly JobReport[]): Promise<Reported> {
  const job = id === undefined ? undefined : await readJob(db, id);
  if (!job || job.status === 'cancelled') throw absent();
  const report = reports.find(({ type }) => type === job.type);
  if (!report) throw new Error(`nobody reports on jobs of type ${job.type}`);
  const isOwn = report.owns ? report.owns(job, caller) : (job.client === caller.client && job.role === caller.role) || caller.role === 'admin';
  if (!isOwn) throw absent();
  return { job, report };
}

const absent = (): FhirError => fail('not-found', { text: 'There is no such job: it was called off, or it is not yours' });
