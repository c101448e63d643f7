// Reading elements of a resource that may not have been validated yet: what is not of the expected shape is as if absent.
import type { JsonObject } from './resource.js';

export interface FoundCoding {
  readonly system: string | undefined;
  readonly code: string | undefined;
}

export interface FoundIdentifier {
  readonly system: string | undefined;
  readonly value: string | undefined;
  readonly use: string | undefined;
}

export const asText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

export const asObject = (value: unknown): JsonObject | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;

export const asObjects = (value: unknown): JsonObject[] => (Array.isArray(value) ? value.map((item) => asObject(item) ?? {}) : []);

/** The codings of a CodeableConcept, in order. */
export function codingsOf(concept: unknown): FoundCoding[] {
  return asObjects(asObject(concept)?.['coding']).map(({ system, code }) => ({ system: asText(system), code: asText(code) }));
}

/** Codes of one system. */
export function codesOf(concept: unknown, system: string): string[] {
  return codingsOf(concept).flatMap((coding) => (coding.system === system && coding.code !== undefined ? [coding.code] : []));
}

export function identifierOf(identifier: unknown): FoundIdentifier {
  const { system, value, use } = asObject(identifier) ?? {};
  return { system: asText(system), value: asText(value), use: asText(use) };
}

/** Extensions with one URL. */
export function extensionsOf(element: unknown, url: string): JsonObject[] {
  return asObjects(asObject(element)?.['extension']).filter((extension) => extension['url'] === url);
}

/** The logical id in a relative reference to `type`: `Patient/1` -> `1`. */
export function referenceId(reference: unknown, type: string): string | undefined {
  const target = asText(asObject(reference)?.['reference']);
  return target?.startsWith(`${type}/`) ? target.slice(type.length + 1) : undefined;
}
