// Operations that also answer with a table, as spreadsheets take it: Accept: text/csv or _format=text/csv.
import { csvLine, type CsvCell } from '../fhir/csv.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';

/** Codes of the operations that write CSV. */
export const WRITES_CSV: ReadonlySet<string> = new Set(['statement', 'purchases', 'evaluate-measure']);

const CSV = new Set(['csv', 'text/csv']);

/** Does the request ask for CSV? `_format` overrides Accept; of several ranges in Accept the first that the server can write counts. An entry of a Bundle has JSON alone. */
export function asksCsv({ query, headers, inBundle }: FhirRequest): boolean {
  if (inBundle === true) return false;
  const format = query.find(([name]) => name === '_format')?.[1];
  if (format !== undefined) return CSV.has(mediaType(format));
  const accept = headers?.['accept'];
  const first = String(accept ?? '').split(',').map(mediaType).find((range) => CSV.has(range) || range.includes('json') || range.includes('xml') || range.includes('*'));
  return first !== undefined && CSV.has(first);
}

const mediaType = (range: string): string => range.split(';')[0]?.trim().toLowerCase() ?? '';

/** `name` without its ending: what a browser saves it as. */
export function csvResponse(name: string, head: readonly string[], rows: readonly (readonly CsvCell[])[], rest: Partial<FhirResponse> = {}): FhirResponse {
  const body = csvLine(head) + rows.map(csvLine).join('');
  return {
    status: 200, ...rest, body,
    headers: { 'content-type': 'text/csv; charset=utf-8', 'content-disposition': `attachment; filename="${name}.csv"`, 'x-content-type-options': 'nosniff', ...rest.headers },
  };
}
