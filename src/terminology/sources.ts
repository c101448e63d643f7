// Where code systems, value sets and concept maps come from: the store, the tables of the loader, our own files, HL7's.
import type { CodeSystem, ConceptMap, ValueSet } from '@medplum/fhirtypes';
import type { Queryable } from '../db/database.js';
import type { Resource } from '../fhir/resource.js';
import { loincValueSet } from './loinc-value-set.js';
import { compareVersions, findReleases, type LoadedSystem } from './loaded-system.js';
import { MemorySystem } from './memory-system.js';
import type { Packed, TerminologyType } from './packed.js';
import { snomedValueSet } from './snomed-value-set.js';

/** A resource as the store holds it. */
export interface StoredText {
  readonly id: string;
  readonly text: string;
}

/** Those of a type whose search parameter (`url`, `source-system` …) has the value; all versions of all authors. */
export type FindStored = (type: TerminologyType, parameter: string, value: string) => Promise<readonly StoredText[]>;

export type HeldSystem = MemorySystem | LoadedSystem;

/** A canonical URL: what is before a `|` and what after it. */
export interface Canonical {
  readonly url: string;
  readonly version?: string;
}

export interface Sources {
  /** Undefined where it is not known, or not of the version asked for. `canonical` may end in `|version`. */
  valueSet(canonical: string): Promise<ValueSet | undefined>;
  conceptMap(canonical: string): Promise<ConceptMap | undefined>;
  /** Undefined also where only its existence is known (content `not-present`). */
  codeSystem(canonical: Canonical): Promise<HeldSystem | undefined>;
  /** Posted supplements of the system, of all its versions or the one given. */
  supplements(canonical: Canonical): Promise<readonly MemorySystem[]>;
  /** Maps that have a group from (or, `target-system`, to) the system; the store's go before ours and HL7's. */
  conceptMapsOf(parameter: 'source-system' | 'target-system', system: string): Promise<readonly ConceptMap[]>;
}

/** Parsed resources of the store that are kept, by id, until their text is another. */
const MOST_KEPT = 200;

export function createSources(packed: Packed, findStored: FindStored, db: Queryable): Sources {
  const parse = keptParser();
  const systemOf = keptSystems();
  const storedBy = async (type: TerminologyType, parameter: string, value: string): Promise<Resource[]> =>
    (await findStored(type, parameter, value)).map((stored) => parse(type, stored));
  const inStore = async (type: TerminologyType, canonical: Canonical): Promise<Resource | undefined> =>
    newest((await storedBy(type, 'url', canonical.url)).filter((resource) => fits(resource, canonical)));
  const inPackage = (type: TerminologyType, canonical: Canonical): Resource | undefined =>
    [packed.find(type, canonical.url)].find((resource) => resource !== undefined && fits(resource, canonical));
  const fixed = (type: TerminologyType, canonical: Canonical): Resource | undefined =>
    [packed.fixed(type, canonical.url)].find((resource) => resource !== undefined && fits(resource, canonical));
  /** A URL may hold a `|` of its own: HL7 has `…/v2-0391|2.6`. */
  const find = async (type: TerminologyType, canonical: string): Promise<Resource | undefined> => {
    const split = splitCanonical(canonical);
    return fixed(type, split) ?? (await inStore(type, split)) ?? inPackage(type, split) ?? inPackage(type, { url: canonical });
  };
  return {
    valueSet: async (canonical) => snomedValueSet(canonical) ?? loincValueSet(canonical) ?? ((await find('ValueSet', canonical)) as ValueSet | undefined),
    conceptMap: async (canonical) => (await find('ConceptMap', canonical)) as ConceptMap | undefined,
    async codeSystem(canonical) {
      const whole = fixed('CodeSystem', canonical);
      if (whole?.content === 'complete') return systemOf(whole as unknown as CodeSystem);
      const stored = withContent(await inStore('CodeSystem', canonical));
      if (stored) return systemOf(stored);
      const releases = await findReleases(db, canonical.url);
      const release = releases.find(({ header }) => canonical.version === undefined || isVersion(header.version ?? '', canonical.version));
      if (release) return release;
      const known = withContent(inPackage('CodeSystem', canonical));
      return known && systemOf(known);
    },
    async supplements({ url, version }) {
      const names = [url, ...(version === undefined ? [] : [`${url}|${version}`])];
      const found = await Promise.all(names.map((name) => storedBy('CodeSystem', 'supplements', name)));
      const usable = found.flat().filter(({ status, content, supplements }) => status !== 'retired' && content === 'supplement' && names.some((name) => name === supplements));
      return [...new Set(usable)].map((resource) => systemOf(resource as unknown as CodeSystem));
    },
    async conceptMapsOf(parameter, system) {
      const stored = (await storedBy('ConceptMap', parameter, system)) as unknown as ConceptMap[];
      const side = parameter === 'source-system' ? 'source' : 'target';
      const ours = (packed.all('ConceptMap') as unknown as ConceptMap[]).filter((map) => map.group?.some((group) => group[side] === system));
      const urls = new Set(stored.map(({ url }) => url));
      return [...stored, ...ours.filter(({ url }) => !urls.has(url))].filter(({ status }) => status !== 'retired');
    },
  };
}

const fits = (resource: Resource, { version }: Canonical): boolean => version === undefined || resource.version === version;

function withContent(resource: Resource | undefined): CodeSystem | undefined {
  return resource === undefined || resource.content === 'not-present' || resource.content === 'supplement' ? undefined : (resource as unknown as CodeSystem);
}

/** SNOMED CT says `http://snomed.info/sct/<edition>/version/<date>`; the edition alone is content with any date. */
const isVersion = (have: string, want: string): boolean => have === want || have.startsWith(`${want}/version/`);

/** An active one before a draft, a draft before a retired one; then by version; then what was written last. */
function newest(resources: readonly Resource[]): Resource | undefined {
  const rank = ({ status }: Resource): number => (status === 'active' ? 0 : status === 'retired' ? 2 : 1);
  const versionOf = ({ version }: Resource): string | undefined => (typeof version === 'string' ? version : undefined);
  return resources.toSorted((a, b) => rank(a) - rank(b) || compareVersions(versionOf(b), versionOf(a)) || compareVersions(writtenAt(b), writtenAt(a)))[0];
}

function writtenAt({ meta }: Resource): string {
  return typeof meta === 'object' && meta !== null && !Array.isArray(meta) && typeof meta.lastUpdated === 'string' ? meta.lastUpdated : '';
}

function keptParser(): (type: TerminologyType, stored: StoredText) => Resource {
  const kept = new Map<string, { readonly text: string; readonly resource: Resource }>();
  return (type, { id, text }) => {
    const key = `${type}/${id}`;
    const known = kept.get(key);
    if (known?.text === text) return known.resource;
    const resource = JSON.parse(text) as Resource;
    kept.set(key, { text, resource });
    const [oldest] = kept.keys();
    if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
    return resource;
  };
}

/** A system is indexed once for as long as its resource is kept. */
function keptSystems(): (resource: CodeSystem) => MemorySystem {
  const kept = new WeakMap<CodeSystem, MemorySystem>();
  return (resource) => {
    let system = kept.get(resource);
    if (!system) kept.set(resource, (system = new MemorySystem(resource)));
    return system;
  };
}

export function splitCanonical(canonical: string): Canonical {
  const bar = canonical.lastIndexOf('|');
  return bar < 0 ? { url: canonical } : { url: canonical.slice(0, bar), version: canonical.slice(bar + 1) };
}
