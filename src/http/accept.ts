// Can the caller read what the server writes? Accept and _format. https://hl7.org/fhir/R4/http.html#mime-type
import { fail } from '../fhir/errors.js';

const JSON_NAMES = new Set(['json', 'text/json', 'application/json', 'application/fhir+json', 'application/json+fhir']);
const ANY = new Set(['*/*', 'application/*']);
const MAX_KNOWN = 1000;

/** Headers repeat: what was said of one once is remembered. */
const known = new Map<string, boolean>();

const CSV_NAMES = new Set(['csv', 'text/csv']);

/** Throws 406 unless JSON is among what the caller takes, or CSV where that is written too; `_format` in the query overrides the header. */
export function requireFormat(accept: string | undefined, query: string, csv = false): void {
  const format = query.includes('_format=') ? formatOf(query) : undefined;
  if (format !== undefined) {
    if (csv && CSV_NAMES.has(format)) return;
    if (!JSON_NAMES.has(format)) throw fail('not-acceptable', { text: `_format must be json: this server does not write ${format.slice(0, 60)}` });
    return;
  }
  if (accept !== undefined && accept !== '' && !takesJson(accept) && !(csv && takesCsv(accept))) throw fail('not-acceptable');
}

const takesCsv = (accept: string): boolean => accept.split(',').some((range) => range.split(';')[0]?.trim().toLowerCase() === 'text/csv');


function formatOf(query: string): string | undefined {
  const value = new URLSearchParams(query).get('_format');
  // A plus that was not escaped has become a space: application/fhir+json.
  return value?.split(';')[0]?.trim().replace(' ', '+').toLowerCase();
}

function takesJson(accept: string): boolean {
  let takes = known.get(accept);
  if (takes === undefined) {
    takes = accept.split(',').some((range) => {
      const [type = '', ...parameters] = range.toLowerCase().split(';').map((part) => part.trim());
      return (JSON_NAMES.has(type) || ANY.has(type)) && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
    });
    if (known.size < MAX_KNOWN) known.set(accept, takes);
  }
  return takes;
}
