// `_contained`: what resources contain, given as itself or as what contains it. https://hl7.org/fhir/R4/search.html#contained
import { searchsetText } from '../fhir/bundle.js';
import { fail } from '../fhir/errors.js';
import { outcomeText } from '../fhir/outcome.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import { addedKeys } from '../search/added.js';
import type { Place, Start } from '../search/page-link.js';
import type { ParsedSearch } from '../search/parse.js';
import type { ContainedWish, Query } from '../search/query.js';
import { isFirst, pageLinks } from '../search/search-request.js';
import type { ContainedMatch, Found, SearchPage } from '../store/store.js';
import type { Context } from './context.js';
import { patientsOfRows, readSubset, subsetOf, type Subset } from './subset.js';

/** The part of a search that comes second where both are asked for. */
const INSIDE = '#';

const NOTHING: SearchPage = { matches: [], includes: [] };

interface Gathered {
  readonly matches: readonly Found[];
  readonly inside: readonly ContainedMatch[];
  readonly next?: Start | undefined;
  readonly total?: number | undefined;
}

/** Resources that stand by themselves first, where they are asked for; then what is contained, in an order of its own. */
export async function searchWithContained(request: FhirRequest, { query, warnings }: ParsedSearch, wish: ContainedWish, context: Context, paging: { readonly place: Place | undefined; readonly pairs: Place['pairs'] }): Promise<FhirResponse> {
  const { place, pairs } = paging;
  if (request.compartment) throw refused('in a compartment');
  if (query.sort.length > 0 || query.includes.length > 0) throw refused(query.sort.length > 0 ? 'with _sort' : 'with _include or _revinclude');
  // What was contained before it was switched on has no rows of it.
  if (addedKeys(context.parts.definitions, query).size > 0) throw refused('by a parameter that was switched on while the server ran');
  const subset = readSubset(context.parts.definitions, pairs);
  const found = await gather(query, wish.which, context, place);
  const total = found.total ?? (found.next || !isFirst(place) || query.count === 0 ? undefined : found.matches.length + found.inside.length);
  const links = pageLinks(request, { pairs, used: query.self, place, next: found.next }, context.parts.pageSecret);
  const rows = subsetOf(subset, { matches: found.matches, includes: [] });
  const matches = [...rows.matches, ...insideOf(found.inside, query.type, wish, subset)];
  const outcome = warnings.length > 0 ? { outcome: outcomeText(warnings) } : {};
  const body = searchsetText({ made: context.now, ...(total !== undefined && { total }), links, base: request.base, matches, ...outcome });
  return { status: 200, body, about: patientsOfRows({ matches: [...found.matches, ...found.inside], includes: [] }) };
}

const refused = (where: string): Error => fail('invalid-parameter', { text: `_contained is not answered ${where}: leave one of them out`, expression: '_contained' });

async function gather(query: Query, which: ContainedWish['which'], context: Pick<Context, 'store' | 'grant'>, place: Place | undefined): Promise<Gathered> {
  const { store, grant } = context;
  if (query.count === 0 || (query.total === 'accurate' && isFirst(place))) {
    const all = { ...query, count: 0 };
    const alone = which === 'both' ? (await store.search(grant, all)).total ?? 0 : 0;
    const total = alone + ((await store.searchContained(grant, all)).total ?? 0);
    if (query.count === 0) return { matches: [], inside: [], total };
    return { ...(await gather({ ...query, total: 'none' }, which, context, place)), total };
  }
  const { in: part, after } = place ?? {};
  const alone = which === 'both' && part !== INSIDE ? await store.search(grant, { ...query, total: 'none', ...(after && { after }) }) : NOTHING;
  if (alone.next) return { matches: alone.matches, inside: [], next: { after: alone.next } };
  const left = query.count - alone.matches.length;
  if (left === 0) return { matches: alone.matches, inside: [], next: { in: INSIDE } };
  const { matches: inside, next } = await store.searchContained(grant, { ...query, count: left, ...(part === INSIDE && after && { after }) });
  return { matches: alone.matches, inside, next: next && { in: INSIDE, after: next } };
}

/** A container is given once, however much of it matches; a contained resource is named by a fragment of its container's URL. */
function insideOf(inside: readonly ContainedMatch[], type: string, { give }: ContainedWish, subset: Subset | undefined): readonly Found[] {
  const shown = (of: string, text: string): string => (subset ? subset.match(of, text) : text);
  if (give === 'contained') return inside.map((found) => ({ type: found.type, id: `${found.id}#${found.local}`, text: shown(type, found.inner) }));
  const containers = new Map(inside.map((found) => [`${found.type}/${found.id}`, found]));
  return [...containers.values()].map((found) => ({ type: found.type, id: found.id, text: shown(found.type, found.text) }));
}
