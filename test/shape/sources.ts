// The source files as the shape tests see them: text, imports, and the room each belongs to.
import { readFileSync, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';

const ROOT = join(__dirname, '../..');

export interface Source {
  /** From the package root: `src/search/query.ts`. */
  readonly path: string;
  readonly text: string;
  /** Of our own files, as paths like the above. */
  readonly imports: readonly string[];
  /** Of packages, by their first part: `fastify`, `node:fs`. */
  readonly packages: readonly string[];
}

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** All files under a folder of the package whose name matches. */
export function filesUnder(folder: string, name: RegExp): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((file) => posix.join(folder, file.replaceAll('\\', '/'))).filter((file) => name.test(file)).sort();
}

export function readSources(folder: string): Source[] {
  return filesUnder(folder, /\.ts$/).map((path) => {
    const text = readText(path);
    const names = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
    return {
      path,
      text,
      imports: names.filter((name) => name.startsWith('.')).map((name) => posix.join(posix.dirname(path), name).replace(/\.js$/, '.ts')),
      packages: names.filter((name) => !name.startsWith('.')),
    };
  });
}
