// XML as a tree that can be changed, with the namespaces it was read with. https://www.w3.org/TR/xml-names/
import { SaxesParser, type SaxesTagNS } from 'saxes';
import { attributeText, contentText } from './write-xml.js';

export interface XmlAttribute {
  readonly kind: 'attribute';
  readonly parent: XmlElement;
  readonly uri: string;
  readonly local: string;
  /** With its prefix. */
  readonly name: string;
  value: string;
}

export interface XmlText {
  readonly kind: 'text' | 'comment';
  parent: XmlElement | undefined;
  value: string;
}

export interface XmlElement {
  readonly kind: 'element';
  /** Undefined for the document, which holds the root. */
  parent: XmlElement | undefined;
  uri: string;
  readonly local: string;
  attributes: XmlAttribute[];
  children: XmlChild[];
  /** Prefixes that are declared here; the empty one is the default namespace. */
  readonly prefixes: Readonly<Record<string, string>>;
  /** As it was written, for as long as nothing in it is changed. */
  raw: string | undefined;
}

export type XmlChild = XmlElement | XmlText;
export type XmlNode = XmlChild | XmlAttribute;

const XML = 'http://www.w3.org/XML/1998/namespace';
const XMLNS = 'http://www.w3.org/2000/xmlns/';
const XHTML = 'http://www.w3.org/1999/xhtml';
/** Of elements inside each other. */
const MAX_DEPTH = 200;

/** The document node, whose one element is the root. Throws saxes' errors, and one for a DOCTYPE or too much nesting. */
export function parseXml(text: string): XmlElement {
  const parser = new SaxesParser({ xmlns: true });
  const document = element(undefined, { uri: '', local: '', ns: {} });
  let open = document;
  const starts: number[] = [];
  const add = (kind: XmlText['kind']) => (value: string): void => { open.children.push({ kind, parent: open, value }); };
  parser.on('doctype', () => { throw new Error('a DOCTYPE is not taken'); });
  parser.on('opentag', (tag) => {
    if (starts.length >= MAX_DEPTH) throw new Error(`elements are nested more than ${MAX_DEPTH} deep`);
    starts.push(text.lastIndexOf('<', parser.position - 1));
    const child = element(open, tag);
    child.attributes = Object.values(tag.attributes).filter(({ uri }) => uri !== XMLNS)
      .map(({ uri, local, name, value }) => ({ kind: 'attribute', parent: child, uri, local, name, value }));
    open.children.push(child);
    open = child;
  });
  parser.on('closetag', () => {
    const start = starts.pop();
    if (open.uri === XHTML && open.prefixes[''] === XHTML && open.parent?.uri !== XHTML) open.raw = text.slice(start, parser.position);
    open = open.parent ?? document;
  });
  parser.on('text', (value) => { if (open !== document) add('text')(value); });
  parser.on('cdata', add('text'));
  parser.on('comment', add('comment'));
  parser.write(text).close();
  return document;
}

function element(parent: XmlElement | undefined, { uri, local, ns }: Pick<SaxesTagNS, 'uri' | 'local' | 'ns'>): XmlElement {
  return { kind: 'element', parent, uri, local, attributes: [], children: [], prefixes: ns, raw: undefined };
}

/** The XML of a node and what is in it; `scope` is the default namespace around it. */
export function xmlText(node: XmlChild, scope = ''): string {
  if (node.kind !== 'element') return node.kind === 'comment' ? `<!--${node.value}-->` : contentText(node.value);
  const { uri, local, attributes, children, raw } = node;
  if (raw !== undefined) return raw;
  const namespace = uri === scope ? '' : ` xmlns="${attributeText(uri)}"`;
  const tag = local + namespace + attributes.map(writtenAttribute).join('');
  return children.length === 0 ? `<${tag}/>` : `<${tag}>${children.map((child) => xmlText(child, uri)).join('')}</${local}>`;
}

function writtenAttribute({ name, uri, value }: XmlAttribute): string {
  const [prefix = ''] = name.includes(':') ? name.split(':') : [];
  const declared = prefix === '' || uri === XML ? '' : ` xmlns:${prefix}="${attributeText(uri)}"`;
  return `${declared} ${name}="${attributeText(value)}"`;
}

/** A copy that shares nothing that can change. */
export function copyNode(node: XmlChild, parent: XmlElement): XmlChild {
  if (node.kind !== 'element') return { ...node, parent };
  const copy: XmlElement = { ...node, parent, attributes: [], children: [] };
  copy.attributes = node.attributes.map((attribute) => ({ ...attribute, parent: copy }));
  copy.children = node.children.map((child) => copyNode(child, copy));
  return copy;
}

/** What is written of an element is no longer as it was read. */
export function touch(node: XmlElement): void {
  for (let at: XmlElement | undefined = node; at; at = at.parent) at.raw = undefined;
}

/** The text in a node, as XPath has it. */
export function stringValue(node: XmlNode): string {
  if (node.kind !== 'element') return node.value;
  return node.children.map((child) => (child.kind === 'comment' ? '' : stringValue(child))).join('');
}
