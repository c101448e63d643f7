// The history of a type, of everything, or of one resource at a moment, newest first unless asked otherwise. https://hl7.org/fhir/R4/http.html#history
import { historyText, type Link } from '../fhir/bundle.js';
import { fail, type FhirError } from '../fhir/errors.js';
import { queryText } from '../fhir/query-string.js';
import type { FhirRequest } from '../fhir/request.js';
import type { HistoryPlace, HistoryVersion } from '../store/store.js';
import type { Context, Handler } from './context.js';
import { readHistoryParameters } from './history-parameters.js';
import { openPlace, PAGE, sealPlace } from '../search/page-link.js';
import { patientsOfVersions, readSubset, subsetOfVersions } from './subset.js';
import { typesNamed } from './type-parameter.js';

export const historyOfTypes: Handler = async (request, context) => {
  const scope = [request.type, request.id, '_history'].filter((part) => part !== undefined).join('/');
  const { pairs, after } = startOf(request, scope, context);
  const parameters = readHistoryParameters(request, pairs, ['_type']);
  if (parameters.counted) throw notCounted();
  const subset = readSubset(context.parts.definitions, pairs);
  const types = typesAsked(request, context, pairs);
  const versions = await context.store.historyOfTypes(context.grant, { ...parameters, types, count: parameters.count + 1, ...(request.id !== undefined && { id: request.id }), ...(after && { after }) });
  if (versions.length === 0 && !after) await requireThere(request, context);
  const shown = versions.slice(0, parameters.count);
  const more = versions.length > shown.length ? shown.at(-1) : undefined;
  const links: Link[] = [{ relation: 'self', url: urlOf(request, scope, pairs) }];
  if (more) links.push({ relation: 'next', url: urlOf(request, scope, [[PAGE, sealPlace({ type: scope, pairs, after: cursorOf(more) }, context.parts.pageSecret)]]) });
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

/** The pairs of the first page, and where this one goes on. */
function startOf(request: FhirRequest, scope: string, context: Context): { pairs: FhirRequest['query']; after: HistoryPlace | undefined } {
  const word = request.query.find(([name]) => name === PAGE)?.[1];
  if (word === undefined) return { pairs: request.query, after: undefined };
  const { pairs, after } = openPlace(word, scope, context.parts.pageSecret);
  return { pairs, after: after && placeOf(after) };
}

const cursorOf = ({ updated, type, id, version }: HistoryVersion) => ({ keys: [updated, type, version], id });

function placeOf({ keys: [updated, type, version], id }: { readonly keys: readonly (string | number | null)[]; readonly id: string }): HistoryPlace {
  return { updated: Number(updated), type: String(type), version: Number(version), id };
}

/** `_type` narrows the history of everything, as it does a search of everything. */
function typesAsked(request: FhirRequest, { grant, parts: { definitions } }: Context, pairs: FhirRequest['query']): readonly string[] {
  if (request.type !== undefined) return [request.type];
  return typesNamed(pairs, definitions.resourceTypes, definitions).filter((type) => grant.allows('history', type));
}

function urlOf(request: FhirRequest, scope: string, pairs: FhirRequest['query']): string {
  const query = queryText(pairs);
  return `${request.base}/${scope}${query === '' ? '' : `?${query}`}`;
}
