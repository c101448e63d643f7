// Where tests put data they throw away: in memory, where there is room for it.
import { existsSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

const MEMORY = '/dev/shm';
/** A clone of the template takes 20 MB; containers often have 64 MB here. */
const LEAST_FREE_BYTES = 2 * 1024 ** 3;

export function scratchDirectory(): string {
  if (!existsSync(MEMORY)) return tmpdir();
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize < LEAST_FREE_BYTES ? tmpdir() : MEMORY;
}
