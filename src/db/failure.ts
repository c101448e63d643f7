// What PostgreSQL's failures mean to us. https://www.postgresql.org/docs/current/errcodes-appendix.html

/** Serialisation failure, deadlock, connection failure, shut down by the administrator, read-only after a failover: the same work may succeed anew. */
const RETRIED = new Set(['40001', '40P01', '08006', '57P01', '25006']);

/** SQLSTATEs and system error codes that say the server, or the way to it, is not there at the moment. */
const UNAVAILABLE = new Set([
  ...['08000', '08001', '08003', '08004', '08006', '53300', '57P01', '57P02', '57P03'],
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOENT', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTFOUND', 'EAI_AGAIN'],
]);

/** pg gives these no code. */
const LOST = /^Connection terminated|^Client has encountered a connection error|^timeout exceeded when trying to connect|^Query read timeout/;

/** SQLSTATE of an error PostgreSQL answered, or the system's code; undefined for anything else. */
export function codeOf(error: unknown): string | undefined {
  return textOf(error, 'code');
}

/** A statement before it in the transaction had failed. */
export const isAftermath = (error: unknown): boolean => codeOf(error) === '25P02';

/** The server could not be reached, or went away before it answered: whether a write was done is not known. */
export function isUnavailable(error: unknown): boolean {
  const code = codeOf(error);
  return code === undefined ? LOST.test(textOf(error, 'message') ?? '') : UNAVAILABLE.has(code);
}

/** A statement that waited judged rows as they were before, though they are otherwise now: thrown, the transaction is run again as a whole. */
export class Outdated extends Error {
  readonly code = '40001';

  /** `refusal` is thrown where it was so each time. */
  constructor(readonly refusal: Error) {
    super(`Not any more: ${refusal.message}`);
  }
}

/** A transaction that failed so is run again as a whole. */
export function isRetried(error: unknown): boolean {
  return RETRIED.has(codeOf(error) ?? '') || isUnavailable(error);
}

/** The disk or memory of the server is full (class 53): reads may go on. */
export function isOutOfResources(error: unknown): boolean {
  return codeOf(error)?.startsWith('53') ?? false;
}

/** Another transaction held a row for longer than lock_timeout. */
export function isLockTimeout(error: unknown): boolean {
  return codeOf(error) === '55P03';
}

/** The statement took longer than the server waits, and was called off. */
export function isOutOfTime(error: unknown): boolean {
  return codeOf(error) === '57014';
}

/** What a statement raises to be refused as a whole. */
export function isDividedByZero(error: unknown): boolean {
  return codeOf(error) === '22012';
}

/** A row with this key is there already. */
export function isUniqueViolation(error: unknown): boolean {
  return codeOf(error) === '23505';
}

/** A constraint of the database refused a row (class 23). */
export function isRefusedRow(error: unknown): boolean {
  return codeOf(error)?.startsWith('23') ?? false;
}

/** Not by instanceof: an error of the system may be of another realm than ours. */
function textOf(error: unknown, member: 'code' | 'message'): string | undefined {
  const text = typeof error === 'object' && error !== null ? (error as Record<string, unknown>)[member] : undefined;
  return typeof text === 'string' ? text : undefined;
}
