// If-Match, If-None-Match and If-Modified-Since. https://hl7.org/fhir/R4/http.html#concurrency
import { dateRange } from '../fhir/date-time.js';
import { fail } from '../fhir/errors.js';
import { areTags, etag, namesVersion } from '../fhir/etag.js';
import { parseHttpDate } from '../fhir/http-date.js';
import type { FhirRequest } from '../fhir/request.js';
import type { StoredVersion } from '../store/store.js';

type Conditions = Pick<FhirRequest, 'ifNoneMatch' | 'ifModifiedSince' | 'inBundle'>;

/** Conditional read: has the caller got this version already? Throws 400 for a header that is not one. */
export function notModified(request: Conditions, found: StoredVersion): boolean {
  if (request.ifNoneMatch !== undefined) {
    requireTags('If-None-Match', request.ifNoneMatch);
    return namesVersion(request.ifNoneMatch, found.version);
  }
  const since = request.ifModifiedSince === undefined ? undefined : readMoment(request.ifModifiedSince, request.inBundle === true);
  if (since === undefined) return false;
  // HTTP dates have whole seconds; an instant has more.
  return (request.inBundle ? found.updated : Math.floor(found.updated / 1000) * 1000) <= since;
}

/** A header that is no date is to be ignored (https://www.rfc-editor.org/rfc/rfc9110#name-if-modified-since); the instant of an entry must be one. */
function readMoment(text: string, inBundle: boolean): number | undefined {
  const ms = parseHttpDate(text);
  if (!inBundle || ms !== undefined) return ms;
  const range = text.includes('T') ? dateRange(text) : undefined;
  if (!range) throw fail('bad-request', { text: `ifModifiedSince must be an instant such as 2026-11-21T12:00:00Z; it is ${text.slice(0, 60)}` });
  return range.hi - 1;
}

/** Optimistic locking of a write: throws 412 where the row is not the one the caller has seen, 400 for a header that is none. */
export function checkPreconditions({ ifMatch, ifNoneMatch }: Pick<FhirRequest, 'ifMatch' | 'ifNoneMatch'>, current: StoredVersion | undefined): void {
  const live = current !== undefined && current.text !== null;
  if (ifNoneMatch !== undefined) {
    requireTags('If-None-Match', ifNoneMatch);
    if (live && namesVersion(ifNoneMatch, current.version)) throw fail('already-exists', { text: `If-None-Match: ${ifNoneMatch.slice(0, 60)} was sent, and the resource is there in version ${String(current.version)}` });
  }
  if (ifMatch === undefined) return;
  requireTags('If-Match', ifMatch);
  if (current === undefined || (ifMatch.trim() === '*' && !live)) throw fail('version-mismatch', { text: 'If-Match was sent, and there is no such resource' });
  if (namesVersion(ifMatch, current.version)) return;
  throw fail('version-mismatch', { text: `If-Match names ${ifMatch.slice(0, 60)}; the current version is ${String(current.version)}: read it and try again` }, { etag: etag(current.version) });
}

function requireTags(header: string, value: string): void {
  if (!areTags(value)) throw fail('bad-request', { text: `${header} must be an ETag such as W/"3", a list of them or *; it is ${value.slice(0, 60)}` });
}
