// Which JSON members hold an element of a type, and the values that stand there: what profiles need to walk a resource.
import type { Definitions, ElementRule } from '../definitions/model.js';
import { isObject } from './json-object.js';
import { isChoice, memberOf, membersOf, stemOf } from './member.js';
import { PRIMITIVES } from './primitive.js';

/** A value with its FHIR type. `sibling`: `_birthDate` of a primitive, whose `value` may then be undefined. */
export interface Item {
  readonly value: unknown;
  readonly sibling: unknown;
  readonly type: string;
  /** From the object that holds it: `.identifier[0]`, `.value.ofType(Quantity)`. */
  readonly segment: string;
}

/** One member name of an element. */
export interface Form {
  readonly member: string;
  /** `_member`, for primitives. */
  readonly sibling: string | undefined;
  readonly type: string;
  readonly repeats: boolean;
  readonly segment: string;
}

/** The forms of an element of a type: `Observation` and `value[x]`, or `valueQuantity` for that form alone. Empty where there is no such element. */
export type FormsOf = (type: string, name: string) => readonly Form[];

export function createForms({ type: typeOf }: Pick<Definitions, 'type'>): FormsOf {
  const known = new Map<string, readonly Form[]>();
  return (type, name) => {
    const key = `${type}.${name}`;
    let forms = known.get(key);
    if (!forms) known.set(key, (forms = formsIn(typeOf(type)?.elements ?? [], name)));
    return forms;
  };
}

function formsIn(elements: readonly ElementRule[], name: string): readonly Form[] {
  const element = elements.find((one) => one.name === name || stemOf(one) === name);
  if (element) return element.types.map((type) => formOf(element, type));
  const choice = elements.find((one) => isChoice(one) && membersOf(one).includes(name));
  return choice ? choice.types.filter((type) => memberOf(choice, type) === name).map((type) => formOf(choice, type)) : [];
}

function formOf(element: ElementRule, type: string): Form {
  const member = memberOf(element, type);
  const segment = isChoice(element) ? `.${stemOf(element)}.ofType(${type})` : `.${element.name}`;
  return { member, sibling: PRIMITIVES.has(type) ? `_${member}` : undefined, type, repeats: element.max > 1, segment };
}

type FormFinder = (object: Readonly<Record<string, unknown>>) => readonly Form[];

/**
 * Which of the forms an object may hold, in its own order: an extension's value has fifty, and asking for each took forty times as long
 * as the rest of a profile.
 */
function formFinder(forms: readonly Form[]): FormFinder {
  const byMember = new Map(forms.flatMap((form): [string, Form][] => [[form.member, form], ...(form.sibling === undefined ? [] : [[form.sibling, form] as [string, Form]])]));
  return (object) => {
    const present: Form[] = [];
    for (const member in object) {
      const form = byMember.get(member);
      // `_valueCode` beside `valueCode` is the same element
      if (form && (member === form.member || object[form.member] === undefined)) present.push(form);
    }
    return present;
  };
}

const FEW = 3;

/** All values of the element that the object holds. */
export function itemsOf(object: Readonly<Record<string, unknown>>, forms: readonly Form[]): Item[] {
  const items: Item[] = [];
  for (const form of forms.length <= FEW ? forms : finderOf(forms)(object)) {
    const value = object[form.member];
    const sibling = form.sibling === undefined ? undefined : object[form.sibling];
    if (value === undefined && sibling === undefined) continue;
    if (!form.repeats) items.push({ value, sibling, type: typeOf(form.type, value), segment: form.segment });
    else addAll(items, form, asList(value), asList(sibling));
  }
  return items;
}

const finders = new WeakMap<readonly Form[], FormFinder>();

function finderOf(forms: readonly Form[]): FormFinder {
  const known = finders.get(forms) ?? formFinder(forms);
  finders.set(forms, known);
  return known;
}

function addAll(items: Item[], form: Form, values: readonly unknown[], siblings: readonly unknown[]): void {
  for (let i = 0; i < Math.max(values.length, siblings.length); i++) {
    const value = values[i] ?? undefined;
    items.push({ value, sibling: siblings[i] ?? undefined, type: typeOf(form.type, value), segment: `${form.segment}[${i}]` });
  }
}

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** A resource within another says its type itself. */
function typeOf(type: string, value: unknown): string {
  if (type !== 'Resource') return type;
  return isObject(value) && typeof value['resourceType'] === 'string' ? value['resourceType'] : type;
}

const EMPTY: Readonly<Record<string, unknown>> = Object.freeze({});

/** Where the elements of a value stand: in itself, or of a primitive in `_birthDate`, which may not be there. */
export function holderOf(value: unknown, sibling: unknown): Readonly<Record<string, unknown>> {
  if (isObject(value)) return value;
  return isObject(sibling) ? sibling : EMPTY;
}
