// What can be said about a request: one issue per fault. https://hl7.org/fhir/R4/operationoutcome.html
import type { Coding } from './resource.js';

export type Severity = 'fatal' | 'error' | 'warning' | 'information';

/** HL7's issue-type codes that this server uses. https://hl7.org/fhir/R4/codesystem-issue-type.html */
export type IssueType =
  | 'invalid' | 'structure' | 'required' | 'value' | 'invariant'
  | 'security' | 'login' | 'unknown' | 'expired' | 'forbidden' | 'suppressed'
  | 'processing' | 'not-supported' | 'duplicate' | 'multiple-matches' | 'not-found' | 'deleted' | 'too-long' | 'code-invalid' | 'extension'
  | 'too-costly' | 'business-rule' | 'conflict'
  | 'transient' | 'lock-error' | 'exception' | 'timeout' | 'incomplete' | 'throttled'
  | 'informational';

export interface Issue {
  readonly severity: Severity;
  readonly code: IssueType;
  /** details.text: plain words that tell the caller what to do. */
  readonly text: string;
  /** details.coding[0], where a code system names the error (vandm, business-error). */
  readonly coding?: Coding;
  /** Indexed FHIRPath of the element at fault: `Claim.item[1].net`. */
  readonly expression?: string;
  readonly diagnostics?: string;
  readonly line?: number;
  readonly column?: number;
}
