// The one table of errors: every refusal the server gives is a row here. Each row is produced by some test.
// Statuses follow https://hl7.org/fhir/R4/http.html; codes https://hl7.org/fhir/R4/codesystem-issue-type.html
import type { Issue, IssueType } from './issue.js';
import type { Coding } from './resource.js';
import { SPINE_CODES } from './spine-codes.js';

interface ErrorRow {
  readonly status: number;
  readonly code: IssueType;
  /** Default words; a caller of `fail` says what exactly and what to do. */
  readonly text: string;
}

export const ERRORS = {
  // the request
  'malformed-json': { status: 400, code: 'structure', text: 'The body is not well-formed JSON' },
  'malformed-xml': { status: 400, code: 'structure', text: 'The body is not a resource in well-formed XML' },
  'duplicate-key': { status: 400, code: 'structure', text: 'An object in the body names the same member twice' },
  'unknown-element': { status: 400, code: 'structure', text: 'The body holds an element that FHIR does not define' },
  'bad-character': { status: 400, code: 'value', text: 'A string holds a character that cannot be stored' },
  'bad-number': { status: 400, code: 'value', text: 'A number is beyond what the server can hold' },
  'not-a-resource': { status: 400, code: 'structure', text: 'The body must be a JSON object with a resourceType' },
  'wrong-resource-type': { status: 400, code: 'invalid', text: 'The resourceType of the body differs from the type in the URL' },
  'wrong-id': { status: 400, code: 'invalid', text: 'The id of the body differs from the id in the URL' },
  'invalid-id': { status: 400, code: 'value', text: 'An id is 1 to 64 characters out of A-Z, a-z, 0-9, - and .' },
  'unknown-type': { status: 404, code: 'not-supported', text: 'There is no such resource type in FHIR R4' },
  'unknown-route': { status: 404, code: 'not-found', text: 'This server has nothing at this URL' },
  'method-not-allowed': { status: 405, code: 'not-supported', text: 'This URL does not take this method' },
  'not-acceptable': { status: 406, code: 'not-supported', text: 'The server answers in application/fhir+json and application/fhir+xml' },
  'unsupported-media-type': { status: 415, code: 'not-supported', text: 'Send the body as application/fhir+json or application/fhir+xml' },
  'body-too-long': { status: 413, code: 'too-long', text: 'The body is longer than the server takes' },
  'headers-too-long': { status: 431, code: 'too-long', text: 'The URL and headers are longer than the server takes: search by POST, and send less' },
  'too-slow': { status: 408, code: 'timeout', text: 'The request took too long to arrive: send it again' },
  'too-deep': { status: 400, code: 'too-long', text: 'The body is nested deeper than the server takes' },
  'bad-request': { status: 400, code: 'invalid', text: 'The request is not one the server understands' },
  'unknown-parameter': { status: 400, code: 'not-supported', text: 'This parameter is not known here' },
  'invalid-parameter': { status: 400, code: 'value', text: 'The value of a parameter is not valid' },
  'unsupported-modifier': { status: 400, code: 'not-supported', text: 'This modifier does not go with this parameter' },
  'too-many-entries': { status: 413, code: 'too-long', text: 'The Bundle has more entries than the server takes at once' },
  'parameter-not-ready': { status: 409, code: 'incomplete', text: 'This search parameter was switched on a moment ago and is not ready: ask again when its job is done' },
  'unknown-operation': { status: 404, code: 'not-supported', text: 'There is no such operation here' },
  // the caller
  'no-token': { status: 401, code: 'login', text: 'Send a bearer token in the Authorization header' },
  'bad-token': { status: 401, code: 'login', text: 'The bearer token is not valid' },
  'expired-token': { status: 401, code: 'expired', text: 'The bearer token has expired' },
  throttled: { status: 429, code: 'throttled', text: 'Too many requests: wait a second, then go on more slowly' },
  forbidden: { status: 403, code: 'forbidden', text: 'This caller may not do this' },
  // the resource
  'not-found': { status: 404, code: 'not-found', text: 'There is no such resource' },
  gone: { status: 410, code: 'deleted', text: 'The resource has been deleted' },
  'version-conflict': { status: 409, code: 'conflict', text: 'The resource was changed by another request at the same moment: read it and try again' },
  'version-mismatch': { status: 412, code: 'conflict', text: 'If-Match does not name the current version' },
  'if-match-required': { status: 412, code: 'required', text: 'Send If-Match with the version you have read: this resource is only changed by someone who has seen it as it is' },
  'multiple-matches': { status: 412, code: 'multiple-matches', text: 'The criteria match more than one resource' },
  'no-match': { status: 412, code: 'not-found', text: 'The criteria match no resource' },
  'already-exists': { status: 412, code: 'conflict', text: 'If-None-Match: * was sent, and the resource exists' },
  duplicate: { status: 409, code: 'duplicate', text: 'There is one already' },
  'still-needed': { status: 409, code: 'business-rule', text: 'Something else depends on this as it is: settle that first' },
  'in-progress': { status: 409, code: 'lock-error', text: 'The same request, or one about the same resource, is still being carried out: send it again in a moment' },
  // the content
  invalid: { status: 422, code: 'invalid', text: 'The resource is not valid' },
  required: { status: 422, code: 'required', text: 'Something that the service needs is missing' },
  'code-invalid': { status: 422, code: 'code-invalid', text: 'The code is not one of its value set' },
  'business-rule': { status: 422, code: 'business-rule', text: 'A rule of the service refuses this' },
  'unsupported-criterion': { status: 422, code: 'not-supported', text: 'The criterion is not one this server can judge' },
  'patch-failed': { status: 422, code: 'processing', text: 'The patch does not fit the resource as it is now' },
  'too-costly': { status: 422, code: 'too-costly', text: 'This asks for more work than the server does for one request' },
  'reference-not-found': { status: 422, code: 'not-found', text: 'A reference does not resolve' },
  // the server
  'not-ready': { status: 503, code: 'transient', text: 'The server is not ready: try again in a moment' },
  overloaded: { status: 503, code: 'transient', text: 'The server has more to do than it can: send the request again in a moment' },
  'out-of-time': { status: 503, code: 'too-costly', text: 'The database took longer over this than the server waits: ask for less at once, or try again in a moment' },
  unexpected: { status: 500, code: 'exception', text: 'The server failed; nothing was changed' },
} as const satisfies Record<string, ErrorRow>;

export type ErrorName = keyof typeof ERRORS;

export interface ErrorDetails {
  /** Plain words for details.text: what is wrong and what the caller can do. */
  readonly text?: string;
  readonly coding?: Coding;
  readonly expression?: string;
  readonly diagnostics?: string;
  readonly line?: number;
  readonly column?: number;
}

/** A refusal on its way to the caller. Thrown anywhere, shaped once by outcome.ts. */
export class FhirError extends Error {
  constructor(
    readonly status: number,
    readonly issues: readonly Issue[],
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(issues.map((issue) => issue.text).join('; '));
  }
}

/** The error of one row of the table; `headers` go out with it. */
export function fail(name: ErrorName, details: ErrorDetails = {}, headers: Readonly<Record<string, string>> = {}): FhirError {
  const row = ERRORS[name];
  const coding = details.coding ?? SPINE_CODES[name];
  return new FhirError(row.status, [{ severity: 'error', code: row.code, ...details, ...(coding && { coding }), text: details.text ?? row.text }], headers);
}

/** One refusal for all faults that validation found: 422, or 400 where the structure itself is wrong. */
export function failWith(status: number, issues: readonly Issue[]): FhirError {
  return new FhirError(status, issues);
}
