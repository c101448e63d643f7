// $export: everything there is of some types, as files of NDJSON that are made ready beside the requests. https://hl7.org/fhir/uv/bulkdata/export.html
import { isInstant, dateRange } from '../../fhir/date-time.js';
import { referenceId } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import { queryText } from '../../fhir/query-string.js';
import type { FhirRequest, FhirResponse } from '../../fhir/request.js';
import type { Context } from '../../interactions/context.js';
import { EXPORT, filterClause, type ExportRequest } from '../../jobs/export-request.js';
import { jobUrl } from '../../jobs/job-door.js';
import { makeJob, queueJob } from '../../jobs/job-table.js';
import { patientTypes } from '../../search/compartment.js';
import { resultSetter } from '../../search/result-parameters.js';
import { readInput, type Input, type InputNames } from '../input.js';
import { membersOf } from './members.js';
import type { Operation } from '../operation.js';
import type { TerminologyOperations } from '../terminology/terminology-parts.js';

const INPUT: InputNames = { _outputFormat: 'text', _since: 'text', _type: 'text*', _typeFilter: 'text*', _elements: 'text*' };
const OF_PATIENTS: InputNames = { ...INPUT, patient: 'Reference*' };
const FORMATS: ReadonlySet<string> = new Set(['application/fhir+ndjson', 'application/ndjson', 'ndjson']);
const MOST_PATIENTS = 1000;

export interface ExportParts extends Pick<TerminologyOperations, 'definitions' | 'validate' | 'newId'> {
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Told that there is an export to be made. */
  readonly exportQueued: () => void;
}

/** Of the system, of all patients, and of the members of a Group. */
export function createExportOperations(parts: ExportParts): readonly Operation[] {
  const handle = (request: FhirRequest, context: Context): Promise<FhirResponse> => begin(request, context, parts);
  const shared = { code: EXPORT, system: false, types: [], instances: [], affectsState: false, makesJob: true, handle };
  return [
    { ...shared, definition: definitionOf('export'), system: true },
    { ...shared, definition: definitionOf('patient-export'), types: ['Patient'] },
    { ...shared, definition: definitionOf('group-export'), instances: ['Group'] },
  ];
}

const definitionOf = (id: string): string => `http://hl7.org/fhir/uv/bulkdata/OperationDefinition/${id}`;

async function begin(request: FhirRequest, context: Context, { newId, clock, exportQueued, ...parts }: ExportParts): Promise<FhirResponse> {
  if (request.inBundle) throw fail('bad-request', { text: '$export is a request of its own, not an entry of a Bundle' });
  if (request.respondAsync !== true) throw fail('bad-request', { text: '$export is answered later: send the header Prefer: respond-async' });
  const asked = await readExport(request, context, parts);
  const [id, now] = [newId(), clock()];
  const { client, role } = asked.caller;
  await makeJob(context.db, { id, type: EXPORT, client, role, request: JSON.stringify(asked), progress: '{"step":0,"files":[]}', now });
  await queueJob(context.db, id, 0, now);
  exportQueued();
  return { status: 202, headers: { 'content-location': jobUrl(request.base, id), 'preference-applied': 'respond-async', 'retry-after': '1' } };
}

async function readExport(request: FhirRequest, context: Context, { definitions, validate }: Pick<ExportParts, 'definitions' | 'validate'>): Promise<ExportRequest> {
  const { type, id, base } = request;
  const names = type === undefined ? INPUT : OF_PATIENTS;
  const input = readInput({ ...request, query: known(request, names) }, names, validate);
  requireFormat(input.text('_outputFormat'));
  const types = typesOf(commaList(input, '_type'), request, context, definitions.resourceTypes);
  const patients = await patientsOf(request, context, input);
  return {
    caller: context.grant.caller,
    called: { type, id, base },
    url: urlOf(request),
    types,
    filters: await filtersOf(input.texts('_typeFilter'), types, base, context),
    elements: commaList(input, '_elements'),
    ...(patients && { patients }),
    ...sinceOf(input.text('_since')),
  };
}

/** https://hl7.org/fhir/uv/bulkdata/export.html#query-parameters: what is not supported is refused, or left out where the caller says so. */
function known({ query, preferHandling }: FhirRequest, names: InputNames): FhirRequest['query'] {
  const associated = query.some(([name]) => name === 'includeAssociatedData');
  if (preferHandling === 'lenient') return query.filter(([name]) => Object.hasOwn(names, name) || name.startsWith('_format'));
  if (associated) throw fail('unknown-parameter', { text: 'includeAssociatedData is not known here: name what is wanted by _type and _typeFilter', expression: 'includeAssociatedData' });
  return query;
}

const commaList = (input: Input, name: string): readonly string[] => [...new Set(input.texts(name).flatMap((text) => text.split(',')).map((text) => text.trim()).filter((text) => text !== ''))];

function requireFormat(format: string | undefined): void {
  // A plus that was not escaped has become a space.
  if (format === undefined || FORMATS.has(format.trim().replace(' ', '+').toLowerCase())) return;
  throw fail('invalid-parameter', { text: `_outputFormat must be application/fhir+ndjson, application/ndjson or ndjson, not ${JSON.stringify(format.slice(0, 60))}`, expression: '_outputFormat' });
}

function sinceOf(text: string | undefined): { readonly since?: number } {
  if (text === undefined) return {};
  const range = isInstant(text) ? dateRange(text) : undefined;
  if (!range) throw fail('invalid-parameter', { text: `_since must be an instant such as 2026-11-21T12:00:00Z, not ${JSON.stringify(text.slice(0, 60))}`, expression: '_since' });
  return { since: range.lo };
}

/** Those asked for, or all, that the caller may search. */
function typesOf(named: readonly string[], { type }: FhirRequest, { grant, parts: { definitions } }: Context, all: readonly string[]): readonly string[] {
  const inside = type === undefined ? all : patientTypes(definitions);
  const unknown = named.find((name) => !all.includes(name));
  if (unknown !== undefined) throw fail('invalid-parameter', { text: `_type names ${unknown.slice(0, 64)}, which is no resource type of FHIR R4`, expression: '_type' });
  const outside = named.find((name) => !inside.includes(name));
  if (outside !== undefined) throw fail('invalid-parameter', { text: `_type names ${outside}, which is not in the compartment of a Patient: ask for it by $export of the system`, expression: '_type' });
  const refused = named.find((name) => !grant.allows('search', name));
  if (refused !== undefined) throw fail('forbidden', { text: `The role ${grant.caller.role} may not search ${refused}`, expression: '_type' });
  return named.length > 0 ? named : inside.filter((name) => grant.allows('search', name));
}

/** `Observation?code=a&date=gt2020`, as often as wanted. */
async function filtersOf(texts: readonly string[], types: readonly string[], base: string, context: Context): Promise<ExportRequest['filters']> {
  const filters: Record<string, string[]> = {};
  for (const text of texts) {
    const mark = text.indexOf('?');
    const [type, query] = [text.slice(0, Math.max(mark, 0)), text.slice(mark + 1)];
    if (!types.includes(type)) throw badFilter(text, mark < 0 ? 'write it as Type?parameter=value' : `${type} is not among the types of this export`);
    const result = query.split('&').map((pair) => pair.split(/[=:]/, 1)[0] ?? '').find((name) => resultSetter(name) !== undefined);
    if (result !== undefined) throw badFilter(text, `${result} says how to give a result, and a filter says only what is wanted`);
    await filterClause(type, query, base, context);
    (filters[type] ??= []).push(query);
  }
  return filters;
}

const badFilter = (text: string, why: string) => fail('invalid-parameter', { text: `_typeFilter ${JSON.stringify(text.slice(0, 100))} can't be used: ${why}`, expression: '_typeFilter' });

/** Undefined for all there are. */
async function patientsOf(request: FhirRequest, context: Context, input: Input): Promise<readonly string[] | undefined> {
  const named = input.values('patient').map((reference) => referenceId(reference, 'Patient') ?? '');
  if (named.length > MOST_PATIENTS) throw fail('invalid-parameter', { text: `Name ${MOST_PATIENTS} patients at most, or make a Group of them`, expression: 'patient' });
  const members = request.type === 'Group' ? await membersOf(request.id ?? '', context) : undefined;
  for (const id of named) {
    const isThere = members ? members.includes(id) : id !== '' && (await context.store.read(context.grant, 'Patient', id))?.text != null;
    if (!isThere) throw fail('invalid-parameter', { text: `The parameter patient names Patient/${id.slice(0, 64)}, which is not ${members ? 'a member of the Group' : 'here'}`, expression: 'patient' });
  }
  return named.length > 0 ? [...new Set(named)] : members;
}

function urlOf({ base, type, id, query, method }: FhirRequest): string {
  const path = [base, type, id, '$export'].filter((part) => part !== undefined).join('/');
  return method === 'GET' && query.length > 0 ? `${path}?${queryText(query)}` : path;
}
