// Which resource do criteria name? For conditional create, update, delete and conditional references.
// https://hl7.org/fhir/R4/http.html#cond-update
import { fail } from '../fhir/errors.js';
import { queryPairs, queryText } from '../fhir/query-string.js';
import type { FhirRequest } from '../fhir/request.js';
import { parseSearch } from '../search/parse.js';
import type { Found } from '../store/store.js';
import type { Context } from './context.js';

const RESULT_PARAMETERS = /^_(?:count|sort|include|revinclude|summary|elements|total|contained|format|pretty)/;

/** The one match or undefined; several are 412, criteria that say nothing 400 (they would match any resource). */
export async function matchOne(type: string, criteria: string, context: Context): Promise<Found | undefined> {
  const pairs = criteriaPairs(criteria);
  if (pairs.length === 0) throw fail('bad-request', { text: `The criteria "${criteria}" have no search parameter` });
  const { definitions } = context.parts;
  const { query } = parseSearch({ definitions, type, pairs, handling: 'strict', defaultCount: 2, maxCount: 2, now: context.now });
  const { matches } = await context.store.search(context.grant, query);
  if (matches.length > 1) throw fail('multiple-matches', { text: `"${criteria}" matches more than one ${type}: make it narrower` });
  return matches[0];
}

function criteriaPairs(criteria: string): [name: string, value: string][] {
  return queryPairs(criteria.replace(/^[^?]*\?/, '')).filter(([name]) => !RESULT_PARAMETERS.test(name));
}

/** One key for the same criteria however they are written: with or without the type, escaped or not, in any order. */
export function criteriaKey(type: string, criteria: string): string {
  const pairs = criteriaPairs(criteria).map(([name, value]) => `${name}=${value}`);
  return `${type}?${pairs.sort().join('&')}`;
}

/** The criteria of a conditional update or delete, which stand in the URL. */
export const criteriaText = (request: Pick<FhirRequest, 'query'>): string =>
  queryText(request.query);
