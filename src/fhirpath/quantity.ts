// Quantities of FHIRPath and their units. https://hl7.org/fhirpath/N1/#quantity · https://ucum.org
import { createRequire } from 'node:module';
import { compareDecimals, decimalText, parseDecimal, type Decimal } from '../fhir/decimal.js';
import { atScale } from './decimal-arithmetic.js';
import type { Unit } from './temporal.js';

export interface Quantity {
  readonly value: Decimal;
  /** UCUM code, `1` for none; a calendar word in the singular; `system|code` or the unit's words where it is no UCUM. */
  readonly unit: string;
  /** `day` of the calendar, not `d` of UCUM. */
  readonly calendar: boolean;
}

interface Ucum {
  convertUnitTo(from: string, value: number, to: string): { readonly status: string; readonly toVal: number | null };
}

export const UCUM_SYSTEM = 'http://unitsofmeasure.org';

/** Of the calendar: those to the week mean what UCUM means; its month and year are averages, so they don't. */
const CALENDAR: ReadonlyMap<string, string> = new Map([
  ['year', 'a'], ['month', 'mo'], ['week', 'wk'], ['day', 'd'], ['hour', 'h'], ['minute', 'min'], ['second', 's'], ['millisecond', 'ms'],
]);
const BY_CODE: ReadonlyMap<string, Unit> = new Map([['wk', 'week'], ['d', 'day'], ['h', 'hour'], ['min', 'minute'], ['s', 'second'], ['ms', 'millisecond']]);
const AVERAGES: ReadonlySet<string> = new Set(['year', 'month', 'a', 'mo']);

/** Conversions go through floats: what differs by less than this part is equal. */
const TOLERANCE = 1e-10;

let ucum: Ucum | undefined;

/** Loaded when two units are first compared: it takes 40 ms and 4 MB. */
function units(): Ucum {
  const load = createRequire(createRequire(import.meta.url).resolve('fhirpath'));
  ucum ??= (load('@lhncbc/ucum-lhc') as { UcumLhcUtils: { getInstance(): Ucum } }).UcumLhcUtils.getInstance();
  return ucum;
}

/** A FHIR Quantity; undefined where it has no number. */
export function quantityOf(node: unknown): Quantity | undefined {
  if (typeof node !== 'object' || node === null) return undefined;
  const { value, unit, system, code, currency } = node as Readonly<Record<string, unknown>>;
  const number = typeof value === 'number' ? parseDecimal(String(value)) : undefined;
  if (!number) return undefined;
  if (system === UCUM_SYSTEM && typeof code === 'string') return { value: number, unit: code, calendar: false };
  const words = [system, code].filter((part) => typeof part === 'string').join('|');
  return { value: number, unit: words || (typeof unit === 'string' ? unit : typeof currency === 'string' ? currency : '1'), calendar: false };
}

const QUANTITY_TEXT = /^([+-]?\d+(?:\.\d+)?)(?:\s+(?:'([^']+)'|([a-zA-Z]+)))?$/;

/** `4 days`, `4 'mg'`, `4`; undefined for other text. */
export function parseQuantity(text: string): Quantity | undefined {
  const match = QUANTITY_TEXT.exec(text.trim());
  const value = parseDecimal((match?.[1] ?? '').replace(/^\+/, ''));
  if (!match || !value) return undefined;
  const [, , code, word] = match;
  if (word === undefined) return { value, unit: code ?? '1', calendar: false };
  const unit = calendarUnit(word);
  return unit && { value, unit, calendar: true };
}

/** `days` as `day`; undefined for what is no word of the calendar. */
export function calendarUnit(word: string): Unit | undefined {
  const singular = word.endsWith('s') ? word.slice(0, -1) : word;
  return CALENDAR.has(singular) ? (singular as Unit) : undefined;
}

/** The unit in which a date can be moved; undefined for `mg`, and for the average months and years of UCUM. */
export function timeUnit({ unit, calendar }: Quantity): Unit | undefined {
  return calendar ? (unit as Unit) : (BY_CODE.get(unit) ?? calendarUnit(unit));
}

export function quantityText({ value, unit, calendar }: Quantity): string {
  return `${decimalText(value)} ${calendar ? unit : `'${unit}'`}`;
}

/** Negative, zero or positive; undefined where the units can't be converted into each other. */
export function compareQuantities(a: Quantity, b: Quantity): number | undefined {
  if (a.unit === b.unit) return compareDecimals(a.value, b.value);
  if (a.calendar !== b.calendar && (AVERAGES.has(a.unit) || AVERAGES.has(b.unit))) return undefined;
  const left = numberOf(a.value);
  const right = converted(b, a);
  if (right === undefined) return undefined;
  return Math.abs(left - right) <= TOLERANCE * Math.max(Math.abs(left), Math.abs(right)) ? 0 : left - right;
}

/** `~`: after rounding both to the places of the less exact one, in the larger of both units. */
export function areQuantitiesLike(a: Quantity, b: Quantity): boolean {
  const factor = converted({ ...b, value: { digits: 1n, scale: 0 } }, a);
  if (a.unit !== b.unit && factor === undefined) return false;
  const [coarse, fine] = (factor ?? 1) > 1 ? [b, a] : [a, b];
  const number = coarse.unit === fine.unit ? fine.value : parseDecimal(String(converted(fine, coarse)));
  if (!number) return false;
  const scale = Math.min(coarse.value.scale, number.scale);
  return compareDecimals(atScale(coarse.value, scale), atScale(number, scale)) === 0;
}

/** Can values in these units be compared? */
export function areComparable(a: Quantity, b: Quantity): boolean {
  return a.unit === b.unit || converted(a, b) !== undefined;
}

function converted(from: Quantity, to: Quantity): number | undefined {
  const { status, toVal } = units().convertUnitTo(codeOf(from), numberOf(from.value), codeOf(to));
  return status === 'succeeded' && toVal !== null ? Number(toVal.toPrecision(14)) : undefined;
}

function codeOf({ unit, calendar }: Quantity): string {
  return calendar ? (CALENDAR.get(unit) ?? unit) : unit;
}

function numberOf(value: Decimal): number {
  return Number(decimalText(value));
}
