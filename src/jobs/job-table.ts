// The rows of jobs: made, claimed by one process at a time, moved on, ended.
import type { Queryable } from '../db/database.js';
import type { Job, JobStatus } from './job.js';

const COLUMNS = 'id, type, status, client, role, request, progress, result, position, size, created, updated';

const MAKE = {
  name: 'job-make',
  text: 'insert into fhir.job (id, type, status, client, role, request, progress, created, updated) values ($1, $2, \'receiving\', $3, $4, $5, $6, $7, $7)',
};
const QUEUE = { name: 'job-queue', text: 'update fhir.job set status = \'queued\', size = $2, updated = $3 where id = $1 and status = \'receiving\'' };
const READ = { name: 'job-read', text: `select ${COLUMNS} from fhir.job where id = $1` };
/** Those that nobody works on: new ones, and ones whose worker has not been heard of. */
const CLAIM = {
  name: 'job-claim',
  text: `update fhir.job set status = 'running', owner = $1, lease = $2, updated = $3 where id = (
      select id from fhir.job where status in ('queued', 'running') and lease < $3 and type = any($4) order by created, id limit 1 for update skip locked)
    returning ${COLUMNS}`,
};
const RENEW = { name: 'job-renew', text: 'update fhir.job set lease = $3 where id = $1 and owner = $2 and status = \'running\'' };
const RELEASE = { name: 'job-release', text: 'update fhir.job set lease = 0, owner = null where id = $1 and owner = $2 and status = \'running\'' };
const ADVANCE = {
  name: 'job-advance',
  text: 'update fhir.job set position = $4, lease = $5, updated = $6 where id = $1 and owner = $2 and position = $3 and status = \'running\'',
};
const PROGRESS = { name: 'job-progress', text: 'update fhir.job set progress = $2 where id = $1' };
const END = { name: 'job-end', text: 'update fhir.job set status = $3, progress = $4, result = $5, updated = $6, lease = 0 where id = $1 and owner = $2 and status = \'running\'' };
const CANCEL = { name: 'job-cancel', text: 'update fhir.job set status = \'cancelled\', lease = 0, updated = $2 where id = $1 and status in (\'receiving\', \'queued\', \'running\')' };
const LEAVE = { text: 'delete from fhir.job where id = $1' };
const OLD = {
  name: 'job-old',
  text: 'select id from fhir.job where type = any($3) and ((status = \'receiving\' and updated < $1) or (status in (\'done\', \'failed\', \'cancelled\') and updated < $2)) limit 100',
};
/** What hangs on a job and is of no use once it has ended; the refused lines stay as long as the job. */
const LITTER = ['delete from fhir.job_file where job = $1', 'delete from fhir.job_key where job = $1'];

type JobRow = Omit<Job, 'result'> & { readonly result: string | null };

export interface NewJob extends Pick<Job, 'id' | 'type' | 'client' | 'role' | 'request' | 'progress'> {
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export async function makeJob(db: Queryable, { id, type, client, role, request, progress, now }: NewJob): Promise<void> {
  await db.query({ ...MAKE, values: [id, type, client, role, request, progress, now] });
}

/** Its file is there whole: whoever is free may begin. False where it was called off while it was sent. */
export async function queueJob(db: Queryable, id: string, size: number, now: number): Promise<boolean> {
  const { count } = await db.query({ ...QUEUE, values: [id, size, now] });
  return count === 1;
}

export async function readJob(db: Queryable, id: string): Promise<Job | undefined> {
  const { rows } = await db.query<JobRow>({ ...READ, values: [id] });
  return rows[0] && jobOf(rows[0]);
}

export interface Worker {
  /** Names this process among all that work on the database. */
  readonly owner: string;
  /** When its lease ends, milliseconds since the epoch. */
  readonly lease: number;
  readonly now: number;
}

/** The oldest job that nobody works on, now ours; undefined where there is none. Two processes never get the same. */
export async function claimJob(db: Queryable, types: readonly string[], { owner, lease, now }: Worker): Promise<Job | undefined> {
  const { rows } = await db.query<JobRow>({ ...CLAIM, values: [owner, lease, now, types] });
  return rows[0] && jobOf(rows[0]);
}

export async function renewLease(db: Queryable, id: string, { owner, lease }: Worker): Promise<void> {
  await db.query({ ...RENEW, values: [id, owner, lease] });
}

export async function releaseJob(db: Queryable, id: string, owner: string): Promise<void> {
  await db.query({ ...RELEASE, values: [id, owner] });
}

/** Moves the job on, in the transaction of what was done. False where it was cancelled, taken over, or moved on already. */
export async function advanceJob(db: Queryable, id: string, from: number, to: number, { owner, lease, now }: Worker): Promise<boolean> {
  const { count } = await db.query({ ...ADVANCE, values: [id, owner, from, to, lease, now] });
  return count === 1;
}

export async function saveProgress(db: Queryable, id: string, progress: string): Promise<void> {
  await db.query({ ...PROGRESS, values: [id, progress] });
}

export async function endJob(db: Queryable, id: string, end: { status: Extract<JobStatus, 'done' | 'failed'>; progress: string; result: string }, { owner, now }: Worker): Promise<void> {
  const { count } = await db.query({ ...END, values: [id, owner, end.status, end.progress, end.result, now] });
  if (count === 1) await clearJob(db, id);
}

/** False where it had ended before. */
export async function cancelJob(db: Queryable, id: string, now: number): Promise<boolean> {
  const { count } = await db.query({ ...CANCEL, values: [id, now] });
  await clearJob(db, id);
  return count === 1;
}

export async function removeJob(db: Queryable, id: string): Promise<void> {
  await clearJob(db, id);
  for (const table of ['job_line', 'export_page']) await db.query({ text: `delete from fhir.${table} where job = $1`, values: [id] });
  await db.query({ ...LEAVE, values: [id] });
}

/** Jobs of these types whose file never came to its end, the sender or the server being cut off, and jobs that ended long ago. Moments in milliseconds. */
export async function removeOldJobs(db: Queryable, types: readonly string[], receivedBefore: number, endedBefore: number): Promise<void> {
  const { rows } = await db.query<{ id: string }>({ ...OLD, values: [receivedBefore, endedBefore, types] });
  for (const { id } of rows) await removeJob(db, id);
}

async function clearJob(db: Queryable, id: string): Promise<void> {
  for (const text of LITTER) await db.query({ text, values: [id] });
}

const jobOf = (row: JobRow): Job => ({ ...row, result: row.result ?? undefined });
