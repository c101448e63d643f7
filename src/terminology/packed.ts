// HL7's code systems, value sets and concept maps, read when the first question of terminology comes.
// Written by scripts/pack-terminology.mjs: one resource a line, found by its URL, parsed when asked for.
import { readFileSync } from 'node:fs';
import type { Resource } from '../fhir/resource.js';

export type TerminologyType = 'CodeSystem' | 'ValueSet' | 'ConceptMap';

export interface Packed {
  find(type: TerminologyType, url: string): Resource | undefined;
  /** HL7's or our own: what is posted under its URL does not take its place. */
  fixed(type: TerminologyType, url: string): Resource | undefined;
  all(type: TerminologyType): readonly Resource[];
}

const NOTHING: Packed = { find: () => undefined, fixed: () => undefined, all: () => [] };
const TAB = 9;
const NEWLINE = 10;

/** Our resources go first, then those of packages of others, then HL7's. `root` is the folder of our package, ending in a slash. */
export function openPacked(root: URL, own: readonly Resource[], others: Omit<Packed, 'fixed'> = NOTHING): Packed {
  const ours = new Map<string, Resource>(own.flatMap((resource) => (typeof resource.url === 'string' ? [[`${resource.resourceType} ${resource.url}`, resource] as const] : [])));
  let opened: ReadonlyMap<string, () => Resource> | undefined;
  const lines = (): ReadonlyMap<string, () => Resource> => (opened ??= openLines(new URL('profiles/r4/terminology.ndjson', root)));
  const find = (type: TerminologyType, url: string): Resource | undefined => ours.get(`${type} ${url}`) ?? others.find(type, url) ?? lines().get(`${type} ${url}`)?.();
  return {
    find,
    fixed: (type, url) => ours.get(`${type} ${url}`) ?? lines().get(`${type} ${url}`)?.(),
    all: (type) => {
      const local = [...ours.keys(), ...lines().keys()].filter((key) => key.startsWith(`${type} `)).map((key) => key.slice(type.length + 1));
      const urls = new Set([...local, ...others.all(type).flatMap(({ url }) => (typeof url === 'string' ? [url] : []))]);
      return [...urls].flatMap((url) => find(type, url) ?? []);
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
