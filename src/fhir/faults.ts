// Faults of a resource that a rule finds: collected, so that its author is told all of them at once.
import { ERRORS, failWith, type ErrorName } from './errors.js';
import type { Issue } from './issue.js';
import type { Coding } from './resource.js';

export type FaultName = Extract<ErrorName, 'required' | 'code-invalid' | 'business-rule' | 'invalid' | 'reference-not-found'>;

/** One fault, of the kind of a 422 row of the error table. */
export function fault(name: FaultName, text: string, expression: string, coding?: Coding): Issue {
  return { severity: 'error', code: ERRORS[name].code, text, expression, ...(coding && { coding }) };
}

/** Throws 422 with all faults, if there are any. */
export function refuse(faults: readonly Issue[]): void {
  if (faults.length > 0) throw failWith(422, faults);
}
