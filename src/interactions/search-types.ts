// Search over several types: of the whole system, or all that is in a compartment. https://hl7.org/fhir/R4/http.html#search
// Type after type, each in its own order, so that each page costs what its rows cost, however many types there are.
import { searchsetText } from '../fhir/bundle.js';
import { fail } from '../fhir/errors.js';
import type { Issue } from '../fhir/issue.js';
import { outcomeText } from '../fhir/outcome.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import { compartmentTypes } from '../search/compartment.js';
import type { ParsedSearch } from '../search/parse.js';
import type { Query } from '../search/query.js';
import type { Found } from '../store/store.js';
import type { Context } from './context.js';
import type { Place, Start } from '../search/page-link.js';
import { isFirst, pageLinks, placeOf } from '../search/search-request.js';
import { explained } from './explain.js';
import { includesCut } from './includes-cut.js';
import { readListed } from './listed-search.js';
import { gatherSorted, haveOneOrder } from './sorted-types.js';
import { patientsOfRows, readSubset, subsetOf } from './subset.js';
import { typesNamed } from './type-parameter.js';

/** Where a page ends: the type whose rows come next, and the last one shown of it. */
interface End extends Start {
  readonly in: string;
}

interface Gathered {
  readonly matches: Found[];
  readonly includes: Map<string, Found>;
  next?: End | undefined;
  cut?: boolean;
}

/** How an operation's parameters are searched: the types there may be, where it is not asked in a compartment; pairs as of a search, what else narrows the search of each type, and what comes beside the matches. */
export type Reading = (pairs: Place['pairs']) => {
  readonly types?: readonly string[];
  readonly pairs: Place['pairs'];
  readonly narrow: (query: Query) => Query;
  readonly beside?: (matches: readonly Found[]) => Promise<readonly Found[]>;
};

const asSent: Reading = (pairs) => ({ pairs, narrow: (query) => query });

export async function searchTypes(request: FhirRequest, context: Context, reading = asSent): Promise<FhirResponse> {
  const { pageSecret } = context.parts;
  const place = placeOf(request, pageSecret);
  const pairs = place?.pairs ?? request.query;
  const read = reading(pairs);
  const types = typesAsked(request, context, pairs, read.types);
  const sorted = reading === asSent ? await inOneOrder(request, context, types, pairs) : undefined;
  const { asked, warnings } = sorted ? { asked: read.pairs, warnings: [] } : plain(request, read.pairs);
  const searches = sorted ?? await Promise.all(types.map(async (type) => readListed(request, context, type, asked)));
  const queries = searches.map(({ query }) => read.narrow(query));
  if (queries.some((query) => query.explain)) return explained(queries, context);
  const found = sorted ? await gatheredSorted(queries, context, place) : await gather(queries, context, place);
  const total = await totalOf(queries, context, found, place);
  const links = pageLinks(request, { pairs, used: usedOf(pairs, queries), place, next: found.next }, pageSecret);
  const incomplete = context.parts.incomplete(types);
  const said = distinct([...warnings, ...searches.flatMap((one) => one.warnings), ...(incomplete ? [incomplete] : []), ...(found.cut ? [includesCut(context.parts.limits.included)] : [])]);
  const rows = { matches: found.matches, includes: [...includesOf(found), ...((await read.beside?.(found.matches)) ?? [])] };
  const subset = readSubset(context.parts.definitions, pairs);
  const outcome = said.length > 0 ? { outcome: outcomeText(said) } : {};
  const body = searchsetText({ made: context.now, ...(total !== undefined && { total }), links, base: request.base, ...subsetOf(subset, rows), ...outcome });
  return { status: 200, body, about: patientsOfRows(rows), aboutAll: true };
}

/** What any of the types understood; which types were asked for is understood before. */
function usedOf(pairs: Place['pairs'], queries: readonly Query[]): Place['pairs'] {
  const known = new Set(queries.flatMap(({ self }) => self.map(([name, value]) => `${name}=${value}`)));
  return queries.length === 0 ? pairs : pairs.filter(([name, value]) => name === '_type' || known.has(`${name}=${value}`));
}

/** The types of `_type`, else all there may be; of these the ones that the caller may search. */
function typesAsked(request: FhirRequest, { grant, parts: { definitions } }: Context, pairs: Place['pairs'], within = definitions.resourceTypes): readonly string[] {
  const all = request.compartment ? compartmentTypes(definitions, request.compartment.type) : within;
  return typesNamed(pairs, all, definitions).filter((type) => grant.allows('search', type) && grant.rows(type).kind !== 'none');
}

/** The searches of types that are all to be sorted by the same; undefined where they are not. */
async function inOneOrder(request: FhirRequest, context: Context, types: readonly string[], pairs: Place['pairs']): Promise<readonly ParsedSearch[] | undefined> {
  if (!pairs.some(([name]) => name === '_sort')) return undefined;
  const asked = pairs.filter(([name]) => name !== '_type');
  // What a type is not sorted by is left out of its search, and seen to be missing.
  const searches = await Promise.all(types.map(async (type) => readListed({ ...request, preferHandling: 'lenient' }, context, type, asked)));
  if (!haveOneOrder(searches.map(({ query }) => query))) return undefined;
  return request.preferHandling === 'strict' ? Promise.all(types.map(async (type) => readListed(request, context, type, asked))) : searches;
}

async function gatheredSorted(queries: readonly Query[], context: Context, place: Place | undefined): Promise<Gathered> {
  const { matches, includes, next, cut } = await gatherSorted(queries, context, place);
  return { matches: [...matches], includes: new Map(includes.map((one) => [`${one.type}/${one.id}`, one])), next, cut };
}

/** Where the types are not all sorted by the same, `_sort` is left out, or refused. */
function plain(request: FhirRequest, pairs: Place['pairs']): { asked: Place['pairs']; warnings: readonly Issue[] } {
  const asked = pairs.filter(([name]) => name !== '_type' && name !== '_sort');
  if (!pairs.some(([name]) => name === '_sort')) return { asked, warnings: [] };
  const text = 'These types are not all sorted by this: sort by what they have in common, such as _lastUpdated, or search one type';
  if (request.preferHandling === 'strict') throw fail('unknown-parameter', { text, expression: '_sort' });
  return { asked, warnings: [{ severity: 'warning', code: 'not-supported', text: `${text}: _sort was left out`, expression: '_sort' }] };
}

async function gather(queries: readonly Query[], context: Context, place: Place | undefined): Promise<Gathered> {
  const found: Gathered = { matches: [], includes: new Map() };
  const start = place?.in === undefined ? 0 : queries.findIndex(({ type }) => type === place.in);
  for (const [index, query] of queries.entries()) {
    if (index < start || query.count === 0) continue;
    const left = query.count - found.matches.length;
    const after = index === start ? place?.after : undefined;
    const page = await context.store.search(context.grant, { ...query, total: 'none', count: Math.max(left, 1), ...(after && { after }) });
    if (left === 0) {
      // The page was full: it is enough to know that there is more.
      if (page.matches.length > 0) return { ...found, next: { in: query.type } };
      continue;
    }
    add(found, page.matches, page.includes);
    if (page.cut) found.cut = true;
    if (page.next) return { ...found, next: { in: query.type, after: page.next } };
  }
  return found;
}

function add(found: Gathered, matches: readonly Found[], includes: readonly Found[]): void {
  found.matches.push(...matches);
  for (const one of includes) found.includes.set(`${one.type}/${one.id}`, one);
}

/** A match is no include, also where it was found after what refers to it. */
function includesOf({ matches, includes }: Gathered): readonly Found[] {
  const matched = new Set(matches.map(({ type, id }) => `${type}/${id}`));
  return [...includes].filter(([key]) => !matched.has(key)).map(([, found]) => found);
}

async function totalOf(queries: readonly Query[], { store, grant }: Context, found: Gathered, place: Place | undefined): Promise<number | undefined> {
  if (queries.every(({ total }) => total === 'none')) return found.next || !isFirst(place) ? undefined : found.matches.length;
  let total = 0;
  for (const query of queries) total += (await store.search(grant, { ...query, count: 0, includes: [] })).total ?? 0;
  return total;
}

function distinct(issues: readonly Issue[]): readonly Issue[] {
  return [...new Map(issues.map((issue) => [issue.expression, issue])).values()];
}
