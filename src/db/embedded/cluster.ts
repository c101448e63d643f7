// The data directory: <dataDir>/pg<major>, made whole under another name and then renamed, so a half-made one is never started.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, chownSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Binaries } from './binaries.js';
import type { RunAs } from './run-as.js';
import { causeOf } from './server-log.js';

export const SUPERUSER = 'entitle';
const SECRET_FILE = 'entitle.secret';

/** Written to postgresql.conf once, so `alter system` and an editor can change them later. */
const SETTINGS = `
# set by entitle-fhir
shared_buffers = 256MB
max_connections = 60
work_mem = 16MB
maintenance_work_mem = 128MB
max_wal_size = 2GB
checkpoint_timeout = 10min
random_page_cost = 1.1
jit = off
fsync = on
synchronous_commit = on
password_encryption = scram-sha-256
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
`;

export interface Cluster {
  readonly directory: string;
  readonly password: string;
}

/** Makes the cluster if there is none. Throws on one of another major version and on a directory that holds something else. */
export async function openCluster(dataDir: string, directory: string, binaries: Binaries, runAs: RunAs): Promise<Cluster> {
  if (versionOf(directory) === undefined) {
    refuseOtherClusters(dataDir, binaries.major);
    await makeCluster(directory, binaries, runAs);
  }
  const version = versionOf(directory);
  if (version !== String(binaries.major)) throw wrongVersion(directory, version ?? 'an unknown version', binaries.major);
  return { directory, password: readFileSync(join(directory, SECRET_FILE), 'utf8').trim() };
}

function versionOf(directory: string): string | undefined {
  try {
    return readFileSync(join(directory, 'PG_VERSION'), 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** An empty new database beside a full old one would look like lost data. */
function refuseOtherClusters(dataDir: string, major: number): void {
  const others = readdirSync(dataDir).filter((name) => /^pg\d+$/.test(name) && versionOf(join(dataDir, name)) !== undefined);
  const other = others[0];
  if (other !== undefined) throw wrongVersion(join(dataDir, other), versionOf(join(dataDir, other)) ?? '', major);
}

function wrongVersion(directory: string, version: string, major: number): Error {
  return new Error(
    `${directory} holds data of PostgreSQL ${version}, and the PostgreSQL found here is ${major}. Nothing was changed. ` +
      `Start it with PostgreSQL ${version}, or bring the data over with pg_dump or pg_upgrade, or move the directory away to begin empty, or set DATABASE_URL.`,
  );
}

async function makeCluster(directory: string, binaries: Binaries, runAs: RunAs): Promise<void> {
  const draft = `${directory}.new-${process.pid}-${randomBytes(4).toString('hex')}`;
  const secret = `${draft}.secret`;
  try {
    mkdirSync(draft, { mode: 0o700 });
    writeFileSync(secret, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 });
    if (runAs.owner !== undefined) for (const path of [draft, secret]) chownSync(path, runAs.owner.uid, runAs.owner.gid);
    await initdb(draft, secret, binaries, runAs);
    appendFileSync(join(draft, 'postgresql.conf'), SETTINGS);
    renameSync(secret, join(draft, SECRET_FILE));
    publish(draft, directory);
  } finally {
    rmSync(draft, { recursive: true, force: true });
    rmSync(secret, { force: true });
  }
}

/** Renaming onto a directory that is not empty fails: another start was first, and its cluster is as good as ours. */
function publish(draft: string, directory: string): void {
  try {
    renameSync(draft, directory);
  } catch (error) {
    if (versionOf(directory) !== undefined) return;
    throw new Error(`${directory} is in the way: it holds no PostgreSQL data and is not empty. Move it away.`, { cause: error });
  }
}

async function initdb(draft: string, secret: string, binaries: Binaries, runAs: RunAs): Promise<void> {
  // The builtin provider came with 17; before it, "C" of libc orders and folds alike for us, who fold in TypeScript.
  const locale = binaries.major >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : [];
  const words = ['--encoding=UTF8', '--locale=C', ...locale, '--data-checksums', '--auth=scram-sha-256', `--username=${SUPERUSER}`, `--pwfile=${secret}`];
  const [command, ...rest] = [...runAs.prefix, ...binaries.prefix, binaries.initdb, ...words, '--no-instructions', '-D', draft];
  const child = spawn(command, rest, { stdio: ['ignore', 'ignore', 'pipe'], cwd: '/', ...runAs.owner });
  let complaint = '';
  child.stderr.on('data', (part: Buffer) => (complaint += part.toString()));
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code === 0) return;
  if (causeOf(complaint) === 'disk-full') throw new Error(diskFull(draft));
  throw new Error(`PostgreSQL could not be set up in ${draft}: ${complaint.trim()}`);
}

export function diskFull(directory: string): string {
  return `The disk that holds ${directory} is full. Nothing that was acknowledged is lost: free some space.`;
}
