// The server's own log file, and what its last words mean. Messages are in English: lc_messages is C.
import { closeSync, openSync, readSync, renameSync, statSync } from 'node:fs';

const LONGEST_BYTES = 10 * 1024 * 1024;
const TAIL_BYTES = 4096;

/** Why a start failed, as far as it changes what is done next. */
export type Cause = 'port-busy' | 'still-running' | 'disk-full' | 'other';

const CAUSES: readonly (readonly [Cause, RegExp])[] = [
  ['disk-full', /No space left on device|Check free disk space/],
  ['still-running', /pre-existing shared memory block .* is still in use|lock file "postmaster\.pid" already exists/],
  ['port-busy', /Address already in use|could not create any TCP\/IP sockets|lock file ".*\.s\.PGSQL\.\d+\.lock" already exists/],
];

export function causeOf(words: string): Cause {
  return CAUSES.find(([, pattern]) => pattern.test(words))?.[0] ?? 'other';
}

/** Opens the log for a server to write to; a long one is kept as `<path>.1`. */
export function openServerLog(path: string): number {
  if (sizeOf(path) > LONGEST_BYTES) renameSync(path, `${path}.1`);
  return openSync(path, 'a', 0o600);
}

/** Bytes written so far. */
export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** What was written after `offset` bytes, at most its last 4 KiB. */
export function readSince(path: string, offset: number): string {
  const end = sizeOf(path);
  const start = Math.max(Math.min(offset, end), end - TAIL_BYTES);
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(end - start);
    readSync(file, bytes, 0, bytes.length, start);
    return bytes.toString('utf8').trim();
  } finally {
    closeSync(file);
  }
}
