// JSON text with numbers that no double can hold or print: 12000.00 keeps its places.

/** A number by its text. Only exactJson writes it as a number. */
export class ExactNumber {
  constructor(private readonly text: string) {}

  /** A string that nothing else can be: U+0000 is refused wherever text comes in. */
  toJSON(): string {
    return `\u0000${this.text}`;
  }
}

const MARKED = /"\\u0000(-?[0-9]+(?:\.[0-9]+)?)"/g;

/** `text` is a JSON number without an exponent: `-12.50`. */
export function exactNumber(text: string): ExactNumber {
  if (!/^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/.test(text)) throw new Error(`${text} is no JSON number`);
  return new ExactNumber(text);
}

/** As JSON.stringify, with exact numbers as they are written. */
export function exactJson(value: unknown): string {
  const text = JSON.stringify(value);
  return text.includes('"\\u0000') ? text.replace(MARKED, '$1') : text;
}
