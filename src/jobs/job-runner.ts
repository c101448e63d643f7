// Works on jobs: claims one, does it piece by piece, each piece and the job's new place in one transaction, and goes on after any stop.
import type { Database } from '../db/database.js';
import { isLockTimeout, isOutOfResources, isOutOfTime, isRetried } from '../db/failure.js';
import type { Store, Transaction } from '../store/store.js';
import type { Job } from './job.js';
import { advanceJob, claimJob, endJob, readJob, releaseJob, removeOldJobs, renewLease, saveProgress, type Worker } from './job-table.js';

/** A piece of work, prepared outside any transaction. */
export interface Piece {
  /** The job's position after it. */
  readonly end: number;
  /** Does it, and gives the job's progress after it from that before. Run again from the start when the transaction is. */
  store(tx: Transaction, progress: string): Promise<string>;
}

export interface Work {
  /** The piece after `position`; undefined at the end. Called for the next piece while one is being stored; `stale`: for one that was prepared and not true any more. */
  prepare(position: number, stale?: boolean): Promise<Piece | undefined>;
  /** In the last transaction: what came of it all. */
  finish(tx: Transaction, progress: string): Promise<{ readonly progress: string; readonly result: string }>;
}

export interface JobKind {
  readonly type: string;
  /** Takes the work up where the job stands. */
  open(job: Job): Promise<Work>;
}

/** What was prepared is not true any more: the piece is to be prepared anew. */
export class StalePiece extends Error {}

/** The work can't be done, and why in plain words: the job ends as failed. */
export class JobFault extends Error {}

/** Another works on it now, or it was cancelled. */
class JobLost extends Error {}

export interface RunnerParts {
  readonly database: Database;
  readonly store: Pick<Store, 'transaction'>;
  readonly kinds: readonly JobKind[];
  readonly clock: () => number;
  /** Names this process. */
  readonly owner: string;
  readonly onFailure: (error: unknown) => void;
  /** How long what came of a job is kept, in milliseconds; 30 days where nothing is said. */
  readonly keptMs?: number;
}

/** Longer than any piece takes: a worker that has not been heard of for so long is gone. */
const LEASE_MS = 10_000;
const HEARTBEAT_MS = 2_500;
/** One after the other: a piece that takes longer by itself would be tried for ever. */
const MOST_HELD_UP = 10;
const HOUR_MS = 3_600_000;
const RECEIVED_MS = 24 * HOUR_MS;
const KEPT_MS = 30 * 24 * HOUR_MS;

export interface JobRunner {
  /** Works until no job is left or `stopped` says so; gives how many it has ended. */
  run(stopped: () => boolean): Promise<number>;
}

export function createJobRunner(parts: RunnerParts): JobRunner {
  const { database, clock, owner, kinds, keptMs = KEPT_MS } = parts;
  const worker = (): Worker => ({ owner, now: clock(), lease: clock() + LEASE_MS });
  let swept = -Infinity;
  return {
    async run(stopped) {
      if (clock() - swept > HOUR_MS) {
        swept = clock();
        await removeOldJobs(database, kinds.map(({ type }) => type), swept - RECEIVED_MS, swept - keptMs);
      }
      let ended = 0;
      while (!stopped()) {
        const job = await claimJob(database, kinds.map(({ type }) => type), worker());
        if (!job) break;
        if (await workOn(job, parts, worker, stopped)) ended += 1;
      }
      return ended;
    },
  };
}

async function workOn(job: Job, parts: RunnerParts, worker: () => Worker, stopped: () => boolean): Promise<boolean> {
  const { database, kinds, owner, onFailure } = parts;
  const beat = setInterval(() => void renewLease(database, job.id, worker()).catch(onFailure), HEARTBEAT_MS).unref();
  try {
    const kind = kinds.find(({ type }) => type === job.type);
    if (!kind) throw new Error(`nobody knows jobs of type ${job.type}`);
    return await doPieces(job, await kind.open(job), parts, worker, stopped);
  } catch (error) {
    if (error instanceof JobLost) return false;
    await afterFailure(job, error, parts, worker());
    if (isPassing(error)) throw error;
    return true;
  } finally {
    clearInterval(beat);
    await releaseJob(database, job.id, owner).catch(onFailure);
  }
}

/** True when the job has ended; false when it is to be gone on with later. */
async function doPieces(job: Job, work: Work, parts: RunnerParts, worker: () => Worker, stopped: () => boolean): Promise<boolean> {
  let { position, progress } = job;
  let next = work.prepare(position);
  let heldUp = 0;
  for (;;) {
    const piece = await next;
    if (!piece) break;
    if (stopped()) return false;
    next = work.prepare(piece.end);
    // It may fail before anyone waits for it.
    next.catch(() => undefined);
    try {
      progress = await storePiece(job.id, position, progress, piece, parts, worker);
      position = piece.end;
      heldUp = 0;
    } catch (error) {
      const again = error instanceof StalePiece || (isHeldUp(error) && ++heldUp <= MOST_HELD_UP);
      if (!again) throw error;
      await next.catch(() => undefined);
      next = work.prepare(position, true);
    }
  }
  await parts.store.transaction(async (tx) => {
    const { progress: last, result } = await work.finish(tx, progress);
    await endJob(tx.db, job.id, { status: 'done', progress: last, result }, worker());
  });
  return true;
}

async function storePiece(id: string, from: number, progress: string, piece: Piece, { store, database, owner }: RunnerParts, worker: () => Worker): Promise<string> {
  return store.transaction(async (tx) => {
    if (!(await advanceJob(tx.db, id, from, piece.end, worker()))) {
      // A COMMIT whose answer was lost has moved it already, and this is the second run.
      const now = await readJob(database.beside, id);
      if (now?.status === 'running' && now.position === piece.end) return now.progress;
      throw new JobLost(`job ${id} is not ours to go on with (${owner})`);
    }
    const after = await piece.store(tx, progress);
    await saveProgress(tx.db, id, after);
    return after;
  });
}

/** It waited for rows of another write for as long as a statement may take. */
const isHeldUp = (error: unknown): boolean => isOutOfTime(error) || isLockTimeout(error);

const isPassing = (error: unknown): boolean => isRetried(error) || isOutOfResources(error);

async function afterFailure(job: Job, error: unknown, { database, onFailure }: RunnerParts, worker: Worker): Promise<void> {
  if (isPassing(error)) return;
  if (!(error instanceof JobFault)) onFailure(error);
  const text = error instanceof JobFault ? error.message : 'The server failed at this; what was done before stays done';
  const now = await readJob(database, job.id);
  await endJob(database, job.id, { status: 'failed', progress: now?.progress ?? job.progress, result: JSON.stringify({ text }) }, worker);
}
