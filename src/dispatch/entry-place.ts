// Where in a Bundle a refusal belongs: what has no place yet is told at the entry.
import { FhirError } from '../fhir/errors.js';

/** Runs one step for `place` (`Bundle.entry[3]`), and gives its refusals that place, unless they name one in the Bundle already. */
export function placed<T>(place: string, step: () => T | Promise<T>): T | Promise<T> {
  try {
    const done = step();
    return done instanceof Promise ? done.catch((error: unknown) => { throw at(error, place); }) : done;
  } catch (error) {
    throw at(error, place);
  }
}

/** A refusal with the place where it belongs; any other error as it is. */
export function at(error: unknown, place: string): unknown {
  if (!(error instanceof FhirError)) return error;
  const issues = error.issues.map((issue) => ({ ...issue, expression: expressionAt(issue.expression, place) }));
  return new FhirError(error.status, issues, error.headers);
}

/** `Patient.id` stands in the entry's resource; what is no path (a criterion, nothing) is told at the entry. */
function expressionAt(expression: string | undefined, place: string): string {
  if (expression === undefined || expression.startsWith('Bundle.')) return expression ?? place;
  return /^[A-Z][A-Za-z]*\./.test(expression) ? `${place}.resource${expression.slice(expression.indexOf('.'))}` : place;
}
