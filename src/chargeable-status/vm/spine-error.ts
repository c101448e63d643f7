// The errors of the V&M surface, as its published table gives them (domain.md 1.7, VM-20 to VM-31): one coding each, and diagnostics.
import { FhirError } from '../../fhir/errors.js';
import type { Issue, IssueType } from '../../fhir/issue.js';
import { SPINE_ERROR } from '../codes.js';

interface SpineRow {
  readonly status: number;
  readonly code: IssueType;
  readonly display: string;
}

export const SPINE_ERRORS = {
  PATIENT_NOT_FOUND: { status: 404, code: 'not-found', display: 'Patient not found' },
  INVALID_NHS_NUMBER: { status: 400, code: 'invalid', display: 'Invalid NHS number' },
  INVALID_CODE_SYSTEM: { status: 400, code: 'code-invalid', display: 'Invalid code system' },
  INVALID_CODE_VALUE: { status: 400, code: 'code-invalid', display: 'Invalid code value' },
  INVALID_IDENTIFIER_SYSTEM: { status: 400, code: 'code-invalid', display: 'Invalid identifier system' },
  INVALID_ELEMENT: { status: 400, code: 'value', display: 'Invalid element' },
  INVALID_PARAMETER: { status: 400, code: 'invalid', display: 'Invalid parameter' },
  REQUEST_UNMATCHED: { status: 400, code: 'unknown', display: 'Request does not match authorisation token' },
  MESSAGE_NOT_WELL_FORMED: { status: 400, code: 'structure', display: 'Message not well formed' },
  MISSING_OR_INVALID_HEADER: { status: 400, code: 'invalid', display: 'There is a required header missing or invalid' },
  ACCESS_DENIED_SSL: { status: 403, code: 'forbidden', display: 'SSL Protocol or Cipher requirements not met' },
  ASID_CHECK_FAILED: { status: 403, code: 'forbidden', display: "The sender or receiver's ASID is not authorised for this interaction" },
  CONFLICTING_VALUES: { status: 422, code: 'business-rule', display: 'Conflicting values have been specified in different fields' },
} as const satisfies Record<string, SpineRow>;

export type SpineErrorName = keyof typeof SPINE_ERRORS;

/** A refusal in the words of the published table; `diagnostics` says what is wrong and never holds an NHS number. `status` differs on writes. */
export function spineError(name: SpineErrorName, diagnostics: string, details: { readonly expression?: string; readonly status?: number } = {}): FhirError {
  const { status, code, display } = SPINE_ERRORS[name];
  const { expression } = details;
  const coding = { system: SPINE_ERROR, code: name, display };
  const issue: Issue = { severity: 'error', code, text: diagnostics, coding, diagnostics, ...(expression !== undefined && { expression }) };
  return new FhirError(details.status ?? status, [issue]);
}
