// What a request asks to be searched, and the links of its pages: the same for one type, a compartment and the whole system.
import type { Definitions } from '../definitions/model.js';
import type { Link } from '../fhir/bundle.js';
import { queryText } from '../fhir/query-string.js';
import type { FhirRequest } from '../fhir/request.js';
import { compartmentClause } from './compartment.js';
import { USUAL_LIMITS, type SearchLimits } from './limits.js';
import { parseSearch, type ParsedSearch } from './parse.js';
import type { Clause } from './query.js';
import { openPlace, PAGE, sealPlace, type Place, type Start } from './page-link.js';

const DEFAULT_COUNT = 20;

/** As much of an interaction's context as a search is read by. */
interface SearchContext {
  readonly parts: { readonly definitions: Definitions; readonly limits?: SearchLimits };
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Will code-lists.ts look up what the criteria name? */
  readonly lists?: boolean;
  /** Will the store bring the index of words up to date? */
  readonly words?: boolean;
  /** Can what resources contain be searched for? */
  readonly contained?: boolean;
}

/** The search of one type that the pairs ask for, in the compartment where the request names one. */
export function readSearch(request: FhirRequest, context: SearchContext, type: string, pairs: Place['pairs']): ParsedSearch {
  const { base, compartment } = request;
  const { definitions, limits = USUAL_LIMITS } = context.parts;
  const handling = request.preferHandling ?? 'lenient';
  const { page } = limits;
  const parsed = parseSearch({ definitions, type, pairs, handling, defaultCount: Math.min(DEFAULT_COUNT, page), maxCount: page, limits, base, now: context.now, lists: context.lists === true, words: context.words === true, contained: context.contained === true });
  if (!compartment) return parsed;
  const inside: Clause = compartmentClause(definitions, compartment, type);
  const where: Clause = parsed.query.where.kind === 'all' ? inside : { kind: 'and', of: [inside, parsed.query.where] };
  return { ...parsed, query: { ...parsed.query, where } };
}

/** Path below the base, which says what is paged: `Patient`, `Patient/1/Observation`, `Patient/1/*`, `Patient/1/$everything`, `Patient/$everything`, `Group/1/$everything`, `Patient/1/_history`, or nothing. */
export function scopeOf({ interaction, type, id, compartment, operation }: FhirRequest): string {
  if (interaction === 'history') return [type, id, '_history'].filter((part) => part !== undefined).join('/');
  if (compartment && operation !== undefined) return `${compartment.type}/${compartment.id}/$${operation}`;
  if (type !== undefined && operation !== undefined) return [type, id, `$${operation}`].filter((part) => part !== undefined).join('/');
  return compartment ? `${compartment.type}/${compartment.id}/${type ?? '*'}` : type ?? '';
}

/** Undefined for the first page. */
export function placeOf(request: FhirRequest, secret: string): Place | undefined {
  const word = request.query.find(([name]) => name === PAGE)?.[1];
  return word === undefined ? undefined : openPlace(word, scopeOf(request), secret);
}

export function selfUrl(request: FhirRequest, pairs: readonly (readonly [string, string])[]): string {
  const query = queryText(pairs);
  const path = pathUrl(request.base, scopeOf(request));
  return query === '' ? path : `${path}?${query}`;
}

const pathUrl = (base: string, scope: string): string => (scope === '' ? base : `${base}/${scope}`);

/** Nothing in the word needs an escape. The form that was asked for by the URL stands beside it, so that all pages come in one. */
export function nextUrl(request: FhirRequest, place: Omit<Place, 'type'>, secret: string): string {
  const type = scopeOf(request);
  const form = queryText(formOf(request));
  return `${pathUrl(request.base, type)}?${PAGE}=${sealPlace({ type, ...place }, secret)}${form === '' ? '' : `&${form}`}`;
}

const formOf = ({ query }: FhirRequest): FhirRequest['query'] => query.filter(([name]) => name === '_format' || name === '_pretty');

/** Length of the places that a link carries of the pages before it: some fifteen, and no URL that a proxy would cut. */
const LONGEST_TRAIL = 1500;

interface Pages {
  /** As the caller sent them. */
  readonly pairs: Place['pairs'];
  /** Those of them that were understood. */
  readonly used: Place['pairs'];
  /** Of the page that was asked for; undefined where the request itself is the search. */
  readonly place: Place | undefined;
  readonly next: Start | undefined;
}

/** The links of a page. The first that a search answers has nothing before it; every later one leads back by where its forerunners began. */
export function pageLinks(request: FhirRequest, { pairs, used, place, next }: Pages, secret: string): Link[] {
  if (!place) {
    const self: Link = { relation: 'self', url: selfUrl(request, used) };
    return next ? [self, { relation: 'next', url: nextUrl(request, { pairs, ...next, trail: [{}] }, secret) }] : [self];
  }
  const links: Link[] = [
    { relation: 'self', url: selfUrl(request, [...request.query.filter(([name]) => name === PAGE), ...formOf(request)]) },
    { relation: 'first', url: nextUrl(request, { pairs }, secret) },
  ];
  const { trail = [] } = place;
  const before = trail.at(-1);
  if (before) links.push({ relation: 'previous', url: nextUrl(request, { pairs, ...before, trail: trail.slice(0, -1) }, secret) });
  if (next) links.push({ relation: 'next', url: nextUrl(request, { pairs, ...next, trail: trailOf(place) }, secret) });
  return links;
}

function trailOf({ trail = [], after, in: inside }: Place): readonly Start[] {
  let kept = [...trail, { ...(inside !== undefined && { in: inside }), ...(after && { after }) }];
  while (kept.length > 1 && JSON.stringify(kept).length > LONGEST_TRAIL) kept = kept.slice(1);
  return kept;
}

/** Is the page the one that the search begins with? */
export const isFirst = (place: Place | undefined): boolean => place?.after === undefined && place?.in === undefined;
