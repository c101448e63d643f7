// An element of the XML that is open, with the JSON of what it has held so far.
import type { XmlForm, XmlType } from './xml-forms.js';

export interface Frame {
  readonly parent: Frame | undefined;
  /** Undefined for a resource, which has no element name of its own. */
  readonly form: XmlForm | undefined;
  /** What its children are looked up in. */
  readonly type: XmlType;
  /** Objects and arrays of the JSON it stands in, itself counted. */
  readonly depth: number;
  /** Place among those of its name. */
  readonly index: number;
  /** Members of the JSON object, with commas between. */
  members: string;
  /** JSON of the value of a primitive or narrative, or of the resource in the element. */
  value: string | undefined;
  /** The element that was closed last. */
  last: XmlForm | undefined;
  count: number;
  /** Of a list of primitives that is open: values, and the objects that go beside them. */
  values: string[];
  siblings: string[];
  resource: boolean;
}

export function openFrame(parent: Frame | undefined, form: XmlForm | undefined, type: XmlType): Frame {
  return {
    parent, form, type,
    depth: (parent?.depth ?? 0) + (form?.kind === 'resource' ? 0 : 1) + (form?.repeats === true ? 1 : 0),
    index: parent && form === parent.last ? parent.count : 0,
    members: form === undefined ? `"resourceType":${JSON.stringify(type.name)}` : '',
    value: undefined, last: undefined, count: 0, values: [], siblings: [], resource: false,
  };
}

/** The JSON of an element that is closed: an object, unless it has a value alone. */
export function frameText({ form, members, value }: Frame): string {
  if (form !== undefined && value !== undefined && form.kind !== 'primitive') return value;
  return form?.kind === 'primitive' && members === '' ? '' : `{${members}}`;
}

/** Puts a closed element into the members of its parent. `text` is its JSON; for a primitive that of its id and extensions. */
export function appendChild(parent: Frame, child: Frame, text: string): void {
  const { form } = child;
  if (form === undefined) {
    parent.value = text;
    parent.resource = true;
    return;
  }
  const first = form !== parent.last;
  if (first) closeList(parent);
  parent.last = form;
  parent.count = first ? 1 : parent.count + 1;
  if (form.kind === 'primitive') appendPrimitive(parent, form, child.value, text);
  else if (!form.repeats) addMember(parent, form.name, text);
  else if (first) addMember(parent, form.name, `[${text}`);
  else parent.members += `,${text}`;
}

function appendPrimitive(parent: Frame, form: XmlForm, value: string | undefined, sibling: string): void {
  if (form.repeats) {
    parent.values.push(value ?? 'null');
    parent.siblings.push(sibling === '' ? 'null' : sibling);
    return;
  }
  if (value !== undefined) addMember(parent, form.name, value);
  if (sibling !== '') addMember(parent, form.sibling, sibling);
}

/** Ends the list that the last element is in, if it is in one. */
export function closeList(frame: Frame): void {
  const { last, values, siblings } = frame;
  if (last?.repeats !== true) return;
  if (last.kind !== 'primitive') frame.members += ']';
  else {
    if (values.some((value) => value !== 'null')) addMember(frame, last.name, `[${values.join(',')}]`);
    if (siblings.some((sibling) => sibling !== 'null')) addMember(frame, last.sibling, `[${siblings.join(',')}]`);
    frame.values = [];
    frame.siblings = [];
  }
}

function addMember(frame: Frame, name: string, text: string): void {
  frame.members += `${frame.members === '' ? '' : ','}"${name}":${text}`;
}

/** `Patient.contact[1].name`; put together for refusals only. */
export function pathOf(frame: Frame): string {
  const { parent, form, type, index } = frame;
  if (!parent) return type.name;
  const before = pathOf(parent);
  if (!form) return before;
  return form.repeats ? `${before}.${form.segment}[${index}]` : `${before}.${form.segment}`;
}

/** The path of the same element in the JSON: `_given[1].extension[0]`; empty for the root. */
export function jsonPathOf(frame: Frame, holder = false): string {
  const { parent, form, index } = frame;
  if (!parent) return '';
  const before = jsonPathOf(parent, true);
  if (!form) return before;
  const name = holder && form.kind === 'primitive' ? form.sibling : form.name;
  return `${before}${before === '' ? '' : '.'}${name}${form.repeats ? `[${index}]` : ''}`;
}
