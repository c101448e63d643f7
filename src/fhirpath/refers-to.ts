// `resolve() is Patient`, decided without fetching anything: the reference says what it points at.
// https://hl7.org/fhir/R4/references.html

export function refersTo(reference: unknown, type: string, resource: unknown): boolean {
  return typeReferredTo(reference, resource) === type;
}

/**
 * `reference`: a Reference, or the text of a uri or canonical; `resource`: what it lies in, for `#id`.
 * `Patient` for `Patient/1`, `https://any.example/fhir/Patient/1/_history/2`, a contained Patient, or, where the text does
 * not tell (`urn:uuid:…`, an identifier alone), for `type: Patient`.
 */
export function typeReferredTo(reference: unknown, resource: unknown): string | undefined {
  const url = typeof reference === 'string' ? reference : textAt(reference, 'reference');
  const told = textAt(reference, 'type');
  if (url === undefined) return told;
  return url.startsWith('#') ? textAt(contained(resource, url.slice(1)), 'resourceType') : (typeInUrl(url) ?? told);
}

/** The `Patient` of `…/Patient/1`; undefined where there is nothing that looks like a type. */
function typeInUrl(url: string): string | undefined {
  const history = url.indexOf('/_history/');
  const slash = url.lastIndexOf('/', (history === -1 ? url.length : history) - 1);
  if (slash <= 0) return undefined;
  const name = url.slice(url.lastIndexOf('/', slash - 1) + 1, slash);
  return /^[A-Z][A-Za-z]+$/.test(name) ? name : undefined;
}

function contained(resource: unknown, id: string): unknown {
  const list = memberOf(resource, 'contained');
  return Array.isArray(list) ? list.find((item) => memberOf(item, 'id') === id) : undefined;
}

function textAt(node: unknown, member: string): string | undefined {
  const value = memberOf(node, member);
  return typeof value === 'string' ? value : undefined;
}

function memberOf(node: unknown, member: string): unknown {
  return typeof node === 'object' && node !== null ? (node as Readonly<Record<string, unknown>>)[member] : undefined;
}
