// The history of one resource, newest first. https://hl7.org/fhir/R4/http.html#history
import { historyText, type HistoryEntry, type Link } from '../fhir/bundle.js';
import { dateRange } from '../fhir/date-time.js';
import { fail } from '../fhir/errors.js';
import type { FhirRequest } from '../fhir/request.js';
import type { HistoryVersion } from '../store/store.js';
import type { Handler } from './context.js';

const DEFAULT_COUNT = 100;
const MAX_COUNT = 1000;

interface Page {
  readonly count: number;
  readonly before?: number;
  readonly since?: number;
}

export const history: Handler = async (request, context) => {
  const { type = '', id = '' } = request;
  const page = readPage(request);
  // Nothing since a moment is not the same as nothing at all.
  const isThere = async (): Promise<boolean> => page.since !== undefined && (await context.store.read(context.grant, type, id)) !== undefined;
  const { versions, total } = await context.store.history(context.grant, type, id, { ...page, count: page.count + 1 });
  if (total === 0 && !(await isThere())) throw context.grant.absent(type, id);
  const shown = versions.slice(0, page.count);
  const last = shown.at(-1);
  const more = versions.length > shown.length && last ? last.version : undefined;
  return { status: 200, body: historyText({ total, links: links(request, more), entries: shown.map((version) => entry(version, request.base)) }) };
};

const entry = (version: HistoryVersion, base: string): HistoryEntry => ({ ...version, fullUrl: `${base}/${version.type}/${version.id}` });

function readPage(request: FhirRequest): Page {
  let page: Page = { count: DEFAULT_COUNT };
  for (const [name, value] of request.query) {
    if (name === '_count') page = { ...page, count: readCount(value) };
    else if (name === '_before') page = { ...page, before: readVersion(value) };
    else if (name === '_since') page = { ...page, since: readSince(value) };
    else if (name !== '_format' && name !== '_pretty' && request.preferHandling === 'strict')
      throw fail('unknown-parameter', { text: `History has no parameter ${name}: use _count and _since` });
  }
  return page;
}

function readCount(value: string): number {
  if (!/^\d{1,9}$/.test(value) || Number(value) === 0) throw fail('invalid-parameter', { text: '_count must be a positive whole number' });
  return Math.min(Number(value), MAX_COUNT);
}

function readVersion(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw fail('invalid-parameter', { text: 'The page link is not one this server made' });
  return Number(value);
}

function readSince(value: string): number {
  const range = dateRange(value);
  if (!range) throw fail('invalid-parameter', { text: `_since must be an instant such as 2026-11-21T12:00:00Z` });
  return range.lo;
}

function links(request: FhirRequest, before: number | undefined): Link[] {
  const path = `${request.base}/${request.type}/${request.id}/_history`;
  const query = request.query.filter(([name]) => name !== '_before');
  const url = (pairs: readonly (readonly [string, string])[]): string =>
    pairs.length === 0 ? path : `${path}?${pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`;
  const self: Link = { relation: 'self', url: url(request.query) };
  return before === undefined ? [self] : [self, { relation: 'next', url: url([...query, ['_before', String(before)]]) }];
}
