// Decimals as FHIR writes them, exactly: never through a float. https://hl7.org/fhir/R4/datatypes.html#decimal

/** digits × 10^-scale; the scale is the number of places as written, so 1.00 is { 100n, 2 }, and negative for 1e2 ({ 1n, -2 }). */
export interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

const DECIMAL = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,4}))?$/;
const SEARCH_DECIMAL = /^[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,4})?$/;
/** What a decimal may have of digits and of power: readJson holds bodies to it, and numeric of PostgreSQL takes it. */
const LONGEST = 1000;

/** Undefined for text that is no FHIR decimal, or longer than 1,000 characters, or with an exponent beyond ±9999. */
export function parseDecimal(text: string): Decimal | undefined {
  const match = text.length <= LONGEST ? DECIMAL.exec(text) : null;
  if (!match) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  return { digits: BigInt(sign + whole + fraction), scale: fraction.length - Number(exponent) };
}

/** Negative, zero or positive, by value: 1.0 and 1.00 are equal. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const scale = Math.max(a.scale, b.scale);
  const difference = digitsAt(a, scale) - digitsAt(b, scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

function digitsAt({ digits, scale }: Decimal, target: number): bigint {
  return digits * 10n ** BigInt(target - scale);
}

/** Plain digits without an exponent, places kept: { 100n, 2 } is `1.00`, { 1n, -2 } is `100`. */
export function decimalText({ digits, scale }: Decimal): string {
  if (scale <= 0) return (digits * 10n ** BigInt(-scale)).toString();
  const sign = digits < 0n ? '-' : '';
  const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0');
  return `${sign}${text.slice(0, -scale)}.${text.slice(-scale)}`;
}

/** Does the double that JSON.parse makes of this number stand for exactly its value? Trailing zeros do not count. */
export function isExact(written: string): boolean {
  const exact = parseDecimal(written);
  const held = parseDecimal(String(Number(written)).replace('e+', 'e'));
  return exact !== undefined && held !== undefined && compareDecimals(exact, held) === 0;
}

export interface DecimalRange {
  /** Decimal text, inclusive. */
  readonly lower: string;
  /** Decimal text, exclusive. */
  readonly upper: string;
}

/**
 * The values a number of a search stands for: half a unit of its last written digit to either side. 100 is [99.5, 100.5), 1.0e2 is [95, 105),
 * 1e2 is [50, 150). Takes the `+` and leading zeros that clients write in URLs. Undefined for what is no number.
 * https://hl7.org/fhir/R4/search.html#number
 */
export function implicitRange(text: string): DecimalRange | undefined {
  const decimal = parseSearchDecimal(text);
  if (!decimal) return undefined;
  const scale = decimal.scale + 1;
  const digits = decimal.digits * 10n;
  return { lower: decimalText({ digits: digits - 5n, scale }), upper: decimalText({ digits: digits + 5n, scale }) };
}

/** As parseDecimal, with a leading `+` and leading zeros allowed. */
export function parseSearchDecimal(text: string): Decimal | undefined {
  if (!SEARCH_DECIMAL.test(text)) return undefined;
  return parseDecimal(text.replace(/^\+/, '').replace(/^(-?)0+(?=[0-9])/, '$1'));
}

/** An amount in pounds as pence. Undefined for what is no decimal or has a fraction of a penny: 1.500 is 150n, 1.505 nothing. */
export function toPence(text: string): bigint | undefined {
  const decimal = parseDecimal(text);
  if (!decimal) return undefined;
  if (decimal.scale <= 2) return digitsAt(decimal, 2);
  const unit = 10n ** BigInt(decimal.scale - 2);
  return decimal.digits % unit === 0n ? decimal.digits / unit : undefined;
}

/** Whole pence, or their text, as an amount in pounds with two places: -5n is `-0.05`. */
export function poundsText(pence: bigint | string): string {
  const text = String(pence);
  const sign = text.startsWith('-') ? '-' : '';
  const digits = text.slice(sign.length).padStart(3, '0');
  return `${sign}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
