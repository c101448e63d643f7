// Random JSON texts: odd blanks, odd spellings of numbers and characters, and the same broken.
import fc from 'fast-check';

/** Numbers as clients spell them. */
export const numberText = fc.oneof(
  fc.constantFrom('0', '-0', '0.0', '1.00', '10', '100.50', '1e2', '1.0E+2', '12e-3', '0.1', '0.10000000000000000001', '123456789012345678901234567890', '0.000000123', '-0.5', '9007199254740993', '4.35'),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => Math.abs(value) < 1e300 && (value === 0 || Math.abs(value) > 1e-290)).map((value) => String(value)),
  fc.tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** 25n }), fc.option(fc.stringMatching(/^[0-9]{1,25}$/), { nil: undefined })).map(
    ([negative, whole, fraction]) => `${negative ? '-' : ''}${whole}${fraction === undefined ? '' : `.${fraction}`}`,
  ),
);

/** The last three have the low bytes of a quote, a backslash and a brace. */
const character = fc.oneof(fc.constantFrom('"', '\\', '/', '\n', 'é', '–', '😀', '{', '}', '[', ']', ':', ',', ' ', '\u007f', '\u2028', '\u0122', '\u015c', '\u017b'), fc.string({ minLength: 1, maxLength: 1 }));

const stringText = fc.array(fc.tuple(character, fc.boolean()), { maxLength: 12 }).map(
  (characters) => `"${characters.map(([char, escaped]) => (escaped ? escapes(char) : JSON.stringify(char).slice(1, -1))).join('')}"`,
);

function escapes(char: string): string {
  return Array.from({ length: char.length }, (_, at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
}

const blank = fc.constantFrom('', '', '', ' ', '\n', '\t', '\r\n    ', '          ');

/** JSON that readJson takes: no member twice, nothing that can't be stored. */
export const jsonText: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => {
  const spaced = fc.tuple(blank, tie('value'), blank).map((parts) => parts.join(''));
  const array = fc.array(spaced, { maxLength: 4 }).map((items) => `[${items.join(',')}]`);
  const member = fc.tuple(blank, stringText, blank, spaced).map(([before, key, after, value]) => ({ key: JSON.parse(key) as string, text: `${before}${key}${after}:${value}` }));
  const object = fc.tuple(fc.uniqueArray(member, { maxLength: 5, selector: ({ key }) => key }), blank).map(
    ([members, end]) => `{${members.map(({ text }) => text).join(',')}${end}}`,
  );
  return {
    value: fc.oneof({ depthSize: 'small' }, fc.constantFrom('true', 'false', 'null'), numberText, stringText, array, object),
  };
}).value.chain((value) => fc.tuple(blank, blank).map(([before, after]) => before + value + after));

/** The same with a character taken out, put in or changed. */
export function mutated(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const edit = fc.tuple(texts, fc.nat(), fc.nat({ max: 1 }), fc.constantFrom('', '"', '\\', '{', '}', '[', ']', ',', ':', '0', '.', 'e', '-', ' ', '\n', '\u0000', 'u', 'x', '–'));
  return edit.map(([text, place, taken, put]) => {
    const at = place % (text.length + 1);
    return text.slice(0, at) + put + text.slice(at + taken);
  });
}
