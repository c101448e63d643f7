// The history of one resource, newest first. https://hl7.org/fhir/R4/http.html#history
import { historyText, type HistoryEntry, type Link } from '../fhir/bundle.js';
import { fail } from '../fhir/errors.js';
import type { FhirRequest } from '../fhir/request.js';
import type { HistoryVersion } from '../store/store.js';
import type { Handler } from './context.js';
import { historyOfTypes } from './history-of-types.js';
import { readHistoryParameters } from './history-parameters.js';
import { patientsOfVersions, readSubset, subsetOfVersions } from './subset.js';

export const history: Handler = async (request, context) => {
  const { type = '', id = '' } = request;
  // By moment or in the other order: as the history of a type, of this one alone.
  if (request.query.some(([name]) => name === '_at' || name === '_sort')) return historyOfTypes(request, context);
  const page = { ...readHistoryParameters(request, request.query, [BEFORE]), ...readBefore(request) };
  const subset = readSubset(context.parts.definitions, request.query);
  // Nothing since a moment is not the same as nothing at all.
  const isThere = async (): Promise<boolean> => page.since !== undefined && (await context.store.read(context.grant, type, id)) !== undefined;
  const { versions, total } = await context.store.history(context.grant, type, id, { ...page, count: page.count + 1 });
  if (total === 0 && !(await isThere())) throw context.grant.absent(type, id);
  if (page.counted) return { status: 200, body: historyText({ total, links: links(request, undefined), entries: [] }), about: patientsOfVersions(versions) };
  const shown = versions.slice(0, page.count);
  const last = shown.at(-1);
  const more = versions.length > shown.length && last ? last.version : undefined;
  const entries = subsetOfVersions(subset, shown).map((version) => entry(version, request.base));
  return { status: 200, body: historyText({ total, links: links(request, more), entries }), ...(subset && { about: patientsOfVersions(shown) }) };
};

const entry = (version: HistoryVersion, base: string): HistoryEntry => ({ ...version, fullUrl: `${base}/${version.type}/${version.id}` });

const BEFORE = '_before';

function readBefore(request: FhirRequest): { readonly before?: number } {
  const value = request.query.find(([name]) => name === BEFORE)?.[1];
  if (value === undefined) return {};
  if (!/^\d{1,15}$/.test(value)) throw fail('invalid-parameter', { text: 'The page link is not one this server made' });
  return { before: Number(value) };
}

function links(request: FhirRequest, before: number | undefined): Link[] {
  const path = `${request.base}/${request.type}/${request.id}/_history`;
  const query = request.query.filter(([name]) => name !== BEFORE);
  const url = (pairs: readonly (readonly [string, string])[]): string =>
    pairs.length === 0 ? path : `${path}?${pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`;
  const self: Link = { relation: 'self', url: url(request.query) };
  return before === undefined ? [self] : [self, { relation: 'next', url: url([...query, [BEFORE, String(before)]]) }];
}
