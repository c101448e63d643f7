// Media types as headers and _format write them: a name, and parameters that may follow. https://www.rfc-editor.org/rfc/rfc9110#section-8.3.1

export interface MediaType {
  /** Lower case, without parameters: `application/fhir+json`. */
  readonly name: string;
  /** By lower-case name; values without quotes, lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

export function parseMediaType(text: string): MediaType {
  const [name = '', ...rest] = text.toLowerCase().split(';').map((part) => part.trim());
  if (rest.length === 0) return { name, parameters: NONE };
  return { name, parameters: new Map(rest.map(parameter)) };
}

const NONE: ReadonlyMap<string, string> = new Map();

function parameter(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  return equals < 0 ? [text, ''] : [text.slice(0, equals).trim(), text.slice(equals + 1).trim().replace(/^"(.*)"$/, '$1')];
}

/** Is the version of FHIR that a media type names, if it names one, ours? https://hl7.org/fhir/R4/http.html#version-parameter */
export function isOurVersion({ parameters }: MediaType): boolean {
  const version = parameters.get('fhirversion');
  return version === undefined || version === '4.0' || version === '4.0.1';
}
