// The faults that generated code finds, put into words: off the hot path, called only when something is wrong.
import type { ElementRule, TypeRule } from '../definitions/model.js';
import type { Binding } from './binding.js';
import type { Faults } from './faults.js';
import { isChoice, membersOf } from './member.js';
import { PRIMITIVES, type Primitive } from './primitive.js';
import { listed, nearest, shown } from './words.js';

export function reportNotObject(faults: Faults, value: unknown, type: string): void {
  faults.add('structure', '', () => `${shown(value)} stands where an object (${type}) belongs`);
}

export function reportEmptyObject(faults: Faults): void {
  faults.add('structure', '', () => 'an object must not be empty: leave the element out');
}

/** ele-1 of https://hl7.org/fhir/R4/element.html */
export function reportIdAlone(faults: Faults): void {
  faults.add('invariant', '', () => 'ele-1: an element must have a value or elements, not an id alone: leave it out');
}

/** HL7 puts an unknown member on its parent. */
export function reportUnknown(faults: Faults, member: string, rule: TypeRule): void {
  faults.add('structure', '', () => `there is no element ${shown(member)} in ${rule.name}: ${unknownHint(member, rule)}`);
}

function unknownHint(member: string, { elements }: TypeRule): string {
  const choice = elements.find((element) => element.name === `${member}[x]`);
  if (choice !== undefined) return `write it with its type, as ${listed(membersOf(choice), ' | ')}`;
  const known = elements.flatMap(membersOf);
  const near = nearest(member, known);
  return near === undefined ? `it holds ${listed(known, ', ')}` : `did you mean '${near}'?`;
}

/** HL7 puts a missing element on its parent. */
export function reportMissing(faults: Faults, element: ElementRule): void {
  const forms = (): string => (isChoice(element) ? `: give one of ${listed(membersOf(element), ', ')}` : '');
  faults.add('required', '', () => `'${element.name}' is missing, and required here${forms()}`);
}

export function reportSecondChoice(faults: Faults, segment: string, element: ElementRule, member: string): void {
  faults.add('structure', segment, () => `only one form of ${element.name} may be given, and '${member}' is one more`);
}

export function reportPrimitive(faults: Faults, segment: string, primitive: Primitive, value: unknown): void {
  const code = typeof value === primitive.json ? 'value' : 'structure';
  faults.add(code, segment, () => `${shown(value)} is not ${primitive.expected}`);
}

const CODE = PRIMITIVES.get('code');

/** A code outside a required value set, or no code at all. */
export function reportCode(faults: Faults, segment: string, binding: Binding, value: unknown): void {
  if (CODE !== undefined && !CODE.test(value)) reportPrimitive(faults, segment, CODE, value);
  else reportUnbound(faults, segment, binding, shown(value), binding.codes);
}

export function reportCoding(faults: Faults, segment: string, binding: Binding, value: { system?: string; code?: string }): void {
  reportUnbound(faults, segment, binding, value.code === undefined ? 'a coding without code' : codingText(value), codingsOf(binding));
}

export function reportConcept(faults: Faults, segment: string, binding: Binding, value: { coding?: readonly { system?: string; code?: string }[] }): void {
  const first = value.coding?.[0];
  const found = first === undefined ? 'text without a coding' : codingText(first);
  reportUnbound(faults, segment, binding, found, codingsOf(binding));
}

function reportUnbound(faults: Faults, segment: string, binding: Binding, found: string, allowed: Iterable<string>): void {
  faults.add('code-invalid', segment, () => `${found} is not in the value set ${binding.name} (required): ${listed(allowed, ' | ')}`);
}

function codingText({ system, code }: { system?: string; code?: string }): string {
  return shown(`${system ?? ''}|${code ?? ''}`);
}

function* codingsOf(binding: Binding): Iterable<string> {
  for (const [system, codes] of binding.systems) {
    for (const code of codes) yield `${system}|${code}`;
  }
}

export function reportTarget(faults: Faults, segment: string, targets: readonly string[], value: { reference?: string; type?: string }): void {
  faults.add('structure', segment, () => `the reference ${shown(value.reference ?? value.type)} must point at ${listed(targets, ' | ')}`);
}

/** ext-1 of https://hl7.org/fhir/R4/extensibility.html */
export function reportExtension(faults: Faults): void {
  faults.add('invariant', '', () => 'ext-1: an extension holds either one value[x] or extensions of its own, not both and not neither');
}

export function reportResourceType(faults: Faults, type: unknown): void {
  const words = typeof type === 'string' ? `there is no resource type ${shown(type)} in FHIR R4` : 'a resource must say its resourceType';
  faults.add('structure', '', () => words);
}

export function reportNotArray(faults: Faults, segment: string, value: unknown): void {
  faults.add('structure', segment, () => `${shown(value)} stands where an array belongs, even for one`);
}

export function reportEmptyArray(faults: Faults, segment: string): void {
  faults.add('structure', segment, () => 'an array must not be empty: leave the element out');
}

export function reportLength(faults: Faults, segment: string, length: number, element: ElementRule): void {
  faults.add('structure', segment, () => `${length} are given, and ${element.min} to ${element.max} are allowed`);
}

export function reportNoSibling(faults: Faults, segment: string): void {
  faults.add('required', segment, () => 'a null must be paired with an element in the array of the same name with _, and the other way about');
}

export function reportNoValue(faults: Faults, segment: string): void {
  faults.add('required', segment, () => 'a primitive without value must have an extension');
}
