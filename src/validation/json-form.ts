// How FHIR's JSON writes lists and the id and extensions of primitives. https://hl7.org/fhir/R4/json.html#primitive
import type { ElementRule } from '../definitions/model.js';
import type { Faults, Lazy } from './faults.js';
import { reportEmptyArray, reportLength, reportNoSibling, reportNotArray, reportNoValue } from './reports.js';

/** True where the items are worth a look: an array that is not empty. */
export function isList(faults: Faults, segment: string, value: unknown, element: ElementRule): value is unknown[] {
  if (!Array.isArray(value)) {
    reportNotArray(faults, segment, value);
    return false;
  }
  if (value.length === 0) reportEmptyArray(faults, segment);
  else if (value.length < element.min || value.length > element.max) reportLength(faults, segment, value.length, element);
  return value.length > 0;
}

/** An item of a primitive array may be null where `_field` has an element at the same place. */
export function isPaired(value: unknown, siblings: unknown, index: number): boolean {
  return value === null && Array.isArray(siblings) && typeof siblings[index] === 'object' && siblings[index] !== null;
}

/** `_field` of a single primitive: an Element, with an extension where the primitive has no value. `element`: the check of one. */
export function checkSibling(faults: Faults, segment: string, rule: ElementRule, element: Lazy, sibling: unknown, value: unknown): void {
  const before = faults.count;
  element.check(sibling, faults);
  if (faults.count !== before) faults.prefix(before, segment, rule);
  else if (value === undefined || value === null) requireExtension(faults, segment, sibling);
}

/** `_field` of a primitive array: elements and nulls, each in the place of the value it belongs to; a shorter array counts as filled up with nulls. */
export function checkSiblings(faults: Faults, segment: string, rule: ElementRule, element: Lazy, siblings: unknown, values: unknown): void {
  if (!Array.isArray(siblings)) reportNotArray(faults, segment, siblings);
  else if (siblings.length === 0) reportEmptyArray(faults, segment);
  else checkPairs(faults, segment, rule, element, siblings, Array.isArray(values) ? values : []);
}

function checkPairs(faults: Faults, segment: string, rule: ElementRule, element: Lazy, siblings: readonly unknown[], values: readonly unknown[]): void {
  for (let i = 0; i < siblings.length; i++) {
    if (siblings[i] !== null) checkSibling(faults, `${segment}[${i}]`, rule, element, siblings[i], values[i]);
    else if (values[i] === undefined) reportNoSibling(faults, `${segment}[${i}]`);
  }
}

function requireExtension(faults: Faults, segment: string, sibling: unknown): void {
  if (typeof sibling === 'object' && sibling !== null && !('extension' in sibling)) reportNoValue(faults, segment);
}
