// An NHS number as a caller asks by it: `https://fhir.nhs.uk/Id/nhs-number|9990000018`, nothing trimmed (domain.md 6.5).
import { isNhsNumber } from '../../fhir/nhs-number.js';
import { NHS_NUMBER } from '../codes.js';
import { spineError } from './spine-error.js';

/** The number of a token `system|value`. 400 INVALID_IDENTIFIER_SYSTEM before 400 INVALID_NHS_NUMBER (VM-32). */
export function requireNhsNumber(token: string): string {
  const bar = token.indexOf('|');
  return requireNumber(bar < 0 ? undefined : token.slice(0, bar), token.slice(bar + 1));
}

export function requireNumber(system: string | undefined, value: string | undefined): string {
  if (system !== NHS_NUMBER) throw spineError('INVALID_IDENTIFIER_SYSTEM', `The system of the identifier must be ${NHS_NUMBER}, followed by | and the number`);
  if (value === undefined || !isNhsNumber(value))
    throw spineError('INVALID_NHS_NUMBER', 'An NHS number is ten digits without spaces, of which the last is its check digit');
  return value;
}
