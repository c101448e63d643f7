// Sums, products and rounding of decimals as they are written. https://hl7.org/fhirpath/N1/#math-2
import { decimalText, parseDecimal, type Decimal } from '../fhir/decimal.js';

/** Places a quotient is worked out to: more than any FHIR decimal is promised to keep. */
const QUOTIENT_PLACES = 18;
/** Powers and products beyond this many digits are refused as overflow. */
const MOST_DIGITS = 400;

export function add(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return { digits: shifted(a, scale) + shifted(b, scale), scale };
}

export function negate({ digits, scale }: Decimal): Decimal {
  return { digits: -digits, scale };
}

export function multiply(a: Decimal, b: Decimal): Decimal | undefined {
  const product = { digits: a.digits * b.digits, scale: a.scale + b.scale };
  return product.digits.toString().length > MOST_DIGITS ? undefined : product;
}

/** Undefined for a division by zero. */
export function divide(a: Decimal, b: Decimal): Decimal | undefined {
  if (b.digits === 0n) return undefined;
  const scale = Math.max(a.scale, b.scale, 0) + QUOTIENT_PLACES;
  return trimmed({ digits: shifted(a, scale + b.scale) / b.digits, scale });
}

/** Whole number of times that b goes into a, towards zero; undefined for a division by zero. */
export function wholeQuotient(a: Decimal, b: Decimal): bigint | undefined {
  if (b.digits === 0n) return undefined;
  const scale = Math.max(a.scale, b.scale);
  return shifted(a, scale) / shifted(b, scale);
}

/** What `wholeQuotient` leaves. */
export function remainder(a: Decimal, b: Decimal): Decimal | undefined {
  if (b.digits === 0n) return undefined;
  const scale = Math.max(a.scale, b.scale);
  return { digits: shifted(a, scale) % shifted(b, scale), scale };
}

/** Rounded half away from zero, to that many places; zeros are added where there are fewer. */
export function atScale(value: Decimal, scale: number): Decimal {
  if (value.scale <= scale) return { digits: shifted(value, scale), scale };
  const unit = 10n ** BigInt(value.scale - scale);
  const half = value.digits < 0n ? -unit / 2n : unit / 2n;
  return { digits: (value.digits + half) / unit, scale };
}

/** The nearest decimal of that many places that is not above (`down`) or not below the value. */
export function towards(value: Decimal, scale: number, down: boolean): Decimal {
  if (value.scale <= scale) return atScale(value, scale);
  const unit = 10n ** BigInt(value.scale - scale);
  const cut = value.digits / unit;
  const exact = cut * unit === value.digits;
  if (exact) return { digits: cut, scale };
  return { digits: down ? (value.digits < 0n ? cut - 1n : cut) : value.digits > 0n ? cut + 1n : cut, scale };
}

/** Without zeros at the end: 1.500 is 1.5. */
export function trimmed(value: Decimal): Decimal {
  let { digits, scale } = value;
  while (scale > 0 && digits % 10n === 0n) {
    digits /= 10n;
    scale--;
  }
  return { digits, scale };
}

export function toNumber(value: Decimal): number {
  return Number(decimalText(value));
}

/** Undefined for what is no number, or infinite. */
export function fromNumber(value: number): Decimal | undefined {
  return Number.isFinite(value) ? parseDecimal(String(value)) : undefined;
}

function shifted({ digits, scale }: Decimal, target: number): bigint {
  return target >= scale ? digits * 10n ** BigInt(target - scale) : digits / 10n ** BigInt(scale - target);
}
