// Profiles, tags and security labels as the sets they are: a label is told by system and code, whatever its display.
// https://hl7.org/fhir/R4/resource.html#Meta
import { asObjects, asText } from '../../fhir/elements.js';
import type { JsonObject } from '../../fhir/resource.js';

export interface Labels {
  readonly profile: readonly string[];
  readonly security: readonly JsonObject[];
  readonly tag: readonly JsonObject[];
}

/** Of a Meta. */
export function labelsOf(meta: Readonly<Record<string, unknown>> | object | undefined): Labels {
  const { profile, security, tag } = (meta ?? {}) as Readonly<Record<string, unknown>>;
  return { profile: Array.isArray(profile) ? profile.flatMap((one) => asText(one) ?? []) : [], security: asObjects(security), tag: asObjects(tag) };
}

const sameAs = (coding: JsonObject): string => JSON.stringify([coding['system'], coding['code']]);

function union<T>(lists: readonly (readonly T[])[], key: (item: T) => string): T[] {
  const found = new Map<string, T>();
  for (const list of lists) for (const item of list) if (!found.has(key(item))) found.set(key(item), item);
  return [...found.values()];
}

function without<T>(list: readonly T[], gone: readonly T[], key: (item: T) => string): T[] {
  const keys = new Set(gone.map(key));
  return list.filter((item) => !keys.has(key(item)));
}

/** The members that are not empty: an empty array is not FHIR. */
type MetaMembers = Readonly<Partial<Record<keyof Labels, readonly (string | JsonObject)[]>>>;

const itself = (text: string): string => text;
const members = (labels: Labels): MetaMembers => Object.fromEntries(Object.entries(labels).filter(([, list]) => (list as readonly unknown[]).length > 0));

/** Each once; the first of those that are the same stays. */
export const mergedLabels = (all: readonly Labels[]): MetaMembers =>
  members({ profile: union(all.map(({ profile }) => profile), itself), security: union(all.map(({ security }) => security), sameAs), tag: union(all.map(({ tag }) => tag), sameAs) });

/** What is not there can be taken away all the same. */
export const lessLabels = (from: Labels, gone: Labels): MetaMembers =>
  members({ profile: without(from.profile, gone.profile, itself), security: without(from.security, gone.security, sameAs), tag: without(from.tag, gone.tag, sameAs) });
