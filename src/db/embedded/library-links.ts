// The package's shared libraries need links (libpq.so.5 -> libpq.so.5.18) that only its install script makes: make the missing ones ourselves.
import { lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';

interface Link {
  /** Paths relative to the package: the file, and the link that is to point at it. */
  readonly source: string;
  readonly target: string;
}

/** Links are made in the package, or, where it is read-only, in `linkDir`: the library path that is then needed is returned. */
export function libraryPath(packageRoot: string, linkDir: string): string | undefined {
  const missing = listedLinks(packageRoot).filter((link) => !exists(join(packageRoot, link.target)));
  try {
    for (const { source, target } of missing) makeLink(basename(source), join(packageRoot, target));
    return undefined;
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes(codeOf(error))) throw error;
  }
  mkdirSync(linkDir, { recursive: true });
  for (const { source, target } of missing) {
    const link = join(linkDir, basename(target));
    // One from an earlier start may point at a package that has moved since.
    if (exists(link) && readlinkSync(link) !== join(packageRoot, source)) rmSync(link, { force: true });
    makeLink(join(packageRoot, source), link);
  }
  // A library found through a link looks for others beside the link.
  return `${linkDir}:${join(packageRoot, 'native', 'lib')}`;
}

function listedLinks(packageRoot: string): readonly Link[] {
  try {
    return JSON.parse(readFileSync(join(packageRoot, 'native', 'pg-symlinks.json'), 'utf8')) as Link[];
  } catch (error) {
    // The packages for systems without such links have no list.
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Another process may be making the same link at this moment. */
function makeLink(to: string, path: string): void {
  try {
    symlinkSync(to, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}
