// A running server as its pid file tells it. https://www.postgresql.org/docs/current/storage-file-layout.html
import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** Empty where it listens on TCP only. */
  readonly socketDir: string;
  /** `starting`, `ready`, `stopping`, `standby`; empty in the first moments. */
  readonly status: string;
}

/** The server that runs on this directory, if one does. A pid file that a dead server left is removed, even if its pid is now another process's. */
export function findPostmaster(directory: string): Postmaster | undefined {
  const found = readPidFile(directory);
  if (found === undefined) return undefined;
  if (isPostmaster(found.pid, directory)) return found;
  // PostgreSQL would believe a reused pid. It still finds backends that live on, by their shared memory.
  rmSync(pidFile(directory), { force: true });
  return undefined;
}

function pidFile(directory: string): string {
  return join(directory, 'postmaster.pid');
}

function readPidFile(directory: string): Postmaster | undefined {
  const lines = readIfThere(pidFile(directory))?.split('\n');
  const pid = Number(lines?.[0]);
  if (lines === undefined || !Number.isInteger(pid) || pid <= 0) return undefined;
  return { pid, port: Number(lines[3] ?? 0), socketDir: lines[4] ?? '', status: (lines[7] ?? '').trim() };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A postmaster's working directory is its data directory. */
export function isPostmaster(pid: number, directory: string): boolean {
  if (process.platform !== 'linux') return commandOf(pid).includes(directory);
  try {
    return readlinkSync(`/proc/${String(pid)}/cwd`) === directory;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') return false;
    return readIfThere(`/proc/${String(pid)}/cmdline`)?.split('\0').includes(directory) ?? false;
  }
}

function commandOf(pid: number): string {
  if (process.platform === 'win32') return '';
  return spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout;
}
