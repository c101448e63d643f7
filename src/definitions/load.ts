// Loads HL7's definitions and our own into the tables every other room asks. Synchronous: it happens once, at start.
import { pathToFileURL } from 'node:url';
import { codesOf } from './codes.js';
import { readConformanceFiles } from './conformance-files.js';
import { extensionRules } from './extension-rules.js';
import type { Definitions } from './model.js';
import { readOwnSearch } from './own-search.js';
import { readPacked, wordsOf, type PackedDefinitions } from './packed.js';
import { searchTables, unpackSearch } from './search-tables.js';
import { typeTables } from './type-tables.js';

export interface LoadOptions {
  /** Folder that holds `profiles/` and `terminology/`; this package's own when absent. */
  readonly root?: string;
  /** False leaves our own conformance resources out: HL7's alone. */
  readonly profiles?: boolean;
}

const FROZEN = Object.freeze({ generation: 0, revision: 0 });

/** Throws an Error that names the file where one is missing, broken, or contradicts another. */
export function loadDefinitions({ root, profiles = true }: LoadOptions = {}): Definitions {
  const place = root === undefined ? new URL('../../', import.meta.url) : pathToFileURL(`${root}/`);
  const packed = readPacked(place);
  const types = typeTables(packed);
  const isResource = (type: string): boolean => types.isResource(type);
  const files = profiles ? readConformanceFiles(place, isResource) : [];
  const own = Object.freeze(files.map(({ resource }) => resource));
  const parameters = [...packed.search.map(unpackSearch), ...readOwnSearch(files, isResource)];
  const search = searchTables(parameters, types);
  const compartments = compartmentTables(packed);
  const extensions = extensionRules(packed, own);
  return Object.freeze({
    ...types,
    searchParameters: (type: string) => search.get(type) ?? new Map(),
    searchVersion: () => FROZEN,
    codes: codesOf(packed, own),
    extension: (url: string) => extensions.get(url),
    compartment: (name: string) => compartments.get(name) ?? new Map(),
    conformanceResources: own,
  });
}

function compartmentTables(packed: PackedDefinitions): ReadonlyMap<string, ReadonlyMap<string, readonly string[]>> {
  return new Map(Object.entries(packed.compartments).map(([name, members]) => {
    return [name, new Map(Object.entries(members).map(([type, codes]) => [type, wordsOf(codes)]))];
  }));
}
