// The history of a type, of everything, or of one resource at a moment, newest first unless asked otherwise. https://hl7.org/fhir/R4/http.html#history
import { historyText } from '../fhir/bundle.js';
import { fail, type FhirError } from '../fhir/errors.js';
import type { FhirRequest } from '../fhir/request.js';
import type { HistoryPlace, HistoryVersion } from '../store/store.js';
import type { Context, Handler } from './context.js';
import { readHistoryParameters } from './history-parameters.js';
import type { Cursor } from '../search/query.js';
import { pageLinks, placeOf } from '../search/search-request.js';
import { patientsOfVersions, readSubset, subsetOfVersions } from './subset.js';
import { typesNamed } from './type-parameter.js';

export const historyOfTypes: Handler = async (request, context) => {
  const { pageSecret } = context.parts;
  const place = placeOf(request, pageSecret);
  const pairs = place?.pairs ?? request.query;
  const after = place?.after && versionAt(place.after);
  const parameters = readHistoryParameters(request, pairs, context.parts.limits.page, ['_type']);
  if (parameters.counted) throw notCounted();
  const subset = readSubset(context.parts.definitions, pairs);
  const types = typesAsked(request, context, pairs);
  const versions = await context.store.historyOfTypes(context.grant, { ...parameters, types, count: parameters.count + 1, ...(request.id !== undefined && { id: request.id }), ...(after && { after }) });
  if (versions.length === 0 && !after) await requireThere(request, context);
  const shown = versions.slice(0, parameters.count);
  const more = versions.length > shown.length ? shown.at(-1) : undefined;
  const links = pageLinks(request, { pairs, used: pairs, place, next: more && { after: cursorOf(more) } }, pageSecret);
  // The whole is on this page: its size is known for nothing.
  const total = more || after ? {} : { total: shown.length };
  const entries = subsetOfVersions(subset, shown).map((version) => ({ ...version, fullUrl: `${request.base}/${version.type}/${version.id}` }));
  return { status: 200, body: historyText({ ...total, links, entries }), ...(subset && { about: patientsOfVersions(shown) }) };
};

/** Every version there is would have to be looked at. */
const notCounted = (): FhirError =>
  fail('invalid-parameter', { text: 'Only the history of one resource, without _at and _sort, is counted: leave out _summary=count, or ask for [type]/[id]/_history?_summary=count', expression: '_summary' });

/** No version at the moment asked for is not the same as no resource. */
async function requireThere({ type, id }: FhirRequest, { store, grant }: Context): Promise<void> {
  if (type === undefined || id === undefined) return;
  if (!(await store.read(grant, type, id))) throw grant.absent(type, id);
}

const cursorOf = ({ updated, type, id, version }: HistoryVersion): Cursor => ({ keys: [updated, type, version], id });

function versionAt({ keys: [updated, type, version], id }: Cursor): HistoryPlace {
  return { updated: Number(updated), type: String(type), version: Number(version), id };
}

/** `_type` narrows the history of everything, as it does a search of everything. */
function typesAsked(request: FhirRequest, { grant, parts: { definitions } }: Context, pairs: FhirRequest['query']): readonly string[] {
  if (request.type !== undefined) return [request.type];
  return typesNamed(pairs, definitions.resourceTypes, definitions).filter((type) => grant.allows('history', type));
}
