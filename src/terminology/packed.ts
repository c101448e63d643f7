// HL7's code systems, value sets and concept maps, read when the first question of terminology comes.
// Written by scripts/pack-terminology.mjs: one resource a line, found by its URL, parsed when asked for.
import { readFileSync } from 'node:fs';
import type { Resource } from '../fhir/resource.js';

export type TerminologyType = 'CodeSystem' | 'ValueSet' | 'ConceptMap';

export interface Packed {
  find(type: TerminologyType, url: string): Resource | undefined;
  all(type: TerminologyType): readonly Resource[];
}

const TAB = 9;
const NEWLINE = 10;

/** `root` is the folder of the package, ending in a slash; `own` are our resources, which go before HL7's. */
export function openPacked(root: URL, own: readonly Resource[]): Packed {
  const ours = new Map<string, Resource>(own.flatMap((resource) => (typeof resource.url === 'string' ? [[`${resource.resourceType} ${resource.url}`, resource] as const] : [])));
  let opened: ReadonlyMap<string, () => Resource> | undefined;
  const lines = (): ReadonlyMap<string, () => Resource> => (opened ??= openLines(new URL('profiles/r4/terminology.ndjson', root)));
  const find = (key: string): Resource | undefined => ours.get(key) ?? lines().get(key)?.();
  return {
    find: (type, url) => find(`${type} ${url}`),
    all: (type) => {
      const keys = new Set([...ours.keys(), ...lines().keys()].filter((key) => key.startsWith(`${type} `)));
      return [...keys].flatMap((key) => find(key) ?? []);
    },
  };
}

function openLines(file: URL): ReadonlyMap<string, () => Resource> {
  const bytes = readFileSync(file);
  const found = new Map<string, () => Resource>();
  for (let start = 0; start < bytes.length;) {
    const tab = bytes.indexOf(TAB, start);
    const end = bytes.indexOf(NEWLINE, tab);
    let parsed: Resource | undefined;
    found.set(bytes.toString('utf8', start, tab), () => (parsed ??= JSON.parse(bytes.toString('utf8', tab + 1, end)) as Resource));
    start = end + 1;
  }
  return found;
}
