// XML Patch: add, replace and remove nodes that an XPath selects. https://www.rfc-editor.org/rfc/rfc5261
import { fail, type FhirError } from '../fhir/errors.js';
import { TreeWork } from '../fhir/tree-work.js';
import { copyNode, parseXml, stringValue, touch, type XmlChild, type XmlElement, type XmlNode } from './xml-node.js';
import { select } from './xpath.js';
import { parseXpath, type Expression } from './xpath-parser.js';

const FHIR = 'http://hl7.org/fhir';
/** What HL7's own patches say without declaring it. */
const KNOWN_PREFIXES: Readonly<Record<string, string>> = { f: FHIR, fhir: FHIR, h: 'http://www.w3.org/1999/xhtml', xml: 'http://www.w3.org/XML/1998/namespace' };
const OPS = ['add', 'replace', 'remove'] as const;
const POSITIONS = ['prepend', 'before', 'after'] as const;
const MOST_OPERATIONS = 1000;
const MOST_SAID = 200;

interface PatchOperation {
  /** From 1. */
  readonly number: number;
  readonly op: (typeof OPS)[number];
  readonly sel: string;
  readonly selected: Expression;
  /** add: undefined is behind the last child. */
  readonly pos: (typeof POSITIONS)[number] | undefined;
  /** add: the name of the attribute that is added, or a namespace declaration, which changes nothing. */
  readonly attribute: string | undefined;
  readonly declaresNamespace: boolean;
  readonly content: readonly XmlChild[];
}

export type XmlPatch = readonly PatchOperation[];

/** Reads a patch document: a root of any name that holds add, replace and remove. Refuses (400) what is none, before anything is changed. */
export function readXmlPatch(text: string): XmlPatch {
  const root = rootOf(parsed(text));
  const operations = root.children.filter((child) => child.kind === 'element');
  if (root.children.some((child) => child.kind === 'text' && child.value.trim() !== '')) throw fail('bad-request', { text: 'An XML Patch holds add, replace and remove elements, and no text beside them' });
  if (operations.length === 0) throw fail('bad-request', { text: 'The XML Patch holds no operation: <diff xmlns:f="http://hl7.org/fhir"><replace sel="f:Patient/f:active/@value">true</replace></diff>' });
  if (operations.length > MOST_OPERATIONS) throw fail('bad-request', { text: `An XML Patch may have ${MOST_OPERATIONS} operations here: send fewer` });
  return operations.map(readOperation);
}

function parsed(text: string): XmlElement {
  try {
    return parseXml(text);
  } catch (error) {
    const [, line, column, words] = /^(?:(\d+):(\d+): )?(.*)/s.exec(error instanceof Error ? error.message : '') ?? [];
    const place = line === undefined ? {} : { line: Number(line), column: Number(column) + 1 };
    throw fail('malformed-xml', { text: `The XML Patch is not well-formed: ${(words ?? '').slice(0, MOST_SAID)}`, ...place });
  }
}

const rootOf = (document: XmlElement): XmlElement => document.children.find((child) => child.kind === 'element') ?? document;

const ATTRIBUTES: Readonly<Record<PatchOperation['op'], ReadonlySet<string>>> = { add: new Set(['sel', 'pos', 'type']), replace: new Set(['sel']), remove: new Set(['sel', 'ws']) };

function readOperation(node: XmlElement, index: number): PatchOperation {
  const number = index + 1;
  const op = OPS.find((known) => known === node.local);
  if (!op) throw malformed(number, `is <${node.local.slice(0, 40)}>, and must be ${OPS.join(', ')}`);
  const given = new Map(node.attributes.map(({ name, value }) => [name, value]));
  for (const name of given.keys()) if (!ATTRIBUTES[op].has(name)) throw malformed(number, `(${op}) has an attribute ${name.slice(0, 40)}, and takes ${[...ATTRIBUTES[op]].join(', ')}`);
  const sel = given.get('sel');
  if (sel === undefined || sel.trim() === '') throw malformed(number, `(${op}) must have a sel, an XPath such as f:Patient/f:birthDate`);
  const type = given.get('type');
  const namespace = type?.startsWith('namespace::') === true;
  if (type !== undefined && !namespace && !/^@[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?$/.test(type)) throw malformed(number, `(${op}) must have a type such as @value`);
  const pos = given.get('pos');
  const position = POSITIONS.find((known) => known === pos);
  if (pos !== undefined && (!position || type !== undefined)) throw malformed(number, `(add) must have a pos out of ${POSITIONS.join(', ')}, and none beside a type`);
  return { number, op, sel, selected: expressionOf(sel, node, number), pos: position, attribute: namespace ? undefined : type?.slice(1), declaresNamespace: namespace, content: node.children };
}

function expressionOf(sel: string, node: XmlElement, number: number): Expression {
  try {
    return parseXpath(sel, (prefix) => namespaceAt(node, prefix));
  } catch (error) {
    throw malformed(number, `has a sel that can not be read as an XPath: ${error instanceof Error ? error.message : ''}`);
  }
}

/** As the patch declares it; names without prefix are FHIR's where it declares none, since nothing in a resource has no namespace. */
function namespaceAt(node: XmlElement, prefix: string): string | undefined {
  for (let at: XmlElement | undefined = node; at; at = at.parent) {
    const uri = Object.hasOwn(at.prefixes, prefix) ? at.prefixes[prefix] : undefined;
    if (uri !== undefined && uri !== '') return uri;
  }
  if (prefix === '') return FHIR;
  return Object.hasOwn(KNOWN_PREFIXES, prefix) ? KNOWN_PREFIXES[prefix] : undefined;
}

const malformed = (number: number, text: string): FhirError => fail('bad-request', { text: `Operation ${number} of the XML Patch ${text}` });

/**
 * Patches the document, which must be thrown away where this throws (422): all operations are applied or none.
 * Elements that a removal has left with nothing are taken out at the end, since FHIR knows no empty ones.
 */
export function applyXmlPatch(document: XmlElement, patch: XmlPatch): void {
  const work = new TreeWork();
  const emptied = new Set<XmlElement>();
  for (const operation of patch) {
    const found = selectOne(document, operation, work);
    if (operation.op === 'remove') emptied.add(remove(found, operation));
    else if (operation.op === 'replace') replace(found, operation, work);
    else if (operation.attribute !== undefined) addAttribute(found, operation, operation.attribute);
    else if (!operation.declaresNamespace) add(found, operation, work);
  }
  for (const element of emptied) dropEmpty(element);
}

function selectOne(document: XmlElement, operation: PatchOperation, work: TreeWork): XmlNode {
  const found = select(document, operation.selected, work);
  const [node] = found ?? [];
  if (!found) throw refuse(operation, 'that is no path to a node');
  if (!node || node === document) throw refuse(operation, 'there is nothing at this place');
  if (found.length > 1) throw refuse(operation, `${found.length} nodes are at this place, and it must be one: say which, as in f:name[1]`);
  return node;
}

function refuse({ number, op, sel }: PatchOperation, reason: string): FhirError {
  return fail('patch-failed', { text: `Operation ${number} of the XML Patch (${op}) fails at ${sel.slice(0, MOST_SAID)}: ${reason}. Nothing was changed` });
}

/** The element that holds a node; refuses where it is the root. */
function holder(node: XmlNode, operation: PatchOperation, what: string): XmlElement {
  if (node.parent?.parent) return node.parent;
  throw refuse(operation, what);
}

function remove(node: XmlNode, operation: PatchOperation): XmlElement {
  const parent = holder(node, operation, 'the whole resource can not be removed by a patch: send a DELETE');
  if (operation.content.some((child) => child.kind === 'element')) throw refuse(operation, 'a remove holds nothing');
  touch(parent);
  if (node.kind === 'attribute') parent.attributes = parent.attributes.filter((one) => one !== node);
  else parent.children = parent.children.filter((one) => one !== node);
  return parent;
}

function replace(node: XmlNode, operation: PatchOperation, work: TreeWork): void {
  const parent = node.kind === 'attribute' ? node.parent : holder(node, operation, 'the whole resource can not be replaced by a patch: send a PUT');
  touch(parent);
  if (node.kind === 'attribute') node.value = textOf(operation);
  else {
    const wanted = node.kind === 'text' ? operation.content : operation.content.filter((child) => child.kind === node.kind);
    const [content] = wanted;
    if (node.kind === 'text') node.value = textOf(operation);
    else if (wanted.length !== 1 || !content) throw refuse(operation, `the replace must hold one ${node.kind}, and holds ${wanted.length}`);
    else parent.children.splice(parent.children.indexOf(node), 1, inResource(content, parent, work));
  }
}

function textOf(operation: PatchOperation): string {
  if (operation.content.some((child) => child.kind === 'element')) throw refuse(operation, 'the value must be text, and there is an element');
  return operation.content.map((child) => (child.kind === 'comment' ? '' : stringValue(child))).join('');
}

function addAttribute(node: XmlNode, operation: PatchOperation, name: string): void {
  if (node.kind !== 'element') throw refuse(operation, 'only an element can be given an attribute');
  if (node.attributes.some((one) => one.name === name)) throw refuse(operation, `there is an attribute ${name}: replace it`);
  const [prefix = '', local = name] = name.includes(':') ? name.split(':') : [];
  touch(node);
  node.attributes.push({ kind: 'attribute', parent: node, uri: prefix === '' ? '' : (KNOWN_PREFIXES[prefix] ?? prefix), local, name, value: textOf(operation) });
}

function add(node: XmlNode, operation: PatchOperation, work: TreeWork): void {
  const { pos } = operation;
  const beside = pos === 'before' || pos === 'after';
  if (node.kind === 'attribute' || (node.kind !== 'element' && !beside)) throw refuse(operation, 'only an element can be added to');
  const parent = beside ? holder(node, operation, 'nothing can stand beside the resource') : (node as XmlElement);
  const { children } = parent;
  const at = pos === 'prepend' ? 0 : pos === undefined ? children.length : children.indexOf(node) + (pos === 'after' ? 1 : 0);
  touch(parent);
  children.splice(at, 0, ...operation.content.map((child) => inResource(child, parent, work)));
}

/** A copy, in FHIR's namespace where the patch declares none. */
function inResource(content: XmlChild, parent: XmlElement, work: TreeWork): XmlChild {
  const copy = copyNode(content, parent);
  if (copy.kind === 'element') settle(copy, work);
  return copy;
}

function settle(element: XmlElement, work: TreeWork): void {
  work.spend(1 + element.attributes.length);
  if (element.uri === '') element.uri = FHIR;
  for (const child of element.children) if (child.kind === 'element') settle(child, work);
}

function dropEmpty(element: XmlElement): void {
  const { parent, children, attributes } = element;
  if (!parent?.parent || attributes.length > 0 || children.some((child) => child.kind === 'element' || (child.kind === 'text' && child.value.trim() !== ''))) return;
  parent.children = parent.children.filter((one) => one !== element);
  touch(parent);
  dropEmpty(parent);
}
