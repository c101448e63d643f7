// Loads a code system that is too large for memory: a SNOMED CT release in RF2, or any as CSV.
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Database, Queryable } from '../../db/database.js';
import { loadCsv } from './load-csv.js';
import { loadRf2 } from './load-rf2.js';
import { publishRelease, type Release } from './release.js';
import { findRf2 } from './rf2-files.js';

export interface LoadOptions {
  /** A folder with an RF2 snapshot, or a CSV file. */
  readonly path: string;
  /** Canonical URL; SNOMED CT's for a folder. */
  readonly system?: string;
  /** For a folder made of its edition and date. */
  readonly version?: string;
  readonly name?: string;
}

export interface LoadParts {
  readonly database: Database;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Told once how many bytes there are to read. */
  readonly onStart: (bytes: number) => void;
  readonly onBytes: (count: number) => void;
}

export interface Loaded extends Release {
  readonly concepts: number;
}

interface Source extends Release {
  readonly bytes: number;
  read(tx: Queryable, load: number, onBytes: (count: number) => void): Promise<void>;
}

const SNOMED = 'http://snomed.info/sct';
const INTERNATIONAL = '900000000000207008';
const UNITED_KINGDOM = '83821000000107';

/** All or nothing, in one transaction; a release of the same system and version is replaced. Throws words for the operator. */
export async function loadTerminology(options: LoadOptions, { database, now, onStart, onBytes }: LoadParts): Promise<Loaded> {
  const source = sourceOf(options);
  onStart(source.bytes);
  const concepts = await database.transaction(async (tx) => {
    // Loads wait for each other: the moment is the name of one.
    const { rows: [newest] } = await tx.query<{ load: number | null }>({ text: 'lock table fhir.code_system_release in share row exclusive mode; select max(load) as load from fhir.code_system_release', values: [] });
    const load = Math.max(now, (newest?.load ?? 0) + 1);
    await source.read(tx, load, onBytes);
    return publishRelease(tx, source, load);
  });
  return { system: source.system, version: source.version, name: source.name, concepts };
}

function sourceOf({ path, system, version, name }: LoadOptions): Source {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw new Error(`There is nothing at ${path}`);
  if (found.isDirectory()) {
    const files = findRf2(path);
    const edition = files.british ? UNITED_KINGDOM : INTERNATIONAL;
    return {
      system: system ?? SNOMED,
      version: version ?? `${SNOMED}/${edition}/version/${files.date}`,
      name: name ?? 'SNOMED CT',
      bytes: files.bytes,
      read: (tx, load, onBytes) => loadRf2(tx, files, load, onBytes),
    };
  }
  if (system === undefined || version === undefined) throw new Error(`${basename(path)} does not say what it is: give --system and --version`);
  return { system, version, name: name ?? basename(path).replace(/\.[^.]*$/, ''), bytes: found.size, read: (tx, load, onBytes) => loadCsv(tx, path, load, onBytes) };
}
