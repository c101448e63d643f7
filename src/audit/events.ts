// Reads of AuditEvent: what the server recorded is answered here, and searches join it with what clients sent.
import type { Definitions } from '../definitions/model.js';
import { historyText, searchsetText } from '../fhir/bundle.js';
import { fail } from '../fhir/errors.js';
import { namesVersion } from '../fhir/etag.js';
import { outcomeText } from '../fhir/outcome.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { SearchLimits } from '../search/limits.js';
import { isFirst, pageLinks, placeOf, readSearch } from '../search/search-request.js';
import type { Grant } from '../search/grant.js';
import type { AnswerContext, Answerer } from '../store/answerer.js';
import { auditEventText } from './audit-event.js';
import { auditRows, type AuditRows } from './audit-rows.js';
import { readEvent, timeOf } from './event-row.js';
import { searchEvents } from './event-search.js';
import { eventUuid, isServerMade } from './server-made.js';

export interface EventParts {
  readonly definitions: Definitions;
  readonly limits: SearchLimits;
  readonly pageSecret: string;
}

const BY_ID = new Set(['read', 'vread', 'history']);
const TYPE = 'AuditEvent';

export function createEvents(parts: EventParts): Answerer {
  return {
    concerns: ({ type, interaction, id }) => type === TYPE && (interaction === 'search' || (BY_ID.has(interaction) && isServerMade(id))),
    answer: (request, context) => (request.interaction === 'search' ? search(request, context, parts) : one(request, context)),
  };
}

/** Scopes with search arguments, or bound to a patient in context, reach only what is stored as a resource: what the server recorded is not judged by them. */
const rowsFor = (grant: Grant, letter: 'R' | 'S'): AuditRows => (grant.scoped?.(TYPE, letter) ? { kind: 'none' } : auditRows(grant.caller));

async function one(request: FhirRequest, { db, grant }: AnswerContext): Promise<FhirResponse> {
  const { id = '', version, interaction, base } = request;
  const rows = rowsFor(grant, 'R');
  const uuid = eventUuid(id);
  const row = uuid === undefined || (version !== undefined && version !== '1') ? undefined : await readEvent(db, rows, uuid);
  if (!row) throw fail('not-found', { text: version === undefined ? `There is no ${TYPE}/${id}` : `There is no version ${version} of ${TYPE}/${id}` });
  const text = auditEventText(row, rows);
  const updated = timeOf(row.id);
  if (interaction === 'history') {
    const entry = { fullUrl: `${base}/${TYPE}/${id}`, type: TYPE, id, version: 1, updated, method: 'POST', text } as const;
    return { status: 200, body: historyText({ total: 1, links: [{ relation: 'self', url: `${base}/${TYPE}/${id}/_history` }], entries: [entry] }) };
  }
  const head = { version: '1', updated };
  if (request.ifNoneMatch !== undefined && namesVersion(request.ifNoneMatch, 1)) return { status: 304, ...head, about: [row.patient ?? [], row.others ?? []].flat() };
  return { status: 200, body: text, ...head };
}

async function search(request: FhirRequest, { db, store, grant, now }: AnswerContext, { definitions, limits, pageSecret }: EventParts): Promise<FhirResponse> {
  const { base } = request;
  const place = placeOf(request, pageSecret);
  const pairs = place?.pairs ?? request.query;
  const { query, warnings } = readSearch(request, { parts: { definitions, limits }, now }, TYPE, pairs);
  const date = definitions.searchParameters(TYPE).get('date');
  const sort = query.sort.length === 0 && date ? [{ parameter: date, descending: true }] : query.sort;
  const page = await searchEvents({ ...query, sort, ...(place?.after && { after: place.after }) }, { db, store, grant, rows: rowsFor(grant, 'S'), now });
  const links = pageLinks(request, { pairs, used: query.self, place, next: page.next && { after: page.next } }, pageSecret);
  const total = page.total ?? (!isFirst(place) || page.next ? undefined : page.matches.length);
  const outcome = warnings.length > 0 ? { outcome: outcomeText(warnings) } : {};
  return { status: 200, body: searchsetText({ ...(total !== undefined && { total }), links, base, matches: page.matches, includes: page.includes, ...outcome }) };
}
