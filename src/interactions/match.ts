// Which resource do criteria name? For conditional create, update, delete and conditional references.
// https://hl7.org/fhir/R4/http.html#cond-update
import { asObjects, asText } from '../fhir/elements.js';
import { fail } from '../fhir/errors.js';
import type { JsonDocument } from '../fhir/json-text.js';
import { queryPairs, queryText } from '../fhir/query-string.js';
import type { FhirRequest } from '../fhir/request.js';
import { parseSearch } from '../search/parse.js';
import type { Query } from '../search/query.js';
import type { Found, Transaction } from '../store/store.js';
import type { Context } from './context.js';

const RESULT_PARAMETERS = /^_(?:count|sort|include|revinclude|summary|elements|total|contained|format|pretty)/;

/** The one match or undefined; several are 412, criteria that say nothing 400 (they would match any resource). */
export async function matchOne(type: string, criteria: string, context: Context): Promise<Found | undefined> {
  const { matches } = await context.store.search(context.grant, criteriaQuery(type, criteria, 2, context));
  if (matches.length > 1) throw fail('multiple-matches', { text: `"${criteria}" matches more than one ${type}: make it narrower` });
  return matches[0];
}

/** All matches, if they are no more than `most`; else 412, which says how many there are. */
export async function matchAll(type: string, criteria: string, most: number, context: Context): Promise<readonly Found[]> {
  const query = criteriaQuery(type, criteria, most + 1, context);
  const { matches } = await context.store.search(context.grant, query);
  if (matches.length <= most) return matches;
  const { total = matches.length } = await context.store.search(context.grant, { ...query, count: 0, total: 'accurate' });
  throw fail('multiple-matches', { text: `"${criteria}" matches ${total} resources of type ${type}, and one request may delete ${most}: make it narrower` });
}

function criteriaQuery(type: string, criteria: string, count: number, { parts: { definitions }, now }: Context): Query {
  const pairs = criteriaPairs(criteria);
  if (pairs.length === 0) throw fail('bad-request', { text: `The criteria "${criteria}" have no search parameter` });
  return parseSearch({ definitions, type, pairs, handling: 'strict', defaultCount: count, maxCount: count, now }).query;
}

function criteriaPairs(criteria: string): [name: string, value: string][] {
  return queryPairs(criteria.replace(/^[^?]*\?/, '')).filter(([name]) => !RESULT_PARAMETERS.test(name));
}

/** One key for the same criteria however they are written: with or without the type, escaped or not, in any order. */
export function criteriaKey(type: string, criteria: string): string {
  const pairs = criteriaPairs(criteria).map(([name, value]) => `${name}=${value}`);
  return `${type}?${pairs.sort().join('&')}`;
}

/**
 * Makes all wait for each other who ask about the same thing at the same moment: by the identifiers that the criteria and the body name, so that other
 * words for one identity meet here, too; by the criteria as a whole where they name none.
 */
export async function takeTurn(type: string, criteria: string, body: JsonDocument | undefined, { tx }: { readonly tx: Transaction }): Promise<void> {
  const named = criteriaPairs(criteria).flatMap(([name, value]) => (name === 'identifier' ? value.split(',') : []));
  const keys = new Set([...named, ...identifiersOf(body)].map((value) => `${type}?identifier=${value}`));
  if (named.length === 0) keys.add(criteriaKey(type, criteria));
  for (const key of [...keys].sort()) await tx.lockKey(key);
}

const identifiersOf = (body: JsonDocument | undefined): string[] =>
  asObjects(body?.value['identifier']).flatMap(({ system, value }) => (typeof value === 'string' ? [`${asText(system) ?? ''}|${value}`] : []));

/** The criteria of a conditional update or delete, which stand in the URL. */
export const criteriaText = (request: Pick<FhirRequest, 'query'>): string =>
  queryText(request.query);
