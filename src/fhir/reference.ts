// The text of a reference: what kind of pointer it is, before anybody follows it. https://hl7.org/fhir/R4/references.html

export type ParsedReference =
  /** A resource of this server, written as `Patient/1`, `Patient/1/_history/2` or the same after our base. */
  | { readonly kind: 'resource'; readonly type: string; readonly id: string; readonly version?: string }
  /** `Patient?identifier=…`: in a transaction, to be searched for. `query` is what follows the question mark. */
  | { readonly kind: 'conditional'; readonly type: string; readonly query: string }
  /** `#p1`, a contained resource; `#` alone (id '') is the container. */
  | { readonly kind: 'contained'; readonly id: string }
  /** `urn:uuid:…`, `urn:oid:…`. */
  | { readonly kind: 'urn'; readonly urn: string }
  /** `http://example.org/ValueSet/x|1.0`. */
  | { readonly kind: 'canonical'; readonly url: string; readonly version: string }
  /** Any other absolute URL; type and id where it ends like one of a resource on some server. */
  | { readonly kind: 'absolute'; readonly url: string; readonly type?: string; readonly id?: string };

const RELATIVE = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(?:\/_history\/([A-Za-z0-9.-]{1,64}))?$/;
const CONDITIONAL = /^([A-Z][A-Za-z]+)\?(.+)$/s;
const ABSOLUTE = /^[a-z][a-z0-9+.-]*:[^\s]+$/i;
const FOREIGN = /\/([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/;
const CANONICAL = /^([^|]+)\|([^|]+)$/;

/** `base` is our service base without a slash at its end. Undefined for text that is no reference at all. */
export function parseReference(text: string, base?: string): ParsedReference | undefined {
  const relative = base !== undefined && text.startsWith(base) && text[base.length] === '/' ? text.slice(base.length + 1) : text;
  const match = RELATIVE.exec(relative);
  if (match) {
    const [, type = '', id = '', version] = match;
    return { kind: 'resource', type, id, ...(version !== undefined && { version }) };
  }
  if (text.startsWith('#')) return { kind: 'contained', id: text.slice(1) };
  if (text.startsWith('urn:')) return { kind: 'urn', urn: text };
  const [, type, query] = CONDITIONAL.exec(relative) ?? [];
  if (type !== undefined && query !== undefined) return { kind: 'conditional', type, query };
  return ABSOLUTE.test(text) ? absolute(text) : undefined;
}

function absolute(text: string): ParsedReference {
  const [, url, version] = CANONICAL.exec(text) ?? [];
  if (url !== undefined && version !== undefined) return { kind: 'canonical', url, version };
  const [, type, id] = FOREIGN.exec(text) ?? [];
  return { kind: 'absolute', url: text, ...(type !== undefined && id !== undefined && { type, id }) };
}
