// References by the whole URL of a resource of ours are those by Type/id: the two name the same thing, and are stored as one.
// https://hl7.org/fhir/R4/references.html#literal
import { positionOf, readJson, type JsonDocument } from './json-text.js';

/** The end of Reference.reference after our base; criteria, operations and other URLs are left as they are. */
const TARGET = '([A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}(?:/_history/[A-Za-z0-9.-]{1,64})?")';
const patterns = new Map<string, RegExp>();

function patternOf(base: string): RegExp {
  const known = patterns.get(base);
  if (known) return known;
  const pattern = new RegExp(`("reference"\\s*:\\s*")(${base.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}/)${TARGET}`, 'g');
  if (patterns.size < MOST_BASES) patterns.set(base, pattern);
  return pattern;
}

/** What JSON_DEPTH_LIMIT may be at most: whatever was read once is read again. */
const MOST_DEPTH = 500;
/** A base comes from the Host header where no public URL is set. */
const MOST_BASES = 16;

/**
 * The document with `<base>/Patient/1` in its references written as `Patient/1`; itself where there is none. `keep` says which whole URLs
 * stand for something else, such as entries of a transaction. Faults are told where they stand in what the caller sent.
 */
export function withOwnReferences(document: JsonDocument, base: string, keep?: (url: string) => boolean): JsonDocument {
  const text = document.text.slice(document.start, document.end);
  if (base === '' || !text.includes(`${base}/`)) return document;
  const edited = text.replace(patternOf(base), (whole, name: string, ours: string, target: string) => (keep?.(ours + target.slice(0, -1)) === true ? whole : name + target));
  return edited === text ? document : readJson(edited, { maxDepth: MOST_DEPTH, locate: (path) => positionOf(document, path) });
}
