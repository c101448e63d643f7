// JSON text laid out for people, its strings and numbers as they are written. https://hl7.org/fhir/R4/http.html#pretty
import { blank, valueEnd } from './json-walk.js';

const INDENT = '  ';

/** `text` is well-formed. */
export function prettyJson(text: string): string {
  let pretty = '';
  let line = '\n';
  let before = '';
  for (let pos = blank(text, 0); pos < text.length; ) {
    const char = text.charAt(pos);
    const end = '{}[],:'.includes(char) ? pos + 1 : valueEnd(text, pos);
    const closes = char === '}' || char === ']';
    const first = before === '{' || before === '[';
    if (closes) line = line.slice(0, -INDENT.length);
    if (closes ? !first : first || before === ',') pretty += line;
    if (char === '{' || char === '[') line += INDENT;
    pretty += char === ':' ? ': ' : text.slice(pos, end);
    before = char;
    pos = blank(text, end);
  }
  return pretty;
}
