// Where and why a text is not JSON: JSON.parse tells neither reliably. Runs only after JSON.parse has refused the text.
// https://www.rfc-editor.org/rfc/rfc8259

export interface Fault {
  /** Offset into the text. */
  readonly at: number;
  /** What should have stood there: `a colon after the name of a member`. */
  readonly expected: string;
}

const BLANK = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const LITERAL = /(?:true|false|null)/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const STRING_STOP = /["\\\p{Cc}]/gu;

/** The first place where the grammar is broken; undefined for well-formed JSON. */
export function findFault(text: string): Fault | undefined {
  const closers: ('}' | ']')[] = [];
  let pos = 0;
  const faults: Fault[] = [];
  const match = (pattern: RegExp): boolean => {
    pattern.lastIndex = pos;
    if (!pattern.test(text)) return false;
    pos = pattern.lastIndex;
    return true;
  };
  const take = (char: string): boolean => {
    match(BLANK);
    if (text[pos] !== char) return false;
    pos++;
    return true;
  };
  const miss = (expected: string): boolean => {
    faults.push({ at: pos, expected });
    return false;
  };
  const string = (): boolean => {
    for (;;) {
      STRING_STOP.lastIndex = pos;
      const stop = STRING_STOP.exec(text);
      pos = stop?.index ?? text.length;
      if (stop?.[0] === '"') return take('"');
      if (stop?.[0] === '\\') {
        if (!match(ESCAPE)) return miss('one of the escapes of JSON after a backslash');
      } else if (stop && stop[0] >= '\u007f') pos++;
      else return miss(stop ? 'a control character to be written as an escape' : 'a quote that ends the string');
    }
  };
  const key = (): boolean =>
    (take('"') || miss('the quoted name of a member')) && string() && (take(':') || miss('a colon after the name of a member'));
  // True where a value has ended, false where a container was opened or nothing fits.
  const value = (): boolean => {
    if (take('{')) {
      if (take('}')) return true;
      closers.push('}');
      return key() && value();
    }
    if (take('[')) {
      if (take(']')) return true;
      closers.push(']');
      return value();
    }
    if (take('"')) return string();
    return match(NUMBER) || match(LITERAL) || miss('a value');
  };
  const next = (closer: '}' | ']'): boolean => {
    if (take(closer)) return Boolean(closers.pop());
    if (!take(',')) return miss(closer === '}' ? 'a comma or } after the value of a member' : 'a comma or ] after an item');
    return closer === '}' ? key() && value() : value();
  };
  let going = value();
  for (let closer = closers.at(-1); going && closer; closer = closers.at(-1)) going = next(closer);
  if (!going) return faults[0];
  match(BLANK);
  return pos < text.length ? { at: pos, expected: 'nothing after the end of the JSON' } : undefined;
}
