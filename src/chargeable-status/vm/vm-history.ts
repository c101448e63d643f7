// What the status observation said before: its history and each of its versions, for Overseas Visitors Managers alone (VM-08).
import { historyText, type HistoryEntry, type Link } from '../../fhir/bundle.js';
import { dateRange } from '../../fhir/date-time.js';
import { fail } from '../../fhir/errors.js';
import { namesVersion } from '../../fhir/etag.js';
import type { FhirRequest, FhirResponse } from '../../fhir/request.js';
import type { Answerer } from '../../store/answerer.js';
import { VM_OBSERVATION_ID } from '../codes.js';
import type { NonePolicy } from '../status/effective-status.js';
import { beliefsOf } from '../status/status-past.js';
import { statusByObservation } from '../status/status-row.js';
import { mayAsk, NO_STORE } from './vm-search.js';
import { vmVersions, type VmVersion } from './vm-versions.js';

/** Who is told of other moments than this. */
export const seesPast = (role: string): boolean => role === 'ovm' || role === 'admin';

export function createVmHistory(nonePolicy: NonePolicy): Answerer {
  return {
    concerns: ({ interaction, type, id }, grant) =>
      (interaction === 'vread' || interaction === 'history') && type === 'Observation' && id?.startsWith(VM_OBSERVATION_ID) === true && mayAsk(grant),
    async answer(request, { db, now, grant }) {
      if (!seesPast(grant.caller.role)) throw fail('forbidden', { text: 'Only an Overseas Visitors Manager may see what a status was before: read the observation as it is' });
      const row = await statusByObservation(db, request.id ?? '');
      const versions = row ? vmVersions(row, await beliefsOf(db, row.patient), now, nonePolicy) : [];
      // The ordinary road knows no such Observation either, and says so.
      if (!row || versions.length === 0) return undefined;
      const answered = request.interaction === 'vread' ? oneVersion(versions, request) : allVersions(versions, request);
      return { ...answered, headers: NO_STORE, about: [row.patient] };
    },
  };
}

function oneVersion(versions: readonly VmVersion[], { id, version, ifNoneMatch }: FhirRequest): FhirResponse {
  const found = versions.find((one) => String(one.version) === version);
  if (!found) throw fail('not-found', { text: `There is no version ${version} of Observation/${id}` });
  if (found.text === null) throw fail('gone', { text: `Observation/${id} is gone in version ${version}: nothing was asserted of the patient any more` });
  const head = { version: String(found.version), updated: found.updated };
  return ifNoneMatch !== undefined && namesVersion(ifNoneMatch, found.version) ? { status: 304, ...head } : { status: 200, body: found.text, ...head };
}

interface Page {
  readonly count: number;
  /** Milliseconds, inclusive. */
  readonly since: number;
  /** Versions below this. */
  readonly before: number;
}

/** Newest first, as every history. */
function allVersions(versions: readonly VmVersion[], request: FhirRequest): FhirResponse {
  const { count, since, before } = pageOf(request);
  const asked = versions.filter(({ updated }) => updated >= since).reverse();
  const rest = asked.filter(({ version }) => version < before);
  const shown = rest.slice(0, count);
  const id = request.id ?? '';
  const fullUrl = `${request.base}/Observation/${id}`;
  const entries = shown.map((one): HistoryEntry => ({ ...one, fullUrl, type: 'Observation', id }));
  return { status: 200, body: historyText({ total: asked.length, links: linksOf(request, `${fullUrl}/_history`, rest.length > count ? shown.at(-1)?.version : undefined), entries }) };
}

const MOST = 1000;

function pageOf({ query }: FhirRequest): Page {
  let page: Page = { count: 100, since: -Infinity, before: Infinity };
  for (const [name, value] of query) {
    if (name === '_count') page = { ...page, count: Math.min(wholeNumber(name, value), MOST) };
    else if (name === '_before') page = { ...page, before: wholeNumber(name, value) };
    else if (name === '_since') page = { ...page, since: dateRange(value)?.lo ?? refuse(name) };
    else if (name !== '_format' && name !== '_pretty') throw fail('unknown-parameter', { text: 'The history of a status observation takes _count and _since', expression: name.slice(0, 64) });
  }
  return page;
}

const wholeNumber = (name: string, value: string): number => (/^[1-9]\d{0,8}$/.test(value) ? Number(value) : refuse(name));

function refuse(name: string): never {
  throw fail('invalid-parameter', { text: name === '_since' ? '_since must be a moment such as 2026-11-21T12:00:00Z, or a day' : `${name} must be a positive whole number`, expression: name });
}

function linksOf({ query }: FhirRequest, path: string, before: number | undefined): Link[] {
  const url = (pairs: FhirRequest['query']): string => (pairs.length === 0 ? path : `${path}?${pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`);
  const self: Link = { relation: 'self', url: url(query) };
  return before === undefined ? [self] : [self, { relation: 'next', url: url([...query.filter(([name]) => name !== '_before'), ['_before', String(before)]]) }];
}
