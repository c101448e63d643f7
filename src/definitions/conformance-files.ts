// Our own conformance resources: every JSON file under profiles/ (but profiles/r4, HL7's, and packages of others) and terminology/.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import type { Resource } from '../fhir/resource.js';
import { packageFolders } from './packages.js';

export interface ConformanceFile {
  /** Below the package's root: `profiles/entitle/account.json`; for messages. */
  readonly file: string;
  readonly resource: Resource;
}

/**
 * In order of file name. Throws, naming the file, where one is not JSON, not a resource of R4, or has the `url` of
 * another; `isResource` knows the types.
 */
export function readConformanceFiles(root: URL, isResource: (type: string) => boolean): readonly ConformanceFile[] {
  const packages = new Set(packageFolders(new URL('profiles/', root)).map(({ href }) => href));
  const names = ['profiles/', 'terminology/'].flatMap((folder) => listFiles(root, folder, packages));
  const files = names.map((file) => ({ file, resource: readResource(root, file, isResource) }));
  const seen = new Map<string, string>();
  for (const { file, resource } of files) {
    if (typeof resource.url !== 'string') continue; // a NamingSystem has none
    const before = seen.get(resource.url);
    if (before !== undefined) throw new Error(`${before} and ${file} both define ${resource.url}. Give one another url, or delete it`);
    seen.set(resource.url, file);
  }
  return files;
}

function listFiles(root: URL, folder: string, packages: ReadonlySet<string>): readonly string[] {
  const place = new URL(folder, root);
  if (!existsSync(place) || folder === 'profiles/r4/' || packages.has(place.href)) return [];
  const entries = readdirSync(place, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    if (entry.isDirectory()) return listFiles(root, `${folder}${entry.name}/`, packages);
    return entry.name.endsWith('.json') ? [`${folder}${entry.name}`] : [];
  });
}

function readResource(root: URL, file: string, isResource: (type: string) => boolean): Resource {
  const content = parse(root, file);
  if (typeof content !== 'object' || content === null || !('resourceType' in content)) throw new Error(`${file} is not a FHIR resource: it has no resourceType`);
  const { resourceType } = content;
  if (typeof resourceType !== 'string' || !isResource(resourceType)) throw new Error(`${file} has the resourceType ${String(resourceType)}, which FHIR R4 does not know`);
  return { ...content, resourceType };
}

function parse(root: URL, file: string): unknown {
  try {
    return JSON.parse(readFileSync(new URL(file, root), 'utf8'));
  } catch (error) {
    throw new Error(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
