// search on one type, by GET or POST, a page at a time. https://hl7.org/fhir/R4/search.html
import { searchsetText, type Link } from '../fhir/bundle.js';
import { outcomeText } from '../fhir/outcome.js';
import type { FhirRequest } from '../fhir/request.js';
import { parseSearch } from '../search/parse.js';
import type { Cursor } from '../search/query.js';
import type { Handler } from './context.js';
import { openPlace, PAGE, sealPlace, type Place } from './page-link.js';

const DEFAULT_COUNT = 20;
const MAX_COUNT = 1000;

export const search: Handler = async (request, context) => {
  const { type = '', base } = request;
  const { definitions, pageSecret } = context.parts;
  const place = placeOf(request, pageSecret);
  const pairs = place?.pairs ?? request.query;
  const handling = request.preferHandling ?? 'lenient';
  const { query, warnings } = parseSearch({ definitions, type, pairs, handling, defaultCount: DEFAULT_COUNT, maxCount: MAX_COUNT, base, now: context.now });
  const page = await context.store.search(context.grant, place ? { ...query, after: place.after } : query);
  const links: Link[] = [{ relation: 'self', url: selfUrl(base, type, query.self) }];
  if (page.next) links.push({ relation: 'next', url: nextUrl(request, { type, pairs, after: page.next }, pageSecret) });
  // All matches on the first page: the total is known for nothing.
  const total = page.total ?? (place || page.next || query.count === 0 ? undefined : page.matches.length);
  const outcome = warnings.length > 0 ? { outcome: outcomeText(warnings) } : {};
  return { status: 200, body: searchsetText({ ...(total !== undefined && { total }), links, base, matches: page.matches, includes: page.includes, ...outcome }) };
};

function placeOf(request: FhirRequest, secret: string): Place | undefined {
  const word = request.query.find(([name]) => name === PAGE)?.[1];
  return word === undefined ? undefined : openPlace(word, request.type ?? '', secret);
}

function selfUrl(base: string, type: string, pairs: readonly (readonly [string, string])[]): string {
  const query = pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
  return query === '' ? `${base}/${type}` : `${base}/${type}?${query}`;
}

const nextUrl = (request: FhirRequest, place: { type: string; pairs: Place['pairs']; after: Cursor }, secret: string): string =>
  `${request.base}/${place.type}?${PAGE}=${sealPlace(place, secret)}`;
