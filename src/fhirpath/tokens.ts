// The words of a FHIRPath expression. https://hl7.org/fhirpath/N1/#lexical-elements
import { unquote } from './unquote.js';

export interface Token {
  readonly kind: 'name' | 'quoted' | 'string' | 'number' | 'date' | 'time' | 'symbol' | 'end';
  /** Without quotes and escapes; of dates without `@`. */
  readonly text: string;
}

const END: Token = { kind: 'end', text: '' };
const SPACE = String.raw`\s+|//[^\r\n]*|/\*[\s\S]*?\*/`;
const CLOCK = String.raw`\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?`;
const KINDS: readonly (readonly [Token['kind'] | 'space', string])[] = [
  ['space', SPACE],
  ['name', '[A-Za-z_][A-Za-z0-9_]*'],
  ['quoted', '`(?:\\\\[\\s\\S]|[^`\\\\])*`'],
  ['string', "'(?:\\\\[\\s\\S]|[^'\\\\])*'"],
  ['number', String.raw`\d+(?:\.\d+)?(?![A-Za-z])`],
  ['time', `@T${CLOCK}`],
  ['date', String.raw`@\d{4}(?:-\d\d(?:-\d\d)?)?(?:T(?:${CLOCK}(?:Z|[+-]\d\d:\d\d)?)?)?`],
  ['symbol', String.raw`\$this|\$index|\$total|<=|>=|!=|!~|[-+*/&|<>=~.,()[\]{}%]`],
];
const TOKEN = new RegExp(KINDS.map(([, pattern]) => `(${pattern})`).join('|'), 'y');

/** The last one is `end`. Undefined for text with anything else in it. */
export function tokensOf(text: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  const regex = new RegExp(TOKEN);
  while (regex.lastIndex < text.length) {
    const match = regex.exec(text);
    if (!match) return undefined;
    const place = match.findIndex((part, index) => index > 0 && Boolean(part)) - 1; // no pattern matches ''
    const kind = KINDS[place]?.[0];
    if (kind !== undefined && kind !== 'space') tokens.push({ kind, text: plain(kind, match[0]) });
  }
  tokens.push(END);
  return tokens;
}

function plain(kind: Token['kind'], text: string): string {
  if (kind === 'quoted') return unquote(text, '`');
  if (kind === 'string') return unquote(text, "'");
  return kind === 'date' ? text.slice(1) : kind === 'time' ? text.slice(2) : text;
}
