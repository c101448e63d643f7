// What a request asks to be searched, and the links of its pages: the same for one type, a compartment and the whole system.
import type { Definitions } from '../definitions/model.js';
import { queryText } from '../fhir/query-string.js';
import type { FhirRequest } from '../fhir/request.js';
import { compartmentClause } from './compartment.js';
import { parseSearch, type ParsedSearch } from './parse.js';
import type { Clause } from './query.js';
import { openPlace, PAGE, sealPlace, type Place } from './page-link.js';

const DEFAULT_COUNT = 20;
const MAX_COUNT = 1000;

/** As much of an interaction's context as a search is read by. */
interface SearchContext {
  readonly parts: { readonly definitions: Definitions };
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Will code-lists.ts look up what the criteria name? */
  readonly lists?: boolean;
}

/** The search of one type that the pairs ask for, in the compartment where the request names one. */
export function readSearch(request: FhirRequest, context: SearchContext, type: string, pairs: Place['pairs']): ParsedSearch {
  const { base, compartment } = request;
  const { definitions } = context.parts;
  const handling = request.preferHandling ?? 'lenient';
  const parsed = parseSearch({ definitions, type, pairs, handling, defaultCount: DEFAULT_COUNT, maxCount: MAX_COUNT, base, now: context.now, ...(context.lists && { lists: true }) });
  if (!compartment) return parsed;
  const inside: Clause = compartmentClause(definitions, compartment, type);
  const where: Clause = parsed.query.where.kind === 'all' ? inside : { kind: 'and', of: [inside, parsed.query.where] };
  return { ...parsed, query: { ...parsed.query, where } };
}

/** Path below the base, which says what is searched: `Patient`, `Patient/1/Observation`, `Patient/1/*`, `Patient/1/$everything`, or nothing. */
export function scopeOf({ type, compartment, operation }: FhirRequest): string {
  if (compartment && operation !== undefined) return `${compartment.type}/${compartment.id}/$${operation}`;
  return compartment ? `${compartment.type}/${compartment.id}/${type ?? '*'}` : type ?? '';
}

/** Undefined for the first page. */
export function placeOf(request: FhirRequest, secret: string): Place | undefined {
  const word = request.query.find(([name]) => name === PAGE)?.[1];
  return word === undefined ? undefined : openPlace(word, scopeOf(request), secret);
}

export function selfUrl(request: FhirRequest, pairs: readonly (readonly [string, string])[]): string {
  const query = queryText(pairs);
  const scope = scopeOf(request);
  const path = scope === '' ? request.base : `${request.base}/${scope}`;
  return query === '' ? path : `${path}?${query}`;
}

export const nextUrl = (request: FhirRequest, place: Omit<Place, 'type'>, secret: string): string =>
  selfUrl(request, [[PAGE, sealPlace({ type: scopeOf(request), ...place }, secret)]]);
