// Where the definitions of profiles come from: our own files and packages at once, and those that were posted to the API, kept for a moment.
import type { Resource } from '../fhir/resource.js';
import { isObject } from './json-object.js';

/** The current StructureDefinitions with this URL, newest first. */
export type FetchProfiles = (url: string) => Promise<readonly Resource[]>;

export interface ProfileSource {
  /** What is at hand for a canonical URL; with a version, that version alone. */
  find(canonical: string): Resource | undefined;
  /** Which of these must be fetched before `find` can be believed. */
  missing(canonicals: readonly string[]): readonly string[];
  /** Fetches them, and what they are based on or refer to. */
  load(canonicals: readonly string[]): Promise<void>;
  /** A StructureDefinition is being written here: for a while nothing fetched is believed. */
  distrust(): void;
}

export interface ProfileSourceParts {
  /** Of our own files and packages, by URL without version. */
  readonly local: (url: string) => Resource | undefined;
  readonly fetch: FetchProfiles;
  readonly now: () => number;
  /** Told when something fetched differs from what was there. */
  readonly onChange: () => void;
}

/** A profile posted to another server of the same database is seen after this; one posted here at once. */
const FRESH_MS = 1000;
/** Longer than a write takes to be committed. */
const DISTRUST_MS = 5000;
/** Profiles that one profile may draw in; and URLs that are kept, which callers may invent. */
const MOST_LOADED = 500;
const HL7 = 'http://hl7.org/fhir/';

interface Kept {
  readonly at: number;
  readonly definitions: readonly Resource[];
  readonly stamp: string;
}

export function createProfileSource({ local, fetch, now, onChange }: ProfileSourceParts): ProfileSource {
  const kept = new Map<string, Kept>();
  let distrustedUntil = -Infinity;
  const isFresh = (one: Kept | undefined): boolean => one !== undefined && now() - one.at < FRESH_MS && now() >= distrustedUntil;
  const find = (canonical: string): Resource | undefined => {
    const [url, version] = [urlOf(canonical), versionOf(canonical)];
    const ours = local(url);
    const all = ours ? [ours] : (kept.get(url)?.definitions ?? []);
    return version === undefined ? all[0] : all.find((one) => one['version'] === version);
  };
  const isMissing = (url: string): boolean => local(url) === undefined && !url.startsWith(HL7) && !isFresh(kept.get(url));
  // asked for every write: mostly nothing is, and that is found out without making anything
  const missing = (canonicals: readonly string[]): readonly string[] =>
    (canonicals.some((one) => isMissing(urlOf(one))) ? canonicals.map(urlOf).filter(isMissing) : NOTHING);
  const fetchOne = async (url: string): Promise<readonly Resource[]> => {
    const definitions = await fetch(url);
    const stamp = definitions.map(({ id, meta }) => `${id ?? ''}/${isObject(meta) && typeof meta['versionId'] === 'string' ? meta['versionId'] : ''}`).join(' ');
    if ((kept.get(url)?.stamp ?? '') !== stamp) onChange();
    if (kept.size >= MOST_LOADED) kept.clear();
    kept.set(url, { at: now(), definitions, stamp });
    return definitions;
  };
  return {
    find,
    missing,
    async load(canonicals) {
      const seen = new Set<string>();
      let next = missing(canonicals);
      while (next.length > 0 && seen.size < MOST_LOADED) {
        for (const url of next) seen.add(url);
        const found = await Promise.all(next.map(fetchOne));
        next = [...new Set(missing(found.flat().flatMap(referredTo)))].filter((url) => !seen.has(url)).slice(0, MOST_LOADED - seen.size);
      }
    },
    distrust: () => { distrustedUntil = now() + DISTRUST_MS; },
  };
}

const NOTHING: readonly string[] = [];

function urlOf(canonical: string): string {
  const bar = canonical.indexOf('|');
  return bar < 0 ? canonical : canonical.slice(0, bar);
}

function versionOf(canonical: string): string | undefined {
  const bar = canonical.indexOf('|');
  return bar < 0 ? undefined : canonical.slice(bar + 1);
}

/** The profiles that a definition names: its base, and those of its types and their targets. */
function referredTo(definition: Resource): readonly string[] {
  const { baseDefinition, differential, snapshot } = definition;
  const elements = [differential, snapshot].flatMap((one): readonly unknown[] => (isObject(one) && Array.isArray(one['element']) ? one['element'] : []));
  const types = elements.flatMap((element: unknown): readonly unknown[] => (isObject(element) && Array.isArray(element['type']) ? element['type'] : []));
  const named = types.flatMap((type: unknown) => (isObject(type) ? [type['profile'], type['targetProfile']].flat() : []));
  return [baseDefinition, ...named].filter((url): url is string => typeof url === 'string');
}
