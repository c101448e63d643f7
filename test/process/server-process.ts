// A server in a process of its own, started the way a person starts it.
import { type ChildProcess, execFile, spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

export const PACKAGE = join(__dirname, '../..');
const READY_MS = 180_000;
const STOP_MS = 20_000;

export interface ServerProcess {
  readonly child: ChildProcess;
  /** Of the FHIR service, as the banner says it. */
  readonly base: string;
  /** All it wrote so far, stdout and stderr. */
  output(): string;
  /** The exit code, or the name of the signal that ended it; rejects when it goes on for more than 20 s. */
  exited(): Promise<number | string>;
}

export interface StartOptions {
  readonly dataDir: string;
  /** Default: `npm start` without npm. */
  readonly command?: readonly [string, ...string[]];
  readonly folder?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** uid and gid, or detached (a process group of its own). */
  readonly spawn?: Pick<SpawnOptions, 'uid' | 'gid' | 'detached'>;
}

/** A new folder that does not exist yet, inside one that is removed at the end. */
export async function temporaryFolder(owner?: number): Promise<{ path: string; remove(): Promise<void> }> {
  const parent = await mkdtemp(join(tmpdir(), 'entitle-'));
  if (owner !== undefined) await chown(parent, owner, owner);
  return { path: join(parent, 'data'), remove: () => rm(parent, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }) };
}

/** Resolves when the banner has been printed. */
export async function startServer(options: StartOptions): Promise<ServerProcess> {
  const [file, ...args] = options.command ?? [process.execPath, 'scripts/run.mjs', 'serve'];
  const child = spawn(file, args, {
    cwd: options.folder ?? PACKAGE,
    env: { ...environmentWithoutSettings(), PORT: '0', DATA_DIR: options.dataDir, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options.spawn,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const base = await bannerBase(child, () => output);
  return { child, base, output: () => output, exited: () => exitOf(child, () => output) };
}

async function bannerBase(child: ChildProcess, output: () => string): Promise<string> {
  const end = Date.now() + READY_MS;
  while (Date.now() < end) {
    await sleep(20);
    const base = /FHIR R4 service\s+(http\S+)/.exec(output())?.[1];
    if (base !== undefined) return base;
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`The server ended before it was ready:\n${output()}`);
  }
  child.kill('SIGKILL');
  throw new Error(`The server was not ready after ${READY_MS} ms:\n${output()}`);
}

async function exitOf(child: ChildProcess, output: () => string): Promise<number | string> {
  if (child.exitCode === null && child.signalCode === null) {
    const inTime = await Promise.race([once(child, 'exit').then(() => true), sleep(STOP_MS, false, { ref: false })]);
    if (!inTime) throw new Error(`The server did not stop within ${STOP_MS} ms:\n${output()}`);
  }
  return child.exitCode ?? child.signalCode ?? '';
}

/** Is a PostgreSQL of this data directory still running? Its postmaster.pid names it. */
export function databaseRuns(dataDir: string): boolean {
  const file = join(dataDir, 'pg18/postmaster.pid');
  if (!existsSync(file)) return false;
  try {
    process.kill(Number(readFileSync(file, 'utf8').split('\n')[0]), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Compiles, so that nothing after it waits for that. */
export async function build(): Promise<void> {
  const { code, stderr } = await runFile(process.execPath, ['scripts/build.mjs']);
  if (code !== 0) throw new Error(stderr);
}

/** Runs the command line to its end. */
export async function runCommand(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ran> {
  return runFile(process.execPath, ['scripts/run.mjs', ...args], { environment });
}

export async function runFile(file: string, args: readonly string[], options: { folder?: string; environment?: Readonly<Record<string, string>> } = {}): Promise<Ran> {
  const settings = { cwd: options.folder ?? PACKAGE, env: { ...environmentWithoutSettings(), ...options.environment }, maxBuffer: 64 * 1024 * 1024 };
  try {
    return { code: 0, ...(await promisify(execFile)(file, args, settings)) };
  } catch (error) {
    const { code, stdout, stderr } = error as Ran & { code: unknown };
    if (typeof code !== 'number') throw error;
    return { code, stdout, stderr };
  }
}

export async function tokenFor(role: string, dataDir: string): Promise<string> {
  const { code, stdout, stderr } = await runCommand(['token', '--role', role], { DATA_DIR: dataDir });
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
}

/** What the tests' own surroundings set must not reach the server. */
function environmentWithoutSettings(): NodeJS.ProcessEnv {
  const settings = /^(PORT|HOST|DATA_DIR|DATABASE_\w+|BASE_PATH|PUBLIC_URL|AUTH_\w+|CLOCK_OFFSET_MS|LOG_LEVEL|NONE_POLICY|BODY_LIMIT_BYTES|NODE_ENV|NODE_OPTIONS|npm_\w+)$/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !settings.test(name) || /^npm_config_(cache|registry|userconfig)$/i.test(name)));
}
