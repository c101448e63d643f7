// FHIR packages of others (UK Core) that lie in profiles/: a folder with a package.json, itself or in package/. Looked into only
// when something asks for what is not known otherwise, so that they cost nothing at start. https://hl7.org/fhir/R4/packages.html
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { JsonValue, Resource } from '../fhir/resource.js';
import { codesOf, type Codes } from './codes.js';

export interface Packages {
  /** The StructureDefinition with this URL (without version); undefined where no package has it. */
  structure(url: string): Resource | undefined;
  /** The first resource of the type with this URL (without version). */
  find(type: PackageType, url: string): Resource | undefined;
  all(type: PackageType): readonly Resource[];
  /** Members of a value set, as Definitions.codes gives them; undefined where the packages can't list it. */
  codes(valueSet: string): Codes | undefined;
}

export type PackageType = 'StructureDefinition' | 'ValueSet' | 'CodeSystem' | 'ConceptMap';

interface Indexed {
  readonly resourceType: string;
  readonly file: URL;
}

/** `root`: the folder that holds `profiles/`; this package's own when absent. Errors in a package's files are thrown when they are first asked for, naming the file. */
export function openPackages(root?: string): Packages {
  const profiles = new URL('profiles/', root === undefined ? new URL('../../', import.meta.url) : pathToFileURL(`${root}/`));
  let index: ReadonlyMap<string, Indexed> | undefined;
  const indexed = (): ReadonlyMap<string, Indexed> => (index ??= indexOf(packageFolders(profiles)));
  const read = new Map<Indexed, Resource>();
  const readOnce = (one: Indexed): Resource => {
    const resource = read.get(one) ?? readResource(one.file);
    read.set(one, resource);
    return resource;
  };
  const find = (type: PackageType, url: string): Resource | undefined => {
    const found = indexed().get(url);
    return found?.resourceType === type ? readOnce(found) : undefined;
  };
  let list: ((valueSet: string) => Codes | undefined) | undefined;
  return {
    structure: (url) => find('StructureDefinition', url),
    find,
    all: (type) => [...indexed().values()].filter(({ resourceType }) => resourceType === type).map(readOnce),
    codes: (valueSet) => {
      if (!indexed().has(valueSet.replace(/\|.*$/, ''))) return undefined;
      list ??= codesOf(NOTHING, [...indexed().values()].filter(({ resourceType }) => resourceType === 'ValueSet' || resourceType === 'CodeSystem').map(readOnce));
      return list(valueSet);
    },
  };
}

const NOTHING = { systems: {}, valueSets: {} };

/** Where the JSON files of each package lie. */
export function packageFolders(profiles: URL): readonly URL[] {
  if (!existsSync(profiles)) return [];
  const folders = readdirSync(profiles, { withFileTypes: true }).filter((entry) => entry.isDirectory() && entry.name !== 'r4');
  return folders.flatMap(({ name }) => {
    const folder = new URL(`${encodeURIComponent(name)}/`, profiles);
    return [folder, new URL('package/', folder)].filter((one) => existsSync(new URL('package.json', one)));
  });
}

const KINDS = new Set(['StructureDefinition', 'ValueSet', 'CodeSystem', 'ConceptMap']);

/** By the package's own index where it has one, else by reading every file; the first of two with one URL stands. */
function indexOf(folders: readonly URL[]): ReadonlyMap<string, Indexed> {
  const index = new Map<string, Indexed>();
  for (const folder of folders) {
    for (const { resourceType, url, file } of filesOf(folder)) {
      if (KINDS.has(resourceType) && !index.has(url)) index.set(url, { resourceType, file });
    }
  }
  return index;
}

function filesOf(folder: URL): readonly (Indexed & { readonly url: string })[] {
  const listing = new URL('.index.json', folder);
  if (existsSync(listing)) {
    const { files } = readJson(listing) as { files?: JsonValue };
    return (Array.isArray(files) ? files : []).flatMap((one) => entryOf(one, (one as { filename?: string }).filename, folder));
  }
  const names = readdirSync(folder).filter((name) => name.endsWith('.json') && name !== 'package.json' && !name.startsWith('.')).sort();
  return names.flatMap((name) => entryOf(readJson(new URL(encodeURIComponent(name), folder)), name, folder));
}

function entryOf(content: JsonValue, name: string | undefined, folder: URL): (Indexed & { readonly url: string })[] {
  if (typeof content !== 'object' || content === null || Array.isArray(content) || name === undefined) return [];
  const { resourceType, url } = content;
  return typeof resourceType === 'string' && typeof url === 'string' ? [{ resourceType, url, file: new URL(encodeURIComponent(name), folder) }] : [];
}

const readResource = (file: URL): Resource => readJson(file) as Resource;

function readJson(file: URL): JsonValue {
  try {
    return JSON.parse(readFileSync(file, 'utf8').replace(/^\ufeff/, '')) as JsonValue;
  } catch (error) {
    throw new Error(`${file.pathname} is not JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
