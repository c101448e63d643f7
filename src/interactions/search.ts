// search on one type, in a compartment or over several types, by GET or POST, a page at a time. https://hl7.org/fhir/R4/search.html
import { searchsetText, type Link } from '../fhir/bundle.js';
import { outcomeText } from '../fhir/outcome.js';
import { nextUrl, placeOf, selfUrl } from '../search/search-request.js';
import type { Handler } from './context.js';
import { readListed } from './listed-search.js';
import { searchTypes } from './search-types.js';
import { patientsOfRows, readSubset, subsetOf } from './subset.js';

export const search: Handler = async (request, context) => {
  const { type, base } = request;
  if (type === undefined) return searchTypes(request, context);
  const { definitions, pageSecret } = context.parts;
  const place = placeOf(request, pageSecret);
  const pairs = place?.pairs ?? request.query;
  const { query, warnings } = await readListed(request, context, type, pairs);
  const incomplete = context.parts.incomplete([type]);
  const subset = readSubset(definitions, pairs);
  const page = await context.store.search(context.grant, place?.after ? { ...query, after: place.after } : query);
  const links: Link[] = [{ relation: 'self', url: selfUrl(request, query.self) }];
  if (page.next) links.push({ relation: 'next', url: nextUrl(request, { pairs, after: page.next }, pageSecret) });
  // All matches on the first page: the total is known for nothing.
  const total = page.total ?? (place || page.next || query.count === 0 ? undefined : page.matches.length);
  const said = incomplete ? [...warnings, incomplete] : warnings;
  const outcome = said.length > 0 ? { outcome: outcomeText(said) } : {};
  const body = searchsetText({ ...(total !== undefined && { total }), links, base, ...subsetOf(subset, page), ...outcome });
  return { status: 200, body, ...(subset && { about: patientsOfRows(page) }) };
};
