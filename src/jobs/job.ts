// A job: work that goes on after its request was answered, kept in a row, so that it outlives the process.

export type JobStatus = 'receiving' | 'queued' | 'running' | 'done' | 'failed' | 'cancelled';

export interface Job {
  readonly id: string;
  /** Which kind of work it is: JobKind.type. */
  readonly type: string;
  readonly status: JobStatus;
  /** Whose it is: client and role of the token that asked for it. */
  readonly client: string;
  readonly role: string;
  /** JSON texts: what was asked for, how far it is, and what came of it. */
  readonly request: string;
  readonly progress: string;
  readonly result: string | undefined;
  /** How much of `size` is done, in the kind's own measure. */
  readonly position: number;
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly updated: number;
}
