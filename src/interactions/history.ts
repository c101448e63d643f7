// The history of one resource, newest first. https://hl7.org/fhir/R4/http.html#history
import { historyText, type HistoryEntry, type Link } from '../fhir/bundle.js';
import type { Start } from '../search/page-link.js';
import { pageLinks, placeOf } from '../search/search-request.js';
import type { HistoryVersion } from '../store/store.js';
import type { Handler } from './context.js';
import { historyOfTypes } from './history-of-types.js';
import { readHistoryParameters } from './history-parameters.js';
import { patientsOfVersions, readSubset, subsetOfVersions } from './subset.js';

export const history: Handler = async (request, context) => {
  const { type = '', id = '' } = request;
  const { pageSecret, definitions } = context.parts;
  const place = placeOf(request, pageSecret);
  const pairs = place?.pairs ?? request.query;
  // By moment or in the other order: as the history of a type, of this one alone.
  if (pairs.some(([name]) => name === '_at' || name === '_sort')) return historyOfTypes(request, context);
  const page = { ...readHistoryParameters(request, pairs, context.parts.limits.page), ...(place?.after && { before: Number(place.after.keys[0]) }) };
  const subset = readSubset(definitions, pairs);
  // Nothing since a moment is not the same as nothing at all.
  const isThere = async (): Promise<boolean> => page.since !== undefined && (await context.store.read(context.grant, type, id)) !== undefined;
  const { versions, total } = await context.store.history(context.grant, type, id, { ...page, count: page.count + 1 });
  if (total === 0 && !(await isThere())) throw context.grant.absent(type, id);
  const linksTo = (next: Start | undefined): readonly Link[] => pageLinks(request, { pairs, used: pairs, place, next }, pageSecret);
  if (page.counted) return { status: 200, body: historyText({ total, links: linksTo(undefined), entries: [] }), about: patientsOfVersions(versions) };
  const shown = versions.slice(0, page.count);
  const last = versions.length > shown.length ? shown.at(-1) : undefined;
  const entries = subsetOfVersions(subset, shown).map((version) => entry(version, request.base));
  return { status: 200, body: historyText({ total, links: linksTo(last && { after: { keys: [last.version], id } }), entries }), ...(subset && { about: patientsOfVersions(shown) }) };
};

const entry = (version: HistoryVersion, base: string): HistoryEntry => ({ ...version, fullUrl: `${base}/${version.type}/${version.id}` });
