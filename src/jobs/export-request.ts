// What a bulk export was asked for, as its job keeps it, and the searches that it comes to. https://hl7.org/fhir/uv/bulkdata/export.html
import type { Caller } from '../fhir/caller.js';
import { queryPairs } from '../fhir/query-string.js';
import type { FhirRequest } from '../fhir/request.js';
import type { Context } from '../interactions/context.js';
import { readListed } from '../interactions/listed-search.js';
import { compartmentClause, ofAnyPatient } from '../search/compartment.js';
import type { Clause } from '../search/query.js';

export const EXPORT = 'export';

export interface ExportRequest {
  readonly caller: Caller;
  /** What was called: its type and id, and the service's base. */
  readonly called: Pick<FhirRequest, 'type' | 'id' | 'base'>;
  /** The whole URL of the call. */
  readonly url: string;
  /** In the order of the files. */
  readonly types: readonly string[];
  /** Ids, where some patients are asked for and not all. */
  readonly patients?: readonly string[];
  /** Milliseconds since the epoch. */
  readonly since?: number;
  /** Queries by type: a resource is given out that any of them finds. */
  readonly filters: Readonly<Record<string, readonly string[]>>;
  /** `_elements`, as sent. */
  readonly elements: readonly string[];
}

/** The kick-off as a request, for the Grant of today. */
export const exportCall = ({ called }: Pick<ExportRequest, 'called'>): FhirRequest => ({ interaction: 'operation', method: 'GET', operation: EXPORT, query: [], ...called });

/** One search of an export. */
export interface ExportStep {
  readonly type: string;
  /** Of these patients. */
  readonly patients?: readonly string[];
  /** What was deleted, in place of what is there. */
  readonly deleted?: true;
}

/** Patients of one search. */
const PATIENTS = 50;

/** All there is to do, in order: a resource that belongs to several patients may be met more than once. */
export function exportSteps({ types, patients, since, filters }: ExportRequest): readonly ExportStep[] {
  const chunks = patients && Array.from({ length: Math.ceil(patients.length / PATIENTS) }, (_, index) => patients.slice(index * PATIENTS, (index + 1) * PATIENTS));
  const living = types.flatMap((type): ExportStep[] => chunks?.map((some) => ({ type, patients: some })) ?? [{ type }]);
  // Of what is gone nobody can say whether a query found it, or whose it was.
  const gone = since === undefined || patients ? [] : types.filter((type) => !(type in filters)).map((type): ExportStep => ({ type, deleted: true }));
  return [...living, ...gone];
}

/** The rows of a step. */
export async function stepClause(step: ExportStep, { called, filters }: ExportRequest, context: Context): Promise<Clause> {
  const { definitions } = context.parts;
  const { type, patients } = step;
  const of: Clause[] = [];
  if (patients) of.push({ kind: 'or', of: patients.map((id) => compartmentClause(definitions, { type: 'Patient', id }, type)) });
  else if (called.type !== undefined && type !== 'Patient') of.push(ofAnyPatient(definitions, type));
  const found = await Promise.all((filters[type] ?? []).map((query) => filterClause(type, query, called.base, context)));
  if (found.length > 0) of.push({ kind: 'or', of: found });
  return { kind: 'and', of };
}

/** Throws 400 for what is no search of the type. `query`: without the type and the question mark. */
export async function filterClause(type: string, query: string, base: string, context: Context): Promise<Clause> {
  const request: FhirRequest = { interaction: 'search', method: 'GET', type, query: queryPairs(query), base, preferHandling: 'strict' };
  return (await readListed(request, context, type, request.query)).query.where;
}
