// The codes by which NHS systems know the rows of the error table, as PDS gives them (domain.md 1.7). The V&M surface has its own.
import type { Coding } from './resource.js';

const SYSTEM = 'https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode';

const DENIED = spine('ACCESS_DENIED', 'Access has been denied to process this request');
const PRECONDITION = spine('PRECONDITION_FAILED', 'Required condition was not fulfilled');
const BAD_VALUE = spine('INVALID_VALUE', 'Provided value is invalid');
const UNSUPPORTED = spine('UNSUPPORTED_SERVICE', 'Unsupported service');

/** By row of the error table: details.coding of a refusal that names no other. */
export const SPINE_CODES: Readonly<Record<string, Coding>> = {
  'no-token': DENIED,
  'bad-token': DENIED,
  'expired-token': DENIED,
  forbidden: DENIED,
  throttled: spine('TOO_MANY_REQUESTS', 'Too many requests have been made by this source in a given amount of time'),
  'invalid-id': spine('INVALID_RESOURCE_ID', 'Resource Id is invalid'),
  'not-found': spine('RESOURCE_NOT_FOUND', 'Resource not found'),
  gone: spine('INVALIDATED_RESOURCE', 'Resource that has been marked as invalid was requested - invalid resources cannot be retrieved'),
  'version-mismatch': spine('RESOURCE_VERSION_MISMATCH', 'Resource version mismatch'),
  'if-match-required': PRECONDITION,
  'already-exists': PRECONDITION,
  required: spine('MISSING_VALUE', 'Required value is missing'),
  'invalid-parameter': BAD_VALUE,
  'unsupported-modifier': BAD_VALUE,
  'unknown-parameter': BAD_VALUE,
  'method-not-allowed': UNSUPPORTED,
  'not-acceptable': UNSUPPORTED,
  'unsupported-media-type': UNSUPPORTED,
};

function spine(code: string, display: string): Coding {
  return { system: SYSTEM, code, display };
}
