// A resource in XML as the JSON text that says the same: every name, place and attribute is checked, and decimals keep their digits.
// https://hl7.org/fhir/R4/xml.html
import { SaxesParser, type SaxesTagNS } from 'saxes';
import { fail, FhirError, type ErrorName } from '../fhir/errors.js';
import type { Position } from '../fhir/json-walk.js';
import { appendChild, closeList, frameText, jsonPathOf, openFrame, pathOf, type Frame } from './xml-frame.js';
import type { XmlForm, XmlTypes } from './xml-forms.js';
import { XhtmlText } from './xhtml-text.js';

const FHIR_NAMESPACE = 'http://hl7.org/fhir';
const XHTML_NAMESPACE = 'http://www.w3.org/1999/xhtml';
const XMLNS = 'http://www.w3.org/2000/xmlns/';
/** Hints for schema processors, which say nothing about the resource. */
const INSTANCE = 'http://www.w3.org/2001/XMLSchema-instance';
const HINTS: ReadonlySet<string> = new Set(['schemaLocation', 'noNamespaceSchemaLocation']);

/** Of objects and arrays of the JSON inside each other, as readJson counts. Elements may be twice as deep: namespaces are looked up through all that are open. */
const MAX_DEPTH = 100;

/** What is wrong, and the place is added where it is thrown. */
type Refuse = (name: ErrorName, text: string, expression?: string) => FhirError;

/**
 * The JSON text of the resource in `xml`. Refuses with line, column and FHIRPath (400): what is not well-formed, a DOCTYPE and whatever it would define,
 * elements and attributes that FHIR does not have there or that stand in the wrong order or namespace, and nesting too deep.
 */
export function readXml(xml: string, types: XmlTypes, maxDepth = MAX_DEPTH): string {
  return new Reader(xml, types, maxDepth).read();
}

/** Where each element is, by its JSON path (`name[0].family`, empty for the root): for refusals that validation makes. `xml` is one that readXml takes. */
export function placesIn(xml: string, types: XmlTypes, maxDepth = MAX_DEPTH): ReadonlyMap<string, Position> {
  const places = new Map<string, Position>();
  new Reader(xml, types, maxDepth, (frame, place) => { places.set(jsonPathOf(frame), place); }).read();
  return places;
}

type OnOpen = (frame: Frame, place: Position) => void;

class Reader {
  readonly #xml: string;
  readonly #types: XmlTypes;
  readonly #parser = new SaxesParser({ xmlns: true });
  readonly #open: Frame[] = [];
  readonly #maxDepth: number;
  readonly #onOpen: OnOpen | undefined;
  #depth = 0;
  #xhtml: XhtmlText | undefined;
  #json = '';

  constructor(xml: string, types: XmlTypes, maxDepth: number, onOpen?: OnOpen) {
    this.#maxDepth = maxDepth;
    this.#onOpen = onOpen;
    this.#xml = xml.charCodeAt(0) === 0xfeff ? xml.slice(1) : xml;
    this.#types = types;
    const parser = this.#parser;
    // No handler that most bodies do not need: with seven V8 gives up on the parser's shape, and a Patient of 1.8 KB takes 264 µs instead of 113.
    parser.on('opentag', (tag) => { this.#openTag(tag); });
    parser.on('closetag', (tag) => { this.#closeTag(tag); });
    parser.on('text', (text) => { this.#text(text); });
    if (this.#xml.includes('<![CDATA[')) parser.on('cdata', (text) => { this.#text(text); });
    if (this.#xml.includes('<!DOCTYPE')) {
      parser.on('doctype', () => { throw this.#refuse('malformed-xml', 'A resource may have no DOCTYPE, nor entities but those of XML itself: leave it out'); });
    }
  }

  read(): string {
    try {
      this.#parser.write(this.#xml).close();
    } catch (error) {
      throw this.#asRefusal(error);
    }
    return this.#json;
  }

  #openTag(tag: SaxesTagNS): void {
    if (++this.#depth > this.#maxDepth * 2) throw this.#refuse('too-deep', `Elements are nested more than ${this.#maxDepth * 2} deep: send a flatter body`);
    if (this.#xhtml) this.#xhtml.open(tag);
    else {
      const parent = this.#open.at(-1);
      if (!parent || parent.form?.kind === 'resource') this.#openResource(tag, parent);
      else this.#openElement(tag, parent);
    }
  }

  #openResource(tag: SaxesTagNS, parent: Frame | undefined): void {
    if (!parent) this.#requireEncoding();
    if (parent?.resource === true) throw this.#refuse('malformed-xml', `<${parent.form?.name ?? ''}> holds one resource: repeat it for another`, pathOf(parent));
    const type = tag.uri === FHIR_NAMESPACE ? this.#types(tag.local) : undefined;
    if (!type || !type.isResource) throw this.#refuse('not-a-resource', this.#noResource(tag), parent && pathOf(parent));
    const frame = openFrame(parent, undefined, type);
    this.#push(frame);
    this.#attributes(tag, frame);
  }

  #requireEncoding(): void {
    const { encoding } = this.#parser.xmlDecl;
    if (encoding !== undefined && !/^(utf-?8|us-ascii)$/i.test(encoding)) throw this.#refuse('malformed-xml', 'The body is read as UTF-8, and its XML declaration names another encoding');
  }

  #noResource(tag: SaxesTagNS): string {
    if (tag.uri !== FHIR_NAMESPACE) return `<${tag.name.slice(0, 64)}> must be a resource in the namespace of FHIR: xmlns="${FHIR_NAMESPACE}"`;
    return `<${tag.name.slice(0, 64)}> is no resource type of FHIR R4: names are case-sensitive`;
  }

  #openElement(tag: SaxesTagNS, parent: Frame): void {
    const form = parent.type.forms.get(tag.local);
    if (!form || form.attribute) throw this.#refuse('unknown-element', `FHIR defines no element <${tag.name.slice(0, 64)}> in ${parent.type.name}`, pathOf(parent));
    const namespace = form.kind === 'xhtml' ? XHTML_NAMESPACE : FHIR_NAMESPACE;
    if (tag.uri !== namespace) throw this.#refuse('unknown-element', `<${tag.name.slice(0, 64)}> must be in the namespace ${namespace}`, pathOf(parent));
    this.#requireOrder(form, parent);
    const type = form.kind === 'xhtml' || form.kind === 'resource' ? parent.type : this.#types(form.type);
    if (!type) throw new Error(`${form.type} is no type of R4`);
    const frame = openFrame(parent, form, type);
    this.#push(frame);
    if (form.kind === 'xhtml') this.#xhtml = new XhtmlText(this.#xml, this.#parser.position, tag);
    else this.#attributes(tag, frame);
  }

  #requireOrder(form: XmlForm, parent: Frame): void {
    const { last } = parent;
    if (!last || form.order > last.order || (form === last && form.repeats)) return;
    if (form === last) throw this.#refuse('malformed-xml', `<${form.name}> may stand once here`, `${pathOf(parent)}.${form.segment}`);
    if (form.order === last.order) throw this.#refuse('malformed-xml', `<${last.name}> and <${form.name}> are forms of one element: send one of them`, `${pathOf(parent)}.${form.segment}`);
    throw this.#refuse('malformed-xml', `<${form.name}> must stand before <${last.name}>: elements have the order of their definition, and those of one name stand together`, `${pathOf(parent)}.${form.segment}`);
  }

  #push(frame: Frame): void {
    if (frame.depth > this.#maxDepth) throw this.#refuse('too-deep', 'Elements are nested deeper than the server takes: send a flatter body');
    this.#open.push(frame);
    this.#onOpen?.(frame, this.#place());
  }

  #place(): Position {
    const { line, column } = this.#parser;
    return { line, column: column + 1 };
  }

  #attributes({ attributes }: SaxesTagNS, frame: Frame): void {
    for (const name in attributes) {
      const attribute = attributes[name];
      if (!attribute || attribute.uri === XMLNS || (attribute.uri === INSTANCE && HINTS.has(attribute.local))) continue;
      if (attribute.uri !== '' || !this.#takeAttribute(name, attribute.value, frame)) {
        throw this.#refuse('unknown-element', `FHIR defines no attribute ${name.slice(0, 64)} here`, pathOf(frame));
      }
    }
  }

  /** False where the element has no such attribute. */
  #takeAttribute(name: string, value: string, frame: Frame): boolean {
    const { form } = frame;
    if (name === 'value' && form?.kind === 'primitive') {
      frame.value = this.#primitive(form, value, frame);
      return true;
    }
    if (form?.kind === 'resource' || frame.type.forms.get(name)?.attribute !== true) return false;
    frame.members += `${frame.members === '' ? '' : ','}${JSON.stringify(name)}:${JSON.stringify(value)}`;
    return true;
  }

  #primitive({ bare, type }: XmlForm, value: string, frame: Frame): string {
    if (bare === undefined) return JSON.stringify(value);
    if (bare === 'boolean' ? value === 'true' || value === 'false' : NUMBER.test(value)) return value;
    // Whole numbers may have a plus in XML, and none in JSON.
    if (type !== 'decimal' && /^\+[1-9][0-9]*$/.test(value)) return value.slice(1);
    const form = bare === 'boolean' ? 'true or false' : type === 'decimal' ? 'a decimal number such as 12.50' : 'a whole number such as 12';
    throw this.#refuse('malformed-xml', `The value ${JSON.stringify(value.slice(0, 64))} is no ${type}: write ${form}`, pathOf(frame));
  }

  #closeTag(tag: SaxesTagNS): void {
    this.#depth--;
    if (this.#xhtml && !this.#xhtml.close(tag)) return;
    const frame = this.#open.pop();
    if (!frame) return;
    if (this.#xhtml) {
      frame.value = JSON.stringify(this.#xhtml.text(this.#parser.position));
      this.#xhtml = undefined;
    }
    const text = this.#frameText(frame);
    const { parent } = frame;
    if (!parent) this.#json = text;
    else appendChild(parent, frame, text);
  }

  #frameText(frame: Frame): string {
    closeList(frame);
    const { form, members, value } = frame;
    if (form === undefined || form.kind === 'xhtml') return frameText(frame);
    if (members === '' && value === undefined) {
      const what = form.kind === 'resource' ? 'holds a resource, and there is none' : form.kind === 'primitive' ? 'must have a value or extensions' : 'must have elements in it';
      throw this.#refuse('malformed-xml', `<${form.name}> ${what}: leave out what is empty`, pathOf(frame));
    }
    return frameText(frame);
  }

  #text(text: string): void {
    if (this.#xhtml) this.#xhtml.characters(text);
    else if (/[^ \t\r\n]/.test(text)) {
      const frame = this.#open.at(-1);
      throw this.#refuse('malformed-xml', `Text may stand in narratives alone: a value is written <${frame?.form?.name ?? 'name'} value="…"/>`, frame && pathOf(frame));
    }
  }

  readonly #refuse: Refuse = (name, text, expression) => {
    return fail(name, { text, ...this.#place(), ...(expression !== undefined && { expression }) });
  };

  /** saxes begins its words with the place. */
  #asRefusal(error: unknown): unknown {
    const words = error instanceof Error ? /^\d+:\d+: (.*)/s.exec(error.message)?.[1] : undefined;
    if (error instanceof FhirError || words === undefined) return error;
    const frame = this.#open.at(-1);
    return this.#refuse('malformed-xml', `The body is not well-formed XML: ${words.slice(0, 200)}`, frame && pathOf(frame));
  }
}

const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
