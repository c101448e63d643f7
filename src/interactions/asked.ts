// A write as it was asked for, and where in what the caller sent its faults stand.
import { fail, FhirError } from '../fhir/errors.js';
import type { Issue } from '../fhir/issue.js';
import { positionOf, type JsonDocument } from '../fhir/json-text.js';
import type { JsonObject } from '../fhir/resource.js';
import type { Change } from '../store/store.js';

/** A write as asked for: its id is known and its references are resolved. */
export interface Asked {
  readonly kind: 'create' | 'update' | 'delete';
  readonly method: Change['method'];
  readonly type: string;
  readonly id: string;
  /** The server has just made the id: no row can be there. */
  readonly fresh?: boolean;
  /** Undefined for a deletion. */
  readonly document?: JsonDocument;
  /** The value of `document` with its references resolved, and the strings of its text to replace for that. */
  readonly resolved?: { readonly value: JsonObject; readonly strings: ReadonlyMap<string, string> };
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
  /** Came in X-Provenance with a write that was permitted: it goes with that. */
  readonly attached?: boolean;
  /** Where the resource stands in what the caller sent, for errors: `Bundle.entry[3].resource`. */
  readonly within?: string;
}

/** The body of a create or update: a resource of the type in the URL. */
export function requireBody(type: string, document: JsonDocument | undefined): JsonDocument {
  if (!document) throw fail('not-a-resource', { text: `Send a ${type} as the body` });
  const found = document.value['resourceType'];
  if (typeof found !== 'string') throw fail('not-a-resource');
  if (found !== type) throw fail('wrong-resource-type', { text: `The URL says ${type}; the body is a ${found}`, expression: 'resourceType' });
  return document;
}

/** Runs one entry's step; its faults are told where they stand in the bundle. */
export async function located<T>(asked: Asked, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw within(error, asked);
  }
}

/** The error of one entry, told where that stands in the bundle. */
export function within(error: unknown, { within: place, type }: Asked): unknown {
  if (place === undefined || !(error instanceof FhirError)) return error;
  const issues = error.issues.map((issue) => ({ ...issue, expression: placeOf(issue.expression, place, type) }));
  return new FhirError(error.status, issues, error.headers);
}

function placeOf(expression: string | undefined, place: string, type: string): string {
  return expression?.startsWith(`${type}.`) ? `${place}${expression.slice(type.length)}` : place;
}

/** Faults with the line and column where the caller can find them. */
export function placed(faults: readonly Issue[], document: JsonDocument): Issue[] {
  return faults.map((issue) => ({ ...issue, ...(issue.expression === undefined ? {} : positionOf(document, issue.expression)) }));
}
