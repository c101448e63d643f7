// Dates and times of FHIRPath: compared and moved as far as they were written. https://hl7.org/fhirpath/N1/#datetime
import { EvaluationError } from './expression.js';

export interface Temporal {
  readonly kind: 'Date' | 'DateTime' | 'Time';
  /** As many as were written, of: year, month, day, hour, minute, second, millisecond; for a Time from the hour on. */
  readonly parts: readonly number[];
  /** Minutes east of Greenwich; undefined where none was written. */
  readonly offset: number | undefined;
}

export type Unit = 'year' | 'month' | 'week' | 'day' | 'hour' | 'minute' | 'second' | 'millisecond';

const UNITS: readonly Unit[] = ['year', 'month', 'day', 'hour', 'minute', 'second', 'millisecond'];
const FIRST: readonly number[] = [1, 1, 1, 0, 0, 0, 0];
const LAST: readonly number[] = [9999, 12, 31, 23, 59, 59, 999];
/** How many parts a precision in digits means: `@2014.precision()` is 4. */
const DIGITS: ReadonlyMap<number, number> = new Map([[4, 1], [6, 2], [8, 3], [10, 4], [12, 5], [14, 6], [17, 7]]);
const TIME_DIGITS: ReadonlyMap<number, number> = new Map([[2, 1], [4, 2], [6, 3], [9, 4]]);

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SPAN_MS: Readonly<Record<Exclude<Unit, 'year' | 'month'>, number>> = { week: 7 * DAY_MS, day: DAY_MS, hour: HOUR_MS, minute: 60_000, second: 1000, millisecond: 1 };
/** The clocks of the world: what a time without an offset may mean. */
const EAST_MS = 14 * HOUR_MS;
const WEST_MS = 12 * HOUR_MS;

const TIME = String.raw`(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?`;
const TIME_TEXT = new RegExp(`^${TIME}$`);
const DATE_TEXT = new RegExp(`^(\\d{4})(?:-(\\d\\d)(?:-(\\d\\d))?)?(?:(T)(?:${TIME}(Z|[+-]\\d\\d:\\d\\d)?)?)?$`);

/** Undefined for text that is no date or time of the kind. A `DateTime` may be as short as a year: `2014`, `2014T`. */
export function parseTemporal(text: string, kind: Temporal['kind']): Temporal | undefined {
  if (kind === 'Time') return checked({ kind, parts: numbers(TIME_TEXT.exec(text)?.slice(1, 5) ?? []), offset: undefined });
  const match = DATE_TEXT.exec(text);
  if (!match || (kind === 'Date' && match[4] !== undefined) || (match[5] !== undefined && match[3] === undefined)) return undefined;
  return checked({ kind, parts: numbers([...match.slice(1, 4), ...match.slice(5, 9)]), offset: offsetOf(match[9]) });
}

function numbers(texts: readonly (string | undefined)[]): readonly number[] {
  const written = texts.filter((text) => text !== undefined);
  return written.map((text, place) => (place === texts.length - 1 ? Number(text.slice(0, 3).padEnd(3, '0')) : Number(text)));
}

function offsetOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const minutes = text === 'Z' ? 0 : Number(text.slice(1, 3)) * 60 + Number(text.slice(4));
  return text.startsWith('-') ? -minutes : minutes;
}

function checked(temporal: Temporal): Temporal | undefined {
  const { parts } = temporal;
  const start = startOf(temporal);
  const fits = parts.every((part, place) => part >= (FIRST[place + start] ?? 0) && part <= lastOf(parts, place, start));
  return parts.length > 0 && fits ? temporal : undefined;
}

function startOf({ kind }: Temporal): number {
  return kind === 'Time' ? 3 : 0;
}

function lastOf(parts: readonly number[], place: number, start: number): number {
  return place + start === 2 ? daysIn(parts[0] ?? 1, parts[1] ?? 1) : (LAST[place + start] ?? 0);
}

function daysIn(year: number, month: number): number {
  return new Date(utc([year, month + 1, 0])).getUTCDate();
}

/** Date.UTC reads years below 100 as 19xx. */
function utc([year = 1, month = 1, day = 1, hour = 0, minute = 0, second = 0, ms = 0]: readonly number[]): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.setUTCHours(hour, minute, second, ms);
}

interface Span {
  readonly lo: number;
  readonly hi: number;
}

/** First and last millisecond that it may mean; seconds and their fractions are one precision, so a second is a moment. */
function spanOf(temporal: Temporal): Span {
  const { parts, offset = 0 } = temporal;
  const start = startOf(temporal);
  const full = start === 3 ? [1970, 1, 1, ...parts] : parts;
  const lo = utc(full) - offset * 60_000;
  if (full.length >= 6) return { lo, hi: lo };
  const next = full.map((part, place) => (place === full.length - 1 ? part + 1 : part));
  return { lo, hi: utc(next) - offset * 60_000 - 1 };
}

/** Negative, zero or positive; undefined where what was written does not tell. Throws EvaluationError for a time with a date. */
export function compareTemporals(a: Temporal, b: Temporal): number | undefined {
  if ((a.kind === 'Time') !== (b.kind === 'Time')) throw new EvaluationError(`${a.kind} and ${b.kind} can not be compared`);
  const mixed = (a.offset === undefined) !== (b.offset === undefined);
  const [left, right] = [a, b].map((temporal) => (mixed && temporal.offset === undefined ? widened(spanOf(temporal)) : spanOf(temporal))) as [Span, Span];
  if (left.hi < right.lo) return -1;
  if (left.lo > right.hi) return 1;
  return left.lo === right.lo && left.hi === right.hi && !mixed ? 0 : undefined;
}

function widened({ lo, hi }: Span): Span {
  return { lo: lo - EAST_MS, hi: hi + WEST_MS };
}

/** For finding duplicates: equal only for temporals that are equal for certain. */
export function temporalKey(temporal: Temporal): string {
  const { lo, hi } = spanOf(temporal);
  return `${startOf(temporal)} ${lo} ${hi} ${temporal.offset === undefined}`;
}

/** `amount` may be negative and have a fraction, which counts for seconds alone. https://hl7.org/fhirpath/N1/#datetime-arithmetic */
export function addTo(temporal: Temporal, amount: number, unit: Unit): Temporal {
  const start = startOf(temporal);
  const finest = start + temporal.parts.length - 1;
  const [whole, step] = coarsened(amount, unit, Math.min(finest, unit === 'millisecond' ? 6 : 5));
  if (step === 'year' || step === 'month') return addMonths(temporal, step === 'year' ? whole * 12 : whole);
  const full = start === 3 ? [1970, 1, 1, ...temporal.parts] : temporal.parts;
  const moved = new Date(utc(full) + Math.trunc(whole * SPAN_MS[step]));
  const all = [moved.getUTCFullYear(), moved.getUTCMonth() + 1, moved.getUTCDate(), moved.getUTCHours(), moved.getUTCMinutes(), moved.getUTCSeconds(), moved.getUTCMilliseconds()];
  const fraction = unit === 'millisecond' || (unit === 'second' && !Number.isInteger(amount));
  const length = finest >= 5 && fraction ? 7 - start : temporal.parts.length;
  return inRange({ ...temporal, parts: all.slice(start, start + length) });
}

/** A year of 365 days or 12 months, a month of 30 days: what is finer than was written counts in whole units of what was. */
function coarsened(amount: number, unit: Unit, finest: number): readonly [number, Unit] {
  if (unit === 'week') return coarsened(Math.trunc(amount) * 7, 'day', finest);
  const place = UNITS.indexOf(unit);
  if (place <= finest) return [unit === 'second' ? amount : Math.trunc(amount), unit];
  if (unit === 'day' && finest === 0) return [Math.trunc(amount / 365), 'year'];
  const parts = [0, 12, 30, 24, 60, 60, 1000];
  return coarsened(amount / (parts[place] ?? 1), UNITS[place - 1] ?? 'year', finest);
}

function addMonths(temporal: Temporal, months: number): Temporal {
  if (temporal.kind === 'Time') throw new EvaluationError('a time of day has no months or years');
  const [year = 1, month = 1, day, ...rest] = temporal.parts;
  const count = year * 12 + month - 1 + months;
  const [newYear, newMonth] = [Math.floor(count / 12), (((count % 12) + 12) % 12) + 1];
  const parts = temporal.parts.length === 1 ? [newYear] : [newYear, newMonth];
  if (day !== undefined) parts.push(Math.min(day, daysIn(newYear, newMonth)), ...rest);
  return inRange({ ...temporal, parts });
}

function inRange(temporal: Temporal): Temporal {
  if (temporal.kind !== 'Time' && !((temporal.parts[0] ?? 0) >= 1 && (temporal.parts[0] ?? 0) <= 9999)) throw new EvaluationError('a date must be between the years 1 and 9999');
  return temporal;
}

/** How many digits were written: 4 for a year, 17 for a DateTime with milliseconds. */
export function temporalPrecision(temporal: Temporal): number {
  const table = temporal.kind === 'Time' ? TIME_DIGITS : DIGITS;
  return [...table].find(([, parts]) => parts === temporal.parts.length)?.[0] ?? 0;
}

/**
 * The least or greatest it may mean, to so many digits; undefined where there is no such precision. An hour alone is taken as
 * its first minute, as HL7's tests have it: R4 has no such time. https://build.fhir.org/ig/HL7/FHIRPath/#lowboundaryprecision-integer
 */
export function temporalBoundary(temporal: Temporal, low: boolean, digits?: number): Temporal | undefined {
  const start = startOf(temporal);
  const length = start === 3 ? TIME_DIGITS.get(digits ?? 9) : DIGITS.get(digits ?? (temporal.kind === 'Date' ? 8 : 17));
  if (length === undefined) return undefined;
  const parts = temporal.kind === 'DateTime' && temporal.parts.length === 4 ? [...temporal.parts, 0] : temporal.parts.slice();
  while (parts.length < length) parts.push(low ? (FIRST[parts.length + start] ?? 0) : lastOf(parts, parts.length, start));
  const timed = start === 0 && length > 3;
  const offset = timed ? (temporal.offset ?? (low ? EAST_MS : -WEST_MS) / 60_000) : undefined;
  return { kind: timed ? 'DateTime' : temporal.kind, parts: parts.slice(0, length), offset };
}

/** `2014-12-14`, `2014-01-01T10:00:00.000+10:00`, `10:00`: without `@`. */
export function temporalText(temporal: Temporal): string {
  const { parts, offset } = temporal;
  const padded = parts.map((part, place) => String(part).padStart(place + startOf(temporal) === 0 ? 4 : place + startOf(temporal) === 6 ? 3 : 2, '0'));
  const date = temporal.kind === 'Time' ? [] : padded.splice(0, 3);
  const [hour, minute, second, fraction] = padded;
  const time = [hour, minute, second].filter((part) => part !== undefined).join(':') + (fraction === undefined ? '' : `.${fraction}`);
  if (temporal.kind === 'Time') return time;
  return date.join('-') + (time === '' ? '' : `T${time}${offset === undefined ? '' : offsetText(offset)}`);
}

function offsetText(offset: number): string {
  if (offset === 0) return 'Z';
  const minutes = Math.abs(offset);
  return `${offset < 0 ? '-' : '+'}${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}

/** `ms` since the epoch, in UTC. */
export function temporalAt(ms: number, kind: Temporal['kind']): Temporal {
  const text = new Date(ms).toISOString();
  const part = kind === 'Date' ? text.slice(0, 10) : kind === 'Time' ? text.slice(11, 23) : text;
  return parseTemporal(part, kind) ?? { kind, parts: [1970], offset: undefined };
}
