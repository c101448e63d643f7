// If-Match, If-None-Match and If-Modified-Since. https://hl7.org/fhir/R4/http.html#concurrency
import { fail } from '../fhir/errors.js';
import { namesVersion, versionOf } from '../fhir/etag.js';
import { parseHttpDate } from '../fhir/http-date.js';
import type { FhirRequest } from '../fhir/request.js';
import type { StoredVersion } from '../store/store.js';

/** Conditional read: has the caller got this version already? */
export function notModified(request: FhirRequest, found: StoredVersion): boolean {
  if (request.ifNoneMatch !== undefined) return namesVersion(request.ifNoneMatch, found.version);
  if (request.ifModifiedSince === undefined) return false;
  const since = parseHttpDate(request.ifModifiedSince);
  // HTTP dates have whole seconds.
  return since !== undefined && Math.floor(found.updated / 1000) * 1000 <= since;
}

/** Optimistic locking of a write: throws 412 where the row is not the one the caller has seen. */
export function checkPreconditions(asked: Pick<FhirRequest, 'ifMatch' | 'ifNoneMatch'>, current: StoredVersion | undefined): void {
  const live = current !== undefined && current.text !== null;
  if (asked.ifNoneMatch === '*' && live) throw fail('already-exists');
  if (asked.ifMatch === undefined || (asked.ifMatch === '*' && live)) return;
  if (asked.ifMatch === '*') throw fail('version-mismatch', { text: 'If-Match was sent, and there is no such resource' });
  const wanted = versionOf(asked.ifMatch);
  if (wanted === undefined) throw fail('bad-request', { text: `If-Match must be an ETag such as W/"3"` });
  if (current?.version !== wanted)
    throw fail('version-mismatch', { text: current ? `If-Match names version ${String(wanted)}; the current version is ${String(current.version)}: read it and try again` : 'If-Match was sent, and there is no such resource' });
}
