// Strings and names in quotes, without them. https://hl7.org/fhirpath/N1/#string

const ESCAPES: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', f: '\f' };

/** Text that does not start with the quote is given back as it is. */
export function unquote(text: string, quote: string): string {
  if (!text.startsWith(quote)) return text;
  const inner = text.slice(1, -1);
  if (!inner.includes('\\')) return inner;
  return inner.replace(/\\(?:u([0-9a-fA-F]{4})|([\s\S]))/g, (_, hex: string | undefined, character: string | undefined) => {
    return hex === undefined ? (ESCAPES[character ?? ''] ?? character ?? '') : String.fromCharCode(parseInt(hex, 16));
  });
}
