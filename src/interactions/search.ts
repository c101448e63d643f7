// search on one type, in a compartment or over several types, by GET or POST, a page at a time. https://hl7.org/fhir/R4/search.html
import { searchsetText } from '../fhir/bundle.js';
import { outcomeText } from '../fhir/outcome.js';
import { isFirst, pageLinks, placeOf } from '../search/search-request.js';
import type { Handler } from './context.js';
import { explained } from './explain.js';
import { includesCut } from './includes-cut.js';
import { readListed } from './listed-search.js';
import { searchWithContained } from './search-contained.js';
import { searchTypes } from './search-types.js';
import { patientsOfRows, readSubset, subsetOf } from './subset.js';

export const search: Handler = async (request, context) => {
  const { type, base } = request;
  if (type === undefined) return searchTypes(request, context);
  const { definitions, pageSecret } = context.parts;
  const place = placeOf(request, pageSecret);
  const pairs = place?.pairs ?? request.query;
  const parsed = await readListed(request, context, type, pairs, true);
  const { query, warnings } = parsed;
  if (query.explain) return explained([query], context);
  if (query.contained) return searchWithContained(request, parsed, query.contained, context, { place, pairs });
  const incomplete = context.parts.incomplete([type]);
  const subset = readSubset(definitions, pairs);
  const page = await context.store.search(context.grant, place?.after ? { ...query, after: place.after } : query);
  const links = pageLinks(request, { pairs, used: query.self, place, next: page.next && { after: page.next } }, pageSecret);
  // All matches on the first page: the total is known for nothing.
  const total = page.total ?? (!isFirst(place) || page.next || query.count === 0 ? undefined : page.matches.length);
  const said = [...warnings, ...(incomplete ? [incomplete] : []), ...(page.cut ? [includesCut(context.parts.limits.included)] : [])];
  const outcome = said.length > 0 ? { outcome: outcomeText(said) } : {};
  const body = searchsetText({ made: context.now, ...(total !== undefined && { total }), links, base, ...subsetOf(subset, page), ...outcome });
  return { status: 200, body, about: patientsOfRows(page), aboutAll: true };
};
