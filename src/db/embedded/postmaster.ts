// A running server as its pid file tells it. https://www.postgresql.org/docs/current/storage-file-layout.html
import { spawnSync } from 'node:child_process';
import { linkSync, readFileSync, readlinkSync, renameSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

/** PostgreSQL writes its pid at once; a file that stays empty so long is what a power cut left. */
const EMPTY_FOR_MS = 2_000;

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** Empty where it listens on TCP only. */
  readonly socketDir: string;
  /** `starting`, `ready`, `stopping`, `standby`; empty in the first moments. */
  readonly status: string;
}

/**
 * The server that runs on this directory, if one does. PostgreSQL itself sees through the pid file of a dead server, but not if its
 * pid is now another process's, nor if it is empty: such a file is removed.
 */
export function findPostmaster(directory: string): Postmaster | undefined {
  const path = pidFile(directory);
  const found = readPidFile(directory);
  if (found === undefined) {
    const file = statSync(path, { throwIfNoEntry: false });
    if (file?.size === 0 && Date.now() - file.mtimeMs > EMPTY_FOR_MS) rmSync(path, { force: true });
    return undefined;
  }
  if (isPostmaster(found.pid, directory)) return found;
  if (lives(found.pid)) removeStale(directory, found.pid);
  return undefined;
}

/**
 * Throws where a server that this system's process table doesn't show uses the directory: one in another container that shares the disk.
 * PostgreSQL would start a second one on the same data.
 */
export async function refuseForeignServer(directory: string): Promise<void> {
  const found = readPidFile(directory);
  if (found === undefined || isPostmaster(found.pid, directory)) return;
  if (found.socketDir === '' || !(await answers(`${found.socketDir}/.s.PGSQL.${found.port}`))) return;
  throw new Error(
    `A PostgreSQL server that can't be seen from here uses ${directory}, perhaps in another container. ` +
      'Stop it first, or give each its own data directory, or share one server by DATABASE_URL.',
  );
}

/** A postmaster's working directory is its data directory. */
export function isPostmaster(pid: number, directory: string): boolean {
  if (process.platform === 'win32') return lives(pid);
  if (process.platform !== 'linux') return commandOf(pid).includes(directory);
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === directory;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') return false;
    return readIfThere(`/proc/${pid}/cmdline`)?.split('\0').includes(directory) ?? false;
  }
}

/** Whether there is a process of this id, ours or not. */
export function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
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
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** Another process may have put a live server's file in its place since we read it: move it aside, look again, and put that one back. */
function removeStale(directory: string, pid: number): void {
  const aside = `${pidFile(directory)}.stale-${process.pid}`;
  renameSync(pidFile(directory), aside);
  if (Number(readFileSync(aside, 'utf8').split('\n')[0]) !== pid) linkSync(aside, pidFile(directory));
  rmSync(aside, { force: true });
}

function commandOf(pid: number): string {
  return spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout;
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const client = connect(socket);
    const say = (answer: boolean) => () => {
      client.destroy();
      resolve(answer);
    };
    client.once('connect', say(true)).once('error', say(false));
  });
}
