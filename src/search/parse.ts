// From the pairs of a query string to the tree of a search. https://hl7.org/fhir/R4/search.html
import type { Definitions } from '../definitions/model.js';
import { fail } from '../fhir/errors.js';
import type { Issue } from '../fhir/issue.js';
import { readCriterion, waysOfSearch, type CriterionContext } from './criterion.js';
import { readFilter } from './filter.js';
import { USUAL_LIMITS, type SearchLimits } from './limits.js';
import type { Clause, Query } from './query.js';
import { resultSetter, type ResultSettings } from './result-parameters.js';

export interface SearchRequest {
  readonly definitions: Definitions;
  readonly type: string;
  /** Decoded, in the order sent. */
  readonly pairs: readonly (readonly [name: string, value: string])[];
  /** What to do with a parameter that is not known or has no value: refuse it, or leave it out and warn. https://hl7.org/fhir/R4/search.html#errors */
  readonly handling: 'strict' | 'lenient';
  readonly defaultCount: number;
  /** A larger `_count` is cut to this. */
  readonly maxCount: number;
  /** The usual ones where the server itself asks. */
  readonly limits?: SearchLimits;
  /** URL of this service: references that begin with it are ours. */
  readonly base?: string;
  /** Milliseconds since the epoch: how far `ap` on a date reaches; without it no further than the date itself. */
  readonly now?: number;
  /** Will code-lists.ts look up what `:in` and `:below` stand for? */
  readonly lists?: boolean;
  /** Will the store bring the index of words up to date? */
  readonly words?: boolean;
  /** Can what resources contain be searched for? */
  readonly contained?: boolean;
}

export interface ParsedSearch {
  readonly query: Query;
  /** One for each parameter that was left out. */
  readonly warnings: readonly Issue[];
}

/** Told how many match unless `_total` says otherwise: whoever looks through a directory wants to know, and it is never long (domain.md 2.1 E9). */
const COUNTED: ReadonlySet<string> = new Set(['HealthcareService']);

/** Throws 400 where a value or modifier is wrong, and under `strict` for what is not known. */
export function parseSearch(request: SearchRequest): ParsedSearch {
  const { definitions, type, pairs, maxCount, defaultCount, limits = USUAL_LIMITS, base = '', now, lists = false, words = false, contained = false } = request;
  const context: CriterionContext = { definitions, base, types: definitions.resourceTypes, hops: limits.hops, lists, words, ways: waysOfSearch(), now };
  const settings: ResultSettings = { sort: [], count: defaultCount, total: COUNTED.has(type) ? 'accurate' : 'none', includes: [] };
  const criteria: Clause[] = [];
  const self: (readonly [string, string])[] = [];
  const warnings: Issue[] = [];
  for (const [name, value] of pairs) {
    refuseNul(name, value);
    refuseNamed(name, value);
    if (value === '' && request.handling === 'lenient') {
      warnings.push(leftOut(`The parameter ${name} has no value`, name, 'lenient'));
      continue;
    }
    const setter = resultSetter(name);
    let unknown: string | undefined;
    if (setter) {
      unknown = setter(settings, value, { definitions, type, maxCount, contained }, name.split(':', 2)[1]);
    } else {
      const criterion = name === '_filter' ? readFilter(context, type, value) : readCriterion(context, type, name, value);
      if (criterion) criteria.push(criterion);
      else unknown = `${type} is not searched by ${name} here`;
    }
    if (unknown === undefined) self.push([name, value]);
    else warnings.push(leftOut(unknown, name, request.handling));
  }
  if (settings.includes.length > 0) refuseTextOf(pairs);
  // Each is a part of one statement.
  if (criteria.length > limits.criteria) throw fail('invalid-parameter', { text: `A search may have ${limits.criteria} criteria, not ${criteria.length}: ask for less at once` });
  const query = toQuery(type, settings, criteria, self);
  return { query: request.limits ? { ...query, mostIncluded: limits.included } : query, warnings };
}

function toQuery(type: string, { sort, count, total, includes, explain, contained, containedType }: ResultSettings, criteria: readonly Clause[], self: Query['self']): Query {
  const where: Clause = criteria.length > 1 ? { kind: 'and', of: criteria } : criteria[0] ?? { kind: 'all' };
  const query: Query = { type, where, self, sort, count, includes, total: count === 0 ? 'accurate' : total };
  if (explain === undefined && contained === undefined) return query;
  return { ...query, ...(explain !== undefined && { explain }), ...(contained && { contained: { ...contained, ...(containedType && { give: containedType }) } }) };
}

/** Its name decides what is searched: to leave it out would be to answer something else. https://hl7.org/fhir/R4/search.html#query */
function refuseNamed(name: string, value: string): void {
  if (name === '_query') throw fail('unknown-parameter', { text: `There is no named query "${value.slice(0, 64)}" here: write the criteria as parameters`, expression: '_query' });
}

/** Narratives alone do not say what refers to what. https://hl7.org/fhir/R4/search.html#summary */
function refuseTextOf(pairs: SearchRequest['pairs']): void {
  if (!pairs.some(([name, value]) => name === '_summary' && value === 'text')) return;
  throw fail('invalid-parameter', { text: '_include and _revinclude do not go with _summary=text: leave them out, or ask for another summary', expression: '_summary' });
}

/** PostgreSQL's text can't hold it, so nothing stored has one. */
function refuseNul(name: string, value: string): void {
  if (value.includes('\0') || name.includes('\0')) throw fail('invalid-parameter', { text: 'A parameter holds the character NUL, which no FHIR string has', expression: name.replaceAll('\0', '') });
}

function leftOut(text: string, name: string, handling: 'strict' | 'lenient'): Issue {
  if (handling === 'strict') throw fail('unknown-parameter', { text, expression: name });
  return { severity: 'warning', code: 'not-supported', text: `${text}: it was left out`, expression: name };
}
