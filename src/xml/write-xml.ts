// A resource's JSON text as XML: elements in the order of the definition, decimals as they are written. https://hl7.org/fhir/R4/xml.html
import { scanJson } from '../fhir/json-scan.js';
import { valueEnd } from '../fhir/json-walk.js';
import type { JsonObject, JsonValue } from '../fhir/resource.js';
import type { XmlForm, XmlType, XmlTypes } from './xml-forms.js';

export const FHIR_NAMESPACE = 'http://hl7.org/fhir';
const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>';
/** What is stored is less deep, and a page of a search adds three levels. */
const MAX_DEPTH = 1000;
const INDENT = '  ';

export interface XmlLayout {
  /** An element on each line; narratives stay as they are. */
  readonly pretty?: boolean;
}

/** `json` is a resource that the validator took, or that the server made. A Patient of 1.8 KB takes 24 µs, three times its JSON.parse. */
export function writeXml(json: string, types: XmlTypes, { pretty = false }: XmlLayout = {}): string {
  const resource = JSON.parse(numbersQuoted(json)) as JsonObject;
  const writer: Writer = { types, line: pretty ? '\n' : '', indent: pretty ? INDENT : '' };
  return `${DECLARATION}${resourceXml(resource, ` xmlns="${FHIR_NAMESPACE}"`, writer.line, writer)}${writer.line}`;
}

/** The same text with the numbers that a double would print otherwise as strings: XML makes no difference between them. */
function numbersQuoted(json: string): string {
  const { unusual } = scanJson(json, 0, json.length, MAX_DEPTH);
  if (unusual.length === 0) return json;
  let quoted = '';
  let from = 0;
  for (const start of unusual) {
    const end = valueEnd(json, start);
    quoted += `${json.slice(from, start)}"${json.slice(start, end)}"`;
    from = end;
  }
  return quoted + json.slice(from);
}

interface Writer {
  readonly types: XmlTypes;
  readonly line: string;
  readonly indent: string;
}

/** `line` is what begins a line at this depth; empty where nothing is laid out. */
function resourceXml(resource: JsonObject, namespace: string, line: string, writer: Writer): string {
  const { resourceType: name } = resource;
  const type = typeof name === 'string' ? writer.types(name) : undefined;
  if (!type) throw new Error(`no resource type of R4: ${JSON.stringify(name)}`);
  const content = childrenXml(resource, type, line + writer.indent, writer);
  return content === '' ? `${line}<${type.name}${namespace}/>` : `${line}<${type.name}${namespace}>${content}${line}</${type.name}>`;
}

function childrenXml(object: JsonObject, type: XmlType, line: string, writer: Writer): string {
  let content = '';
  for (const form of formsIn(object, type)) {
    if (!form.attribute) content += form.kind === 'primitive' ? primitivesXml(object, form, line, writer) : complexesXml(object[form.name], form, line, writer);
  }
  return content;
}

/** The forms that the object has, in the order of the definition: they mostly come in it. */
function formsIn(object: JsonObject, { forms }: XmlType): XmlForm[] {
  const found: XmlForm[] = [];
  let last = -1;
  let sorted = true;
  for (const key of Object.keys(object)) {
    const form = forms.get(key) ?? (key.startsWith('_') ? siblingForm(object, key.slice(1), forms) : undefined);
    if (!form) continue;
    if (form.order < last) sorted = false;
    last = form.order;
    found.push(form);
  }
  return sorted ? found : found.sort((one, other) => one.order - other.order);
}

/** The form of a `_x` that has no `x` beside it. */
function siblingForm(object: JsonObject, name: string, forms: XmlType['forms']): XmlForm | undefined {
  return Object.hasOwn(object, name) ? undefined : forms.get(name);
}

function primitivesXml(object: JsonObject, form: XmlForm, line: string, writer: Writer): string {
  const value = object[form.name];
  const sibling = object[form.sibling];
  if (!form.repeats) return primitiveXml(value, sibling, form, line, writer);
  const values = Array.isArray(value) ? value : [];
  const siblings = Array.isArray(sibling) ? sibling : [];
  let content = '';
  for (let index = 0; index < values.length || index < siblings.length; index++) content += primitiveXml(values[index], siblings[index], form, line, writer);
  return content;
}

function primitiveXml(value: JsonValue | undefined, sibling: JsonValue | undefined, { name, type }: XmlForm, line: string, writer: Writer): string {
  const written = value === undefined || value === null || typeof value === 'object' ? '' : ` value="${attributeText(String(value))}"`;
  if (!isObject(sibling)) return written === '' ? '' : `${line}<${name}${written}/>`;
  return elementXml(name, written, sibling, type, line, writer);
}

function complexesXml(value: JsonValue | undefined, form: XmlForm, line: string, writer: Writer): string {
  if (!Array.isArray(value)) return complexXml(value, form, line, writer);
  let content = '';
  for (const item of value) content += complexXml(item, form, line, writer);
  return content;
}

function complexXml(value: JsonValue | undefined, { name, kind, type }: XmlForm, line: string, writer: Writer): string {
  if (kind === 'xhtml') return typeof value === 'string' ? line + value : '';
  if (!isObject(value)) return '';
  if (kind === 'resource') return `${line}<${name}>${resourceXml(value, '', line + writer.indent, writer)}${line}</${name}>`;
  return elementXml(name, '', value, type, line, writer);
}

function elementXml(name: string, value: string, object: JsonObject, typeName: string, line: string, writer: Writer): string {
  const type = writer.types(typeName);
  if (!type) throw new Error(`${typeName} is no type of R4`);
  const { id, url } = object;
  let tag = name;
  if (typeof id === 'string') tag += ` id="${attributeText(id)}"`;
  if (typeof url === 'string' && type.forms.get('url')?.attribute === true) tag += ` url="${attributeText(url)}"`;
  const content = childrenXml(object, type, line + writer.indent, writer);
  return content === '' ? `${line}<${tag}${value}/>` : `${line}<${tag}${value}>${content}${line}</${name}>`;
}

const isObject = (value: JsonValue | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

const SPECIAL = /[&<>"\0-\x1f\ufffe\uffff]/;
const SPECIALS = /[&<>"\0-\x1f\ufffe\uffff]/g;
/** White space other than blanks is written by number: a reader would take it for blanks. */
const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\t': '&#9;', '\n': '&#10;', '\r': '&#13;' };
/** For characters that XML can't hold, which only the words of a refusal may have from what was sent. */
const REPLACEMENT = '\ufffd';

/** As it stands between quotes. */
export function attributeText(value: string): string {
  return SPECIAL.test(value) ? value.replace(SPECIALS, (one) => ESCAPES[one] ?? REPLACEMENT) : value;
}

/** As it stands between tags. */
export function contentText(value: string): string {
  return value.replace(/[&<>\r]/g, (one) => ESCAPES[one] ?? one);
}
