// References that become Type/id before anything is stored: conditional ones, and in a transaction those that name an entry.
// https://hl7.org/fhir/R4/http.html#trules
import type { JsonDocument } from '../fhir/json-text.js';
import type { JsonObject, JsonValue } from '../fhir/resource.js';
import { isLinkName } from '../fhir/string-edits.js';

const CONDITIONAL = /^[A-Z][A-Za-z]+\?/;

/** Conditional references (`Patient?identifier=…`) of a resource, each once. */
export const conditionalReferences = (value: JsonValue | undefined): ReadonlySet<string> => referencesIn(value, (text) => CONDITIONAL.test(text));

/** The references of a resource that are wanted, each once. */
export function referencesIn(value: JsonValue | undefined, wanted: (text: string) => boolean, found = new Set<string>()): ReadonlySet<string> {
  if (Array.isArray(value)) for (const item of value) referencesIn(item, wanted, found);
  else if (typeof value === 'object' && value !== null) {
    for (const member in value) {
      const child = value[member];
      if (typeof child === 'object') referencesIn(child, wanted, found);
      else if (member === 'reference' && typeof child === 'string' && wanted(child)) found.add(child);
    }
  }
  return found;
}

/**
 * What a link of an entry becomes; undefined leaves it. `base` is that of the entry's fullUrl, where that ends in Type/id: a relative reference
 * is looked for there, too. A fragment goes with its link. https://hl7.org/fhir/R4/bundle.html#references
 */
export type Resolver = (link: string) => string | undefined;

const RELATIVE = /^[A-Z][A-Za-z]+\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/;
const RESTFUL = /^(https?:\/\/.+)\/[A-Z][A-Za-z]+\/[A-Za-z0-9.-]{1,64}$/;

export function resolverOf(targets: ReadonlyMap<string, string>, fullUrl: string | undefined): Resolver {
  const base = fullUrl === undefined ? undefined : RESTFUL.exec(fullUrl)?.[1];
  const whole: Resolver = (link) => targets.get(link) ?? (base !== undefined && RELATIVE.test(link) ? targets.get(`${base}/${link}`) : undefined);
  return (link) => {
    const found = whole(link);
    const mark = found === undefined ? link.indexOf('#') : -1;
    if (mark < 1) return found;
    const target = whole(link.slice(0, mark));
    return target && `${target}${link.slice(mark)}`;
  };
}

/**
 * The resource with its links resolved, and those that were replaced (for its text). Parts without any are shared with the original,
 * which stays as it is.
 */
export function resolveReferences(document: JsonDocument, resolve: Resolver): { value: JsonObject; strings: ReadonlyMap<string, string> } {
  const strings = new Map<string, string>();
  const value = replaceIn('', document.value, resolve, strings) as JsonObject;
  return { value, strings };
}

function replaceIn(member: string, value: JsonValue | undefined, resolve: Resolver, used: Map<string, string>): JsonValue | undefined {
  if (typeof value === 'string') return replaceText(member, value, resolve, used);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => replaceIn(member, item, resolve, used) ?? null);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  let copy: JsonObject | undefined;
  for (const name in value) {
    const child = value[name];
    const next = replaceIn(name, child, resolve, used);
    if (next !== child) (copy ??= { ...value })[name] = next;
  }
  return copy ?? value;
}

function replaceText(member: string, text: string, resolve: Resolver, used: Map<string, string>): string {
  if (!isLinkName(member)) return text;
  if (member === 'div') return replaceLinks(text, resolve, used);
  const target = resolve(text);
  if (target === undefined || target === text) return text;
  used.set(text, target);
  return target;
}

/** `<a href>` and `<img src>` of a narrative. */
function replaceLinks(div: string, resolve: Resolver, used: Map<string, string>): string {
  return div.replace(/\b(href|src)(\s*=\s*)(["'])(.*?)\3/gs, (whole, attribute: string, equals: string, quote: string, link: string) => {
    const target = resolve(link);
    if (target === undefined || target === link) return whole;
    used.set(link, target);
    return `${attribute}${equals}${quote}${target}${quote}`;
  });
}
