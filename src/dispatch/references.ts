// The references of a transaction's resources: urn:uuid and conditional ones become Type/id before anything is stored.
// https://hl7.org/fhir/R4/http.html#trules
import type { JsonDocument } from '../fhir/json-text.js';
import type { JsonObject, JsonValue } from '../fhir/resource.js';

/** Members that may hold the fullUrl of another entry; an identifier's value may look like one and stays as it is, and so does a canonical. */
const URI_MEMBERS = new Set(['reference', 'url', 'uri', 'valueUri', 'valueUrl', 'valueUuid', 'valueOid']);
const CONDITIONAL = /^[A-Z][A-Za-z]+\?/;

/** Conditional references (`Patient?identifier=…`) of a resource, each once. */
export function conditionalReferences(value: JsonValue | undefined, found = new Set<string>()): ReadonlySet<string> {
  if (Array.isArray(value)) for (const item of value) conditionalReferences(item, found);
  else if (typeof value === 'object' && value !== null) {
    for (const member in value) {
      const child = value[member];
      if (typeof child === 'object') conditionalReferences(child, found);
      else if (member === 'reference' && typeof child === 'string' && CONDITIONAL.test(child)) found.add(child);
    }
  }
  return found;
}

/** A fullUrl of the RESTful kind, and the base that relative references of its resource are below. https://hl7.org/fhir/R4/bundle.html#references */
const BELOW_BASE = /^(https?:\/\/.+\/)[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/;

/** What the references of one resource become. */
export class Targets {
  private readonly base: string | undefined;

  /** `fullUrl` of the resource that refers. */
  constructor(private readonly found: ReadonlyMap<string, string>, fullUrl: string | undefined) {
    this.base = fullUrl === undefined ? undefined : BELOW_BASE.exec(fullUrl)?.[1];
  }

  of(reference: string): string | undefined {
    return this.found.get(reference) ?? (this.base === undefined ? undefined : this.found.get(this.base + reference));
  }
}

/**
 * The resource with the strings in `targets` replaced where they are references, and those that were replaced (for its text).
 * Parts without any are shared with the original, which stays as it is.
 */
export function resolveReferences(document: JsonDocument, targets: Pick<Targets, 'of'>): { value: JsonObject; strings: ReadonlyMap<string, string> } {
  const strings = new Map<string, string>();
  const value = replaceIn(document.value, targets, strings) as JsonObject;
  return { value, strings };
}

function replaceIn(value: JsonValue | undefined, targets: Pick<Targets, 'of'>, used: Map<string, string>): JsonValue | undefined {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => replaceIn(item, targets, used) ?? null);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  let copy: JsonObject | undefined;
  for (const member in value) {
    const child = value[member];
    const next = typeof child === 'string' ? replaceText(member, child, targets, used) : replaceIn(child, targets, used);
    if (next !== child) (copy ??= { ...value })[member] = next;
  }
  return copy ?? value;
}

function replaceText(member: string, text: string, targets: Pick<Targets, 'of'>, used: Map<string, string>): string {
  if (member === 'div') return replaceLinks(text, targets, used);
  if (!URI_MEMBERS.has(member)) return text;
  const target = targets.of(text);
  if (target === undefined || target === text) return text;
  used.set(text, target);
  return target;
}

/** `<a href>` and `<img src>` of a narrative. */
function replaceLinks(div: string, targets: Pick<Targets, 'of'>, used: Map<string, string>): string {
  return div.replace(/\b(href|src)="([^"]*)"/g, (whole, attribute: string, link: string) => {
    const target = targets.of(link);
    if (target === undefined || target === link) return whole;
    used.set(link, target);
    return `${attribute}="${target}"`;
  });
}
