// In which form does the caller take the answer? Accept, _format and _pretty. https://hl7.org/fhir/R4/http.html#mime-type
import { fail } from '../fhir/errors.js';
import { isOurVersion, parseMediaType } from '../fhir/media-type.js';

/** The form of an answer that holds a resource. */
export interface Presentation {
  readonly format: 'json' | 'xml';
  /** With its charset. */
  readonly contentType: string;
  /** Laid out for people. */
  readonly pretty: boolean;
}

type Format = Presentation['format'];

/** As stored: what a caller gets who asks for nothing else. */
export const PLAIN: Presentation = inForm('json', 'application/fhir+json');

const FORMATS: readonly Format[] = ['json', 'xml'];
/** A caller who accepts a type of no particular standard gets that type, as the specification asks; the names of before STU 3 are answered in today's. */
const TYPES: Readonly<Record<string, Presentation>> = {
  'application/fhir+json': PLAIN,
  'application/json': inForm('json', 'application/json'),
  'text/json': inForm('json', 'text/json'),
  'application/json+fhir': PLAIN,
  'application/fhir+xml': inForm('xml', 'application/fhir+xml'),
  'application/xml': inForm('xml', 'application/xml'),
  'text/xml': inForm('xml', 'text/xml'),
  'application/xml+fhir': inForm('xml', 'application/fhir+xml'),
};
const BY_FORMAT: Readonly<Record<Format, Presentation>> = { json: PLAIN, xml: inForm('xml', 'application/fhir+xml') };
const ANY: Readonly<Record<string, number>> = { '*/*': 1, 'application/*': 2, 'text/*': 2 };
const EXACT = 3;
const CSV_NAMES: ReadonlySet<string> = new Set(['csv', 'text/csv']);
const MAX_KNOWN = 1000;

/** Headers repeat: what was said of one once is remembered. */
const known = new Map<string, Presentation | undefined>();

function inForm(format: Format, type: string): Presentation {
  return { format, contentType: `${type}; charset=utf-8`, pretty: false };
}

/**
 * Throws 406 where the server writes nothing that the caller takes. `asked`: the query, with the form of a POST _search behind it; `_format` there
 * overrides the header. Where `csv` is written too, a caller who takes that alone gets what else there is to say in JSON.
 */
export function presentationOf(accept: string | undefined, asked: string, csv = false): Presentation {
  if (!asked.includes('_format') && !asked.includes('_pretty')) return byAccept(accept, csv);
  const parameters = new URLSearchParams(asked);
  const format = parameters.get('_format');
  const found = format === null || format === '' ? byAccept(accept, csv) : byFormat(format, csv);
  return parameters.get('_pretty') === 'true' ? { ...found, pretty: true } : found;
}

/** The same for a refusal: one about the format itself is told in JSON. */
export function presentationOrPlain(accept: string | undefined, asked: string): Presentation {
  try {
    return presentationOf(accept, asked, true);
  } catch {
    return PLAIN;
  }
}

function byFormat(value: string, csv: boolean): Presentation {
  // A plus that was not escaped has become a space: application/fhir+json.
  const type = parseMediaType(value.trim().replace(' ', '+'));
  const { name } = type;
  if (csv && CSV_NAMES.has(name)) return PLAIN;
  const format = name === 'json' || name === 'xml' ? name : Object.hasOwn(TYPES, name) ? TYPES[name]?.format : undefined;
  if (!format) throw fail('not-acceptable', { text: `_format must be json or xml: this server does not write ${JSON.stringify(value.slice(0, 60))}` });
  if (!isOurVersion(type)) throw fail('not-acceptable', { text: 'This server speaks FHIR 4.0 alone: leave out fhirVersion, or write 4.0' });
  return BY_FORMAT[format];
}

function byAccept(accept: string | undefined, csv: boolean): Presentation {
  if (accept === undefined || accept === '') return PLAIN;
  let found = known.get(accept);
  if (found === undefined && !known.has(accept)) {
    found = best(accept);
    if (known.size < MAX_KNOWN) known.set(accept, found);
  }
  if (found) return found;
  if (csv && accept.split(',').some((range) => parseMediaType(range).name === 'text/csv')) return PLAIN;
  throw fail('not-acceptable');
}

interface Range {
  readonly name: string;
  readonly quality: number;
}

/** The closest range decides how much a format is wanted; of two that are wanted alike, the one that is named, or named first. https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1 */
function best(accept: string): Presentation | undefined {
  const ranges = accept.split(',').map(parseMediaType).filter(isOurVersion).map(({ name, parameters }): Range => ({ name, quality: qualityOf(parameters.get('q')) }));
  const wanted = FORMATS.map((format) => wish(format, ranges)).filter(({ quality }) => quality > 0);
  wanted.sort((one, other) => other.quality - one.quality || other.closeness - one.closeness || one.place - other.place);
  return wanted[0]?.presentation;
}

interface Wish extends Range {
  readonly presentation: Presentation;
  readonly closeness: number;
  readonly place: number;
}

function wish(format: Format, ranges: readonly Range[]): Wish {
  let found: Wish = { name: '', quality: 0, closeness: 0, place: Infinity, presentation: BY_FORMAT[format] };
  ranges.forEach((range, place) => {
    const exact = Object.hasOwn(TYPES, range.name) && TYPES[range.name]?.format === format ? TYPES[range.name] : undefined;
    const closeness = exact ? EXACT : (ANY[range.name] ?? 0);
    const closer = closeness > found.closeness || (closeness === found.closeness && closeness > 0 && range.quality > found.quality);
    if (closer) found = { ...range, closeness, place, presentation: exact ?? BY_FORMAT[format] };
  });
  return found;
}

/** 0 to 1; what is no number counts as 1, as it does where nothing is said. */
function qualityOf(text: string | undefined): number {
  if (text === undefined) return 1;
  const quality = Number(text);
  return quality >= 0 && quality <= 1 ? quality : 1;
}
