// Includes along canonical URLs, which name no id: what the matches name is looked for by its url, and the other way round.
// https://hl7.org/fhir/R4/references.html#canonical
import type { Definitions } from '../definitions/model.js';
import type { Resource } from '../fhir/resource.js';
import type { CompiledPath } from '../fhirpath/model.js';
import { compilePath } from '../fhirpath/compile-path.js';
import { elementPaths } from '../search/element-path.js';
import type { Grant } from '../search/grant.js';
import type { Include, Query } from '../search/query.js';
import { slotsOf, type Slot } from '../search/slots.js';
import type { Found, SearchPage } from './store.js';

/** More than so many of a type are not included by their url. */
const MOST = 200;

interface Looking {
  readonly definitions: Definitions;
  readonly grant: Grant;
  /** Searches under the same Grant. */
  readonly search: (query: Query) => Promise<SearchPage>;
}

const CANONICAL: ReadonlySet<string> = new Set(['canonical', 'uri']);

const paths = new WeakMap<Slot, CompiledPath | null>();

/** What a slot finds that is canonical; undefined for a slot whose elements are references alone. */
export function canonicalPath(definitions: Definitions, slot: Slot): CompiledPath | undefined {
  let path = paths.get(slot);
  if (path === undefined) {
    const { type, parameter: { expression = '' } } = slot;
    // An expression that is more than a path may find anything.
    const some = elementPaths(definitions, type, expression)?.some(({ types }) => types.some((name) => CANONICAL.has(name))) ?? true;
    path = some ? compilePath(expression, type, definitions) : null;
    paths.set(slot, path);
  }
  return path ?? undefined;
}

/** Resources beside those that `found` holds already. Costs nothing where no include follows a canonical. */
export async function canonicalIncludes(looking: Looking, { type, includes }: Query, found: Pick<SearchPage, 'matches' | 'includes'>): Promise<readonly Found[]> {
  const queries = includes.flatMap((include) => (include.reverse ? naming(looking, include, type, found.matches) : named(looking, include, type, found.matches)));
  if (queries.length === 0) return [];
  const known = new Set([...found.matches, ...found.includes].map(({ type: of, id }) => `${of}/${id}`));
  const more: Found[] = [];
  for (const { query, wanted } of queries) {
    for (const one of (await looking.search(query)).matches) {
      const key = `${one.type}/${one.id}`;
      if (known.has(key) || !wanted(one)) continue;
      known.add(key);
      more.push(one);
    }
  }
  return more;
}

interface Asked {
  readonly query: Query;
  readonly wanted: (found: Found) => boolean;
}

function slotsOfInclude({ definitions, grant }: Looking, source: string, { parameter }: Include): readonly (readonly [Slot, CompiledPath])[] {
  const { byCode } = slotsOf(definitions, source);
  const slots = parameter ? [byCode.get(parameter.code)] : [...byCode.values()].filter((slot) => slot.parameter.type === 'reference' && !grant.hides(source, slot.code));
  return slots.flatMap((slot) => {
    const path = slot && canonicalPath(definitions, slot);
    return slot && path ? [[slot, path] as const] : [];
  });
}

/** What the matches name: `url` or `url|version`. */
function named(looking: Looking, include: Include, type: string, matches: readonly Found[]): Asked[] {
  if (include.source !== type && include.source !== '*') return [];
  return slotsOfInclude(looking, type, include).flatMap(([slot, path]) => {
    const names = new Set<string>();
    const add = (_type: string, value: unknown): void => { if (typeof value === 'string' && value.includes(':')) names.add(value); };
    for (const { text } of matches) path(resourceOf(text), add);
    if (names.size === 0) return [];
    return targetsOf(looking, slot, include).flatMap((target) => {
      const url = slotsOf(looking.definitions, target).byCode.get('url');
      if (url?.parameter.type !== 'uri') return [];
      const values = [...new Set([...names].map((name) => name.split('|', 1)[0] ?? ''))].map((text) => ({ text: text.replace(/[\\,|$]/g, '\\$&') }));
      return [{ query: plainQuery(target, url, values), wanted: ({ text }: Found) => isNamed(names, text) }];
    });
  });
}

const targetsOf = ({ definitions }: Looking, slot: Slot, { target }: Include): readonly string[] =>
  target === undefined ? (slot.targets.length > 0 ? slot.targets : definitions.resourceTypes) : [target];

/** Is it named by its URL, with its version or with none? */
export function isNamed(names: ReadonlySet<string>, text: string): boolean {
  const { url, version } = resourceOf(text) as { readonly url?: unknown; readonly version?: unknown };
  return names.has(String(url)) || names.has(`${String(url)}|${String(version)}`);
}

/** What names the matches by their url. */
function naming(looking: Looking, include: Include, type: string, matches: readonly Found[]): Asked[] {
  if (include.target !== undefined && include.target !== type) return [];
  if (slotsOf(looking.definitions, type).byCode.get('url')?.parameter.type !== 'uri') return [];
  const urls = matches.flatMap(({ text }) => {
    const { url } = resourceOf(text) as { readonly url?: unknown };
    return typeof url === 'string' ? [url] : [];
  });
  if (urls.length === 0) return [];
  const values = urls.map((text) => ({ text, parts: [{ text }] }));
  const sources = include.source === '*' ? looking.definitions.resourceTypes : [include.source];
  return sources.flatMap((source) => slotsOfInclude(looking, source, include)
    .filter(([slot]) => slot.targets.length === 0 || slot.targets.includes(type))
    .map(([slot]) => ({ query: plainQuery(source, slot, values), wanted: () => true })));
}

function plainQuery(type: string, { parameter }: Slot, values: readonly { readonly text: string }[]): Query {
  return { type, where: { kind: 'parameter', parameter, values }, sort: [], count: MOST, includes: [], total: 'none', self: [] };
}

export const resourceOf = (text: string): Resource => JSON.parse(text) as Resource;
