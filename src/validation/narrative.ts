// A narrative's div: well-formed XHTML of the allowed elements and attributes, without anything that runs. It is refused or kept, never rewritten.
// https://hl7.org/fhir/R4/narrative.html#xhtml
import type { Faults } from './faults.js';
import { isAllowedAttribute, isAllowedElement, unsafeReason } from './xhtml-rules.js';
import { shown } from './words.js';

interface Problem {
  readonly code: 'structure' | 'invariant';
  readonly words: string;
}

export function checkNarrative(faults: Faults, segment: string, text: string): void {
  const problem = new Scanner(text).problem();
  if (problem !== undefined) faults.add(problem.code, segment, () => problem.words);
}

const NAMESPACE = 'http://www.w3.org/1999/xhtml';
const REFERENCE = /&(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});/y;
const NOT_SPACE = /[^ \t\r\n]/;
const GREATER = 62;
const SLASH = 47;

/** By character: a narrative is often the larger part of a resource, and regular expressions took three times as long. */
class Scanner {
  private at = 0;
  private readonly open: string[] = [];
  private content = false;

  constructor(private readonly text: string) {}

  problem(): Problem | undefined {
    const { text } = this;
    this.at = text.search(NOT_SPACE);
    if (!text.startsWith('<div', this.at)) return malformed('the narrative must be one <div> element');
    do {
      const problem = this.markup() ?? (this.open.length > 0 ? this.characters() : undefined);
      if (problem !== undefined) return problem;
    } while (this.open.length > 0);
    if (NOT_SPACE.test(text.slice(this.at))) return malformed('nothing may stand after the </div> that ends the narrative');
    if (!this.content) return broken('txt-2: the narrative must have some text or an image');
    return text.includes('&') ? badReference(text.replace(/<!--.*?-->/gs, '')) : undefined;
  }

  /** Text up to the next tag. */
  private characters(): Problem | undefined {
    const start = this.at;
    const end = this.text.indexOf('<', start);
    if (end === -1) return malformed(`the element <${this.open.at(-1) ?? ''}> is not closed`);
    this.at = end;
    if (!this.content && end > start) this.content = NOT_SPACE.test(this.text.slice(start, end));
    return undefined;
  }

  /** What starts with `<`. */
  private markup(): Problem | undefined {
    switch (this.text.charCodeAt(this.at + 1)) {
      case SLASH: return this.endTag();
      case 33: return this.comment();
      case 63: return broken('txt-1: a narrative must not have processing instructions (<?…?>): leave them out');
      default: return this.startTag();
    }
  }

  private endTag(): Problem | undefined {
    const name = this.open.pop() ?? '';
    const start = this.at;
    if (!this.text.startsWith(name, start + 2)) return this.unclosed(name, start);
    this.at = start + 2 + name.length;
    this.skipSpace();
    if (this.text.charCodeAt(this.at) !== GREATER) return this.unclosed(name, start);
    this.at++;
    return undefined;
  }

  private unclosed(name: string, at: number): Problem {
    return malformed(`the element <${name}> must be closed by </${name}>, and ${shown(this.text.slice(at, at + 20))} was found`);
  }

  private comment(): Problem | undefined {
    if (!this.text.startsWith('<!--', this.at)) return broken('txt-1: a narrative must not have DOCTYPE, ENTITY or CDATA (<!…>): write its characters as they are');
    const end = this.text.indexOf('--', this.at + 4);
    if (end === -1 || this.text.charCodeAt(end + 2) !== GREATER) return malformed('a comment must end with --> and not hold -- within');
    this.at = end + 3;
    return undefined;
  }

  private startTag(): Problem | undefined {
    const start = this.at;
    this.at++;
    const name = this.name();
    if (name === '') return malformed(`${shown(this.text.slice(start, start + 20))} is no tag: write < as &lt;`);
    if (!isAllowedElement(name)) return broken(`txt-1: the element <${name.slice(0, 40)}> is not allowed in a narrative: leave it out`);
    const root = this.open.length === 0;
    const problem = this.text.charCodeAt(this.at) === GREATER && !root ? undefined : this.attributes(name, root);
    if (problem !== undefined) return problem;
    if (this.text.charCodeAt(this.at) !== SLASH) this.open.push(name);
    else this.at++;
    if (this.text.charCodeAt(this.at) !== GREATER) return this.badTag(name);
    this.at++;
    return undefined;
  }

  private badTag(name: string): Problem {
    return malformed(`the tag <${name} …> is not well-formed at ${shown(this.text.slice(this.at, this.at + 20))}: attributes are written name="value"`);
  }

  /** Up to the end of the tag, or what is no attribute. */
  private attributes(element: string, root: boolean): Problem | undefined {
    const seen: string[] = [];
    while (this.skipSpace()) {
      const name = this.name();
      if (name === '') break;
      const value = this.value();
      if (value === undefined) return this.badTag(element);
      if (seen.includes(name)) return malformed(`the attribute ${name} stands twice in <${element}>`);
      seen.push(name);
      const problem = this.attribute(element, name, value);
      if (problem !== undefined) return problem;
    }
    return root && !seen.includes('xmlns') ? broken(`txt-1: the div must say its namespace: <div xmlns="${NAMESPACE}">`) : undefined;
  }

  private attribute(element: string, name: string, value: string): Problem | undefined {
    if (name === 'xmlns') return value === NAMESPACE ? undefined : broken(`txt-1: the namespace ${shown(value)} must be ${NAMESPACE}`);
    if (!isAllowedAttribute(element, name)) return broken(`txt-1: the attribute ${name.slice(0, 40)} is not allowed in <${element}> of a narrative: leave it out`);
    if (name === 'src') this.content = true;
    const reason = unsafeReason(name, value);
    return reason === undefined ? undefined : broken(`txt-1: ${reason}`);
  }

  /** `="…"` or `='…'`; undefined where there is none. */
  private value(): string | undefined {
    this.skipSpace();
    if (this.text.charCodeAt(this.at) !== 61) return undefined;
    this.at++;
    this.skipSpace();
    const quote = this.text.charAt(this.at);
    const end = quote === '"' || quote === "'" ? this.text.indexOf(quote, this.at + 1) : -1;
    if (end === -1) return undefined;
    const value = this.text.slice(this.at + 1, end);
    if (value.includes('<')) return undefined;
    this.at = end + 1;
    return value;
  }

  /** Letters, digits, and what else an element or attribute name may have; '' where there is none. */
  private name(): string {
    const start = this.at;
    while (isNameCharacter(this.text.charCodeAt(this.at))) this.at++;
    return this.text.slice(start, this.at);
  }

  private skipSpace(): boolean {
    const start = this.at;
    for (let code = this.text.charCodeAt(start); code === 32 || code === 10 || code === 13 || code === 9; code = this.text.charCodeAt(this.at)) this.at++;
    return this.at > start;
  }
}

function isNameCharacter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 58) || code === 45 || code === 46 || code === 95;
}

/** Only XML's own five entities and characters by number: HTML's need a DTD. */
function badReference(text: string): Problem | undefined {
  for (let at = text.indexOf('&'); at !== -1; at = text.indexOf('&', at + 1)) {
    REFERENCE.lastIndex = at;
    if (!REFERENCE.test(text)) return malformed(`${shown(text.slice(at, at + 12))} is no character reference of XML: write & as &amp;, &nbsp; as &#160;, other characters as they are`);
  }
  return undefined;
}

const malformed = (words: string): Problem => ({ code: 'structure', words });
const broken = (words: string): Problem => ({ code: 'invariant', words });
