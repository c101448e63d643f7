// Bring a server up on a cluster: adopt the one that runs, or start one and see it through its first moments.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../log.js';
import type { Binaries } from './binaries.js';
import { type Cluster, diskFull } from './cluster.js';
import { findPostmaster, type Postmaster, refuseForeignServer } from './postmaster.js';
import type { RunAs } from './run-as.js';
import { type Cause, causeOf, openServerLog, readSince, sizeOf } from './server-log.js';

const POLL_MS = 10;
/** How long backends of a killed server, or another start, may stand in the way. */
const PATIENCE_MS = 30_000;
const LEAST_FREE_BYTES = 64 * 1024;
/** `<directory>/.s.PGSQL.65535` must fit the 107 bytes of a socket address on Linux, 103 on macOS. */
const LONGEST_SOCKET_PATH = 100;

export interface ServerPlan {
  readonly cluster: Cluster;
  readonly binaries: Binaries;
  readonly runAs: RunAs;
  readonly logFile: string;
  /** Settings on the command line, above those of postgresql.conf. */
  readonly settings: Readonly<Record<string, string>>;
  readonly log: Log;
}

/** A ready server, on a port that `choosePort` gives; it is asked again if that one is taken. */
export async function startServer(plan: ServerPlan, choosePort = freePort): Promise<Postmaster> {
  const deadline = Date.now() + PATIENCE_MS;
  let reported: Cause | undefined;
  for (;;) {
    const running = await adopt(plan);
    if (running !== undefined) return running;
    await refuseForeignServer(plan.cluster.directory);
    const started = await launch(plan, await choosePort());
    if (typeof started !== 'string') return started;
    const cause = isFull(plan.cluster.directory) ? 'disk-full' : causeOf(started);
    if (cause === 'disk-full') throw new Error(diskFull(plan.cluster.directory));
    if (cause === 'other' || Date.now() > deadline) {
      throw new Error(`PostgreSQL did not start in ${plan.cluster.directory}: ${started} (more in ${plan.logFile})`);
    }
    if (cause !== reported) plan.log.info({ cause }, 'PostgreSQL could not start yet: trying again');
    reported = cause;
    await sleep(50);
  }
}

/** The server that already runs, once it is ready; undefined if there is none, or it is going away. */
async function adopt(plan: ServerPlan): Promise<Postmaster | undefined> {
  for (;;) {
    const running = findPostmaster(plan.cluster.directory);
    if (running === undefined || running.status === 'ready') return running;
    await sleep(POLL_MS);
  }
}

/** The server when it is ready, or its last words. */
async function launch(plan: ServerPlan, port: number): Promise<Postmaster | string> {
  const logFd = openServerLog(plan.logFile);
  const offset = sizeOf(plan.logFile);
  const [command = '', ...words] = [...plan.runAs.prefix, ...plan.binaries.prefix, plan.binaries.postgres, ...serverWords(plan, port)];
  // Detached, so that a Ctrl-C on our terminal reaches only us, who let requests finish first.
  const child = spawn(command, words, { detached: true, stdio: ['ignore', logFd, logFd], cwd: '/', ...plan.runAs.owner });
  child.unref();
  closeSync(logFd);
  const ended = endOf(child);
  for (;;) {
    const failure = await Promise.race([ended, sleep(POLL_MS)]);
    if (failure !== undefined) return `${failure} ${readSince(plan.logFile, offset)}`;
    const running = findPostmaster(plan.cluster.directory);
    if (running?.pid === child.pid && running?.status === 'ready') return running;
  }
}

/** A server without room for a word in its log can't say why it ends. */
function isFull(directory: string): boolean {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize < LEAST_FREE_BYTES;
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`It ended with ${signal ?? `code ${code}`}.`));
  });
}

function serverWords(plan: ServerPlan, port: number): string[] {
  const { directory } = plan.cluster;
  const settings = { listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: socketDir(directory), ...plan.settings };
  return ['-D', directory, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** The data directory itself, which is closed to others; none on Windows or where the path is too long. */
function socketDir(directory: string): string {
  const fits = Buffer.byteLength(`${directory}/.s.PGSQL.65535`) <= LONGEST_SOCKET_PATH;
  return fits && process.platform !== 'win32' ? directory : '';
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
