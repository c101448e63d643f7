// Compiles src to dist when dist was not made of exactly these sources; otherwise says and does nothing.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIST = join(ROOT, 'dist');
const STAMP = join(DIST, '.built');
const INPUTS = ['src', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];

/** Names of all files under a folder, with `/`, relative to it. */
function files(folder, prefix = '') {
  return readdirSync(join(folder, prefix), { withFileTypes: true }).flatMap((entry) => {
    const name = prefix + entry.name;
    return entry.isDirectory() ? files(folder, `${name}/`) : [name];
  });
}

/** Changes with the name, time or length of any input. Times are compared for equality only, so a wrong clock does no harm. */
function fingerprint() {
  const names = INPUTS.flatMap((input) => (input === 'src' ? files(ROOT, 'src/') : [input]));
  const lines = names.map((name) => {
    const { mtimeMs, size } = statSync(join(ROOT, name));
    return `${name} ${mtimeMs} ${size}`;
  });
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}

function builtFrom() {
  try {
    return readFileSync(STAMP, 'utf8');
  } catch {
    return undefined;
  }
}

function compiler() {
  try {
    return createRequire(import.meta.url).resolve('typescript/lib/tsc.js');
  } catch {
    return undefined;
  }
}

/** Messages go to stderr: stdout belongs to the command that comes after (`npm run -s token`). */
function compile(tsc, outDir) {
  const { status } = spawnSync(process.execPath, [tsc, '-p', join(ROOT, 'tsconfig.build.json'), '--outDir', outDir, '--noEmitOnError'], { stdio: ['ignore', 2, 2] });
  return status === 0;
}

/** File by file, each replaced in one step: a start or a second build at the same moment never sees half a file. */
function moveInto(dist, made) {
  const names = files(made);
  for (const name of names) {
    mkdirSync(dirname(join(dist, name)), { recursive: true });
    renameSync(join(made, name), join(dist, name));
  }
  const left = readdirSync(dist).filter((name) => !name.startsWith('.')).flatMap((name) => (statSync(join(dist, name)).isDirectory() ? files(dist, `${name}/`) : [name]));
  for (const name of left) if (!names.includes(name)) rmSync(join(dist, name), { force: true });
}

function build(tsc, stamp) {
  const made = join(DIST, `.new-${process.pid}`);
  console.error('Compiling …');
  try {
    if (!compile(tsc, made)) return 1;
    moveInto(DIST, made);
    writeFileSync(STAMP, stamp);
    return 0;
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

function run() {
  const built = builtFrom();
  const stamp = fingerprint();
  if (built === stamp) return 0;
  const tsc = compiler();
  if (tsc !== undefined) return build(tsc, stamp);
  // An install without development dependencies (npm ci --omit=dev) runs what was built before.
  if (built !== undefined) return 0;
  console.error('dist is missing and TypeScript is not installed: run npm ci');
  return 1;
}

process.exitCode = run();
