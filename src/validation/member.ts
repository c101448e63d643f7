// The member names an element has in JSON: one, or one per type where it is a choice. https://hl7.org/fhir/R4/formats.html#choice
import type { ElementRule } from '../definitions/model.js';

export function isChoice(element: ElementRule): boolean {
  return element.name.endsWith('[x]');
}

/** `value` of `value[x]`. */
export function stemOf(element: ElementRule): string {
  return isChoice(element) ? element.name.slice(0, -3) : element.name;
}

/** `valueQuantity` of `value[x]` and `Quantity`. */
export function memberOf(element: ElementRule, type: string): string {
  return isChoice(element) ? stemOf(element) + type.charAt(0).toUpperCase() + type.slice(1) : element.name;
}

/** All its names, without the `_` ones. */
export function membersOf(element: ElementRule): string[] {
  return isChoice(element) ? element.types.map((type) => memberOf(element, type)) : [element.name];
}
