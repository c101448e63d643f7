// What a request prefers: `return`, `handling` and `respond-async`; all else is ignored. https://www.rfc-editor.org/rfc/rfc7240#section-2
import type { FhirRequest } from '../fhir/request.js';

export type Preferences = Pick<FhirRequest, 'preferReturn' | 'preferHandling' | 'respondAsync'>;

const RETURNS = { minimal: 'minimal', representation: 'representation', OperationOutcome: 'OperationOutcome' } as const;
const HANDLINGS = { strict: 'strict', lenient: 'lenient' } as const;

const NONE: Preferences = { respondAsync: false };

/** Of the header, or of all of them: several are one list, and of a preference that comes twice the first counts. */
export function readPreferences(header: string | string[] | undefined): Preferences {
  if (header === undefined) return NONE;
  const given = preferencesIn(String(header));
  return { preferReturn: known(RETURNS, given.get('return')), preferHandling: known(HANDLINGS, given.get('handling')), respondAsync: given.has('respond-async') };
}

const WRITES: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'batch']);

/** What to say was done as preferred; undefined where nothing was asked for, it changes nothing, or the answer is still to come. https://www.rfc-editor.org/rfc/rfc7240#section-3 */
export function preferenceApplied({ interaction, preferReturn, preferHandling }: Pick<FhirRequest, 'interaction' | 'preferReturn' | 'preferHandling'>, status: number): string | undefined {
  if (status >= 400 || status === 202) return undefined;
  if (preferReturn !== undefined && WRITES.has(interaction)) return `return=${preferReturn}`;
  return preferHandling !== undefined && interaction === 'search' ? `handling=${preferHandling}` : undefined;
}

const known = <T extends string>(values: Readonly<Record<string, T>>, value: string | undefined): T | undefined =>
  (value !== undefined && Object.hasOwn(values, value) ? values[value] : undefined);

/** One preference with its parameters; a comma within quotes parts nothing. */
const PREFERENCE = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g;

/** Value by name, in lower case. */
function preferencesIn(list: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const preference of list.match(PREFERENCE) ?? []) {
    const [pair = ''] = preference.split(';', 1);
    const equals = pair.indexOf('=');
    const name = (equals < 0 ? pair : pair.slice(0, equals)).trim().toLowerCase();
    if (!found.has(name)) found.set(name, equals < 0 ? '' : unquoted(pair.slice(equals + 1).trim()));
  }
  return found;
}

const unquoted = (value: string): string => (value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value);
