// The value set that an element is bound to: the `context` of $expand and $validate-code. https://hl7.org/fhir/R4/valueset-operation-expand.html
import type { Definitions } from '../../definitions/model.js';
import { missing } from './terminology-parts.js';

const BASE = 'http://hl7.org/fhir/StructureDefinition/';

/** `Patient.gender`, with the URL of its StructureDefinition and a `#` or a dot before it or not. Refuses what has no binding. */
export function contextValueSet(context: string, definitions: Definitions): string {
  const place = context.startsWith(BASE) ? context.slice(BASE.length) : context;
  const path = place.slice(place.indexOf('#') + 1);
  const dot = path.lastIndexOf('.');
  const rule = definitions.type(path.slice(0, dot))?.elements.find(({ path: one }) => one === path);
  if (!rule?.binding) throw missing(`The context ${JSON.stringify(context.slice(0, 200))} is not an element that is bound to a value set: write it as Patient.gender`);
  return rule.binding.valueSet;
}
