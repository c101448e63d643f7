// Whether a reference leads to a type that its element allows, and to something at all where it stays within. https://hl7.org/fhir/R4/references.html#literal
import type { Faults } from './faults.js';
import { textIn } from './json-object.js';
import { shown } from './words.js';

interface Reference {
  readonly reference?: unknown;
  readonly type?: unknown;
}

/** True as well where nothing tells the type: conditional and logical references, and what is not here. */
export function mayPointAt(targets: readonly string[], isResource: (type: string) => boolean, { reference, type }: Reference, faults: Faults): boolean {
  if (type !== undefined && !isAllowed(targets, isResource, type)) return false;
  if (typeof reference !== 'string') return true;
  // almost always one of the targets and a slash: no text is cut out of another then
  for (const target of targets) {
    if (reference.charCodeAt(target.length) === 47 && reference.startsWith(target)) return true;
  }
  return isAllowed(targets, isResource, referencedType(reference) ?? textIn(faults.setting.resolve(reference), 'resourceType'));
}

/** `Patient` of `Patient/1`, `https://host/fhir/Patient/1/_history/2`; undefined where the text does not say. */
export function referencedType(reference: string): string | undefined {
  const match = /(?:^|\/)([A-Z][A-Za-z]+)\/[A-Za-z0-9\-.]{1,64}(?:\/_history\/[A-Za-z0-9\-.]{1,64})?(?:$|#)/.exec(reference);
  return match?.[1];
}

function isAllowed(targets: readonly string[], isResource: (type: string) => boolean, type: unknown): boolean {
  return typeof type !== 'string' || !isResource(type) || targets.includes(type);
}

/** ref-1: `#id` is the id of a contained resource. */
export function checkFragment(faults: Faults, { reference }: Reference): void {
  if (typeof reference !== 'string' || faults.setting.contained(reference) !== undefined) return;
  faults.add('invariant', '', () => `ref-1: no contained resource has the id that ${shown(reference)} names: put it into contained, or correct the reference`);
}
