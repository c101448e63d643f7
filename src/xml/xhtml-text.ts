// The text of a narrative out of the XML it stands in, as it was written. https://hl7.org/fhir/R4/narrative.html#xhtml
import type { SaxesTagNS } from 'saxes';
import { attributeText, contentText } from './write-xml.js';

const XHTML = 'http://www.w3.org/1999/xhtml';

export class XhtmlText {
  readonly #xml: string;
  readonly #start: number;
  #depth = 1;
  /** Written anew where its names have prefixes, since in JSON the default namespace is XHTML's. */
  #renamed: string | undefined;
  /** Where the tag ends that declares no namespace, having it from an element around it. */
  readonly #undeclared: boolean;

  /** `position` is behind the opening tag. */
  constructor(xml: string, position: number, tag: SaxesTagNS) {
    this.#xml = xml;
    // No value holds a < of its own.
    this.#start = xml.lastIndexOf('<', position - 1);
    this.#undeclared = !('xmlns' in tag.attributes);
    if (tag.prefix !== '') this.#renamed = openingText(tag, true);
  }

  open(tag: SaxesTagNS): void {
    this.#depth++;
    if (this.#renamed !== undefined) this.#renamed += openingText(tag, false);
  }

  characters(text: string): void {
    if (this.#renamed !== undefined) this.#renamed += contentText(text);
  }

  /** True where the narrative itself is closed. */
  close(tag: SaxesTagNS): boolean {
    if (this.#renamed !== undefined && !tag.isSelfClosing) this.#renamed += `</${nameOf(tag)}>`;
    return --this.#depth === 0;
  }

  /** `position` is behind the closing tag. */
  text(position: number): string {
    if (this.#renamed !== undefined) return this.#renamed;
    const text = this.#xml.slice(this.#start, position);
    return this.#undeclared ? text.replace(/^<div/, `<div xmlns="${XHTML}"`) : text;
  }
}

/** Names of another namespace keep their prefix, and are refused for it. */
const nameOf = ({ uri, local, name }: SaxesTagNS): string => (uri === XHTML ? local : name);

function openingText(tag: SaxesTagNS, root: boolean): string {
  const { attributes, isSelfClosing } = tag;
  const kept = Object.values(attributes).filter(({ name, prefix }) => name !== 'xmlns' && prefix !== 'xmlns');
  const written = kept.map(({ name, value }) => ` ${name}="${attributeText(value)}"`).join('');
  return `<${nameOf(tag)}${root ? ` xmlns="${XHTML}"` : ''}${written}${isSelfClosing ? '/' : ''}>`;
}
