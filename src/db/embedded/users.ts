// The processes that use one embedded server, a file each, so that the last to leave stops it and no one stops it under another.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lives } from './postmaster.js';

const LEAVING = '.leaving';
let made = 0;

export interface User {
  /** Runs `stop` if nobody else uses the server, else does nothing. */
  leave(stop: () => Promise<void>): Promise<void>;
}

/**
 * Enters this process in the list, and waits for one that is just leaving: whoever leaves first says so and then looks for others, whoever
 * comes first enters and then looks for leavers, so at least one of the two sees the other.
 */
export async function enter(directory: string): Promise<User> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, `${process.pid}.${startOf(process.pid)}.${made++}`);
  writeFileSync(path, '');
  while (living(directory).some((name) => name.endsWith(LEAVING))) await sleep(20);
  return { leave: (stop) => leave(directory, path, stop) };
}

async function leave(directory: string, path: string, stop: () => Promise<void>): Promise<void> {
  renameSync(path, `${path}${LEAVING}`);
  try {
    if (living(directory).every((name) => name.endsWith(LEAVING))) await stop();
  } finally {
    rmSync(`${path}${LEAVING}`, { force: true });
  }
}

/** The files of processes that live; those of the dead are removed. */
function living(directory: string): string[] {
  return readdirSync(directory).filter((name) => {
    const [pid = '', start = ''] = name.split('.');
    const here = startOf(Number(pid)) === start;
    if (!here) rmSync(join(directory, name), { force: true });
    return here;
  });
}

/** When the process started, which tells it from a later one of the same pid; `gone` if it doesn't live. Only Linux tells; elsewhere `0`. */
function startOf(pid: number): string {
  if (process.platform !== 'linux') return lives(pid) ? '0' : 'gone';
  try {
    // The second field, the command, may hold spaces and brackets.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
    return fields[0] === 'Z' ? 'gone' : (fields[19] ?? '0');
  } catch {
    return 'gone';
  }
}
