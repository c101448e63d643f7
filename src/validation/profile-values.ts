// Whether a value is what fixed[x] or pattern[x] asks. https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.pattern_x_
import { isObject } from './json-object.js';

/** The same to the last member. */
export function isFixed(wanted: unknown, value: unknown): boolean {
  if (wanted === value) return true;
  if (Array.isArray(wanted)) return Array.isArray(value) && value.length === wanted.length && wanted.every((one, at) => isFixed(one, value[at]));
  if (!isObject(wanted) || !isObject(value)) return false;
  const members = Object.keys(wanted);
  return members.length === Object.keys(value).length && members.every((member) => isFixed(wanted[member], value[member]));
}

/** At least what the pattern holds: of a list, each of its items is met by some item of the value. */
export function meetsPattern(wanted: unknown, value: unknown): boolean {
  if (wanted === value) return true;
  if (Array.isArray(wanted)) return Array.isArray(value) && wanted.every((one) => value.some((item) => meetsPattern(one, item)));
  if (!isObject(wanted) || !isObject(value)) return false;
  for (const member in wanted) if (!meetsPattern(wanted[member], value[member])) return false;
  return true;
}
