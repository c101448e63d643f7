// What a device measured, as the range from its least to its greatest value. https://hl7.org/fhir/R4/datatypes.html#SampledData
import { endsOf, type End } from './number.js';
import { isObject, textOf } from './rules.js';

/** More samples than these are not looked at one by one. */
const MOST_SAMPLES = 1_000_000;

/** `E` is an error, `L` below and `U` above what can be measured. */
export function sampledEnds({ origin, factor, lowerLimit, upperLimit, data }: Record<string, unknown>): readonly End[] {
  const zero = isObject(origin) && typeof origin.value === 'number' ? origin.value : 0;
  const scale = typeof factor === 'number' ? factor : 1;
  const limits: Readonly<Record<string, unknown>> = { L: lowerLimit, U: upperLimit };
  let [least, greatest] = [Infinity, -Infinity];
  for (const sample of (textOf(data) ?? '').split(' ', MOST_SAMPLES)) {
    const limit = limits[sample];
    const value = typeof limit === 'number' ? limit : sample === '' ? NaN : Number(sample) * scale + zero;
    if (!Number.isFinite(value)) continue;
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
  }
  return least > greatest ? [] : endsOf(roundedText(least), roundedText(greatest));
}

/** Floats that were multiplied: 0.1 * 3 is 0.3. */
const roundedText = (value: number): string => String(Number(value.toPrecision(12)));
