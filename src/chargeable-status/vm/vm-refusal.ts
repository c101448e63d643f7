// Every refusal on the V&M surface in its published codes: one coding and diagnostics each, also where another room refused (domain.md 1.7).
import type { Caller } from '../../fhir/caller.js';
import { FhirError } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import type { FhirRequest } from '../../fhir/request.js';
import type { Coding } from '../../fhir/resource.js';
import { SPINE_ERROR, VM_CODE } from '../codes.js';

/** What is known of a request that is refused; the door may have refused it before it was read whole. */
export type Refused = Pick<FhirRequest, 'type' | 'query' | 'headers'>;

/** The suppliers' whole world: the search, the operation, and the writes that are not theirs. Undefined is the base, where Bundles go. */
const SUPPLIERS = new Set([undefined, 'Observation', 'Patient']);

const CODES = {
  credentials: spine('AUTHOR_CREDENTIALS_ERROR', 'Author credentials error'),
  denied: spine('ACCESS DENIED', 'Access has been denied to process this request'),
  unknown: spine('NO_RECORD_FOUND', 'No record found'),
  type: spine('INVALID_REQUEST_TYPE', 'The type of request is not supported by the API call'),
  structure: spine('MESSAGE_NOT_WELL_FORMED', 'Message not well formed'),
  value: spine('INVALID_VALUE', 'An input field has an invalid value for its type'),
  content: spine('INVALID_RESOURCE', 'Invalid validation of resource'),
  state: spine('INVALID_REQUEST_STATE', 'The request exists but is not in an appropriate state for the call to succeed'),
  other: spine('BAD_REQUEST', 'Bad request'),
};

/** Statuses that mean one thing, whatever the issue. */
const BY_STATUS: Readonly<Record<number, Coding>> = {
  401: CODES.credentials, 403: CODES.denied, 404: CODES.unknown, 405: CODES.type, 406: CODES.type, 409: CODES.state, 410: CODES.unknown, 412: CODES.state,
  415: CODES.type, 422: CODES.content, 429: CODES.state, 500: CODES.state, 503: CODES.state,
};

/** The refusal as the V&M surface words it; unchanged where the request is not on that surface. `caller` is undefined until the token has been verified. */
export function vmRefusal(refusal: FhirError, request: Refused, caller: Caller | undefined): FhirError {
  if (!isOnSurface(request, caller)) return refusal;
  return new FhirError(refusal.status, refusal.issues.map((issue) => inSpineCodes(issue, refusal.status)), refusal.headers);
}

/** Ruling 9 for a request that may have been refused before anyone knew who asks. */
function isOnSurface({ type, query, headers }: Refused, caller: Caller | undefined): boolean {
  if (caller?.role === 'supplier') return SUPPLIERS.has(type);
  if (type !== 'Observation') return false;
  return headers?.['ssp-interactionid'] !== undefined || query.some(([name, value]) => (name === 'code' ? value.includes(VM_CODE) : caller === undefined && name === 'subject:Patient.identifier'));
}

function inSpineCodes(issue: Issue, status: number): Issue {
  const coding = issue.coding?.system === SPINE_ERROR ? issue.coding : (BY_STATUS[status] ?? byIssue(issue));
  return { ...issue, coding, diagnostics: issue.diagnostics ?? issue.text };
}

function byIssue({ code }: Issue): Coding {
  if (code === 'structure') return CODES.structure;
  return code === 'value' || code === 'code-invalid' ? CODES.value : CODES.other;
}

function spine(code: string, display: string): Coding {
  return { system: SPINE_ERROR, code, display };
}
