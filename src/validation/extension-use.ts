// Whether a known extension stands where its definition allows, and holds what it says. Those nobody here knows may stand anywhere.
// https://hl7.org/fhir/R4/defining-extensions.html#context
import type { ElementRule, ExtensionRule } from '../definitions/model.js';
import type { Faults } from './faults.js';
import type { Member } from './json-object.js';
import { listed } from './words.js';

/** `isA`: is a type the same as another or derived from it? */
export function checkExtensionUse(faults: Faults, rule: ExtensionRule, extension: Member, isA: (type: string, ancestor: string) => boolean): void {
  if (rule.values !== undefined) checkValue(faults, rule, rule.values, extension);
  faults.judgeLater((within) => misplaced(rule, within, isA));
}

function checkValue(faults: Faults, rule: ExtensionRule, values: readonly string[], extension: Member): void {
  const given = Object.keys(extension).find((name) => name.startsWith('value') || name.startsWith('_value'));
  const allowed = values.map((type) => `value${type.charAt(0).toUpperCase()}${type.slice(1)}`);
  if (given === undefined ? values.length === 0 : allowed.includes(given.replace(/^_/, ''))) return;
  const words = values.length === 0 ? 'has extensions of its own and no value' : `has its value as ${listed(allowed, ' | ')}`;
  faults.add('structure', '', () => `the extension ${rule.url} ${words}`);
}

/** Where HL7's own resources have extensions of R4 beside what their definitions say; R5 corrected these. */
const ERRATA: ReadonlyMap<string, readonly string[]> = new Map([
  ['structuredefinition-fhir-type', ['ElementDefinition.type']],
  ['regex', ['ElementDefinition.type']],
  ['structuredefinition-normative-version', ['Element']],
  ['valueset-concept-comments', ['CodeSystem.concept']],
  ['translation', ['ValueSet.expansion.contains']],
].map(([id, places]) => [`http://hl7.org/fhir/StructureDefinition/${String(id)}`, places as readonly string[]]));

function misplaced(rule: ExtensionRule, within: readonly ElementRule[], isA: (type: string, ancestor: string) => boolean): string | undefined {
  const [element] = within;
  if (element === undefined) return undefined;
  const member = rule.modifier ? 'modifierExtension' : 'extension';
  if (element.name !== member) return `the extension ${rule.url} belongs in ${member}, not in ${element.name}`;
  const places = placesOf(within);
  if (ERRATA.get(rule.url)?.some((expression) => places.some((place) => isAt(place, expression, isA)))) return undefined;
  const fits = rule.contexts.some(({ type, expression }) => type !== 'element' || places.some((place) => isAt(place, expression, isA)));
  if (fits || rule.contexts.length === 0) return undefined;
  return `the extension ${rule.url} must not stand here, but on ${listed(rule.contexts.map(({ expression }) => expression), ' | ')}`;
}

function isAt(place: string, expression: string, isA: (type: string, ancestor: string) => boolean): boolean {
  // any element, and HL7 means resources too
  if (expression === 'Element') return true;
  return place === expression || place.replace('[x]', '') === expression || isA(place, expression);
}

/** All names of the place: `Element`, `string`, `HumanName.family` and `Patient.name.family`, up to the resource. */
function placesOf([extension, ...around]: readonly ElementRule[]): readonly string[] {
  if (extension === undefined) return [];
  let at = extension.path.slice(0, extension.path.lastIndexOf('.'));
  const places = [at];
  for (const element of around) {
    if (element.types.includes('Resource')) break;
    if (places.length === 1) places.push(...element.types);
    if (at.startsWith(`${element.path}.`)) continue;
    at = at === element.path ? at : element.path + at.slice(typeIn(at, element).length);
    places.push(at);
  }
  return places;
}

/** The type at the start of a path that `element` has: `ElementDefinition` of `ElementDefinition.binding`. */
function typeIn(path: string, { types }: ElementRule): string {
  return types.find((type) => path === type || path.startsWith(`${type}.`)) ?? path;
}
