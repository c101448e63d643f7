// FHIR's dates and times as ranges of milliseconds: what was written says how long a moment it means.
// https://hl7.org/fhir/R4/datatypes.html#dateTime · https://hl7.org/fhir/R4/search.html#date
import { londonToUtc } from './london.js';

/** Milliseconds since the epoch, hi exclusive. */
export interface TimeRange {
  readonly lo: number;
  readonly hi: number;
}

/** What a date without an offset is taken to be in. */
export type Zone = 'UTC' | 'Europe/London';

/** Open ends of periods: 0001-01-01 and 10000-01-01, before and after every FHIR date. */
export const MIN_MS = -62_135_596_800_000;
export const MAX_MS = 253_402_300_800_000;

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** How much of it was written. */
type Precision = 'year' | 'month' | 'day' | 'minute' | 'second' | 'fraction';

interface Written {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  /** Since midnight; 23:59:60 is that of the next midnight. */
  readonly timeMs: number;
  readonly precision: Precision;
  /** What the precision spans, from minutes down. */
  readonly spanMs: number;
  /** Undefined where none was written. */
  readonly offsetMinutes: number | undefined;
}

/**
 * The range that a date, dateTime or instant means: `2026` a year, `2026-11-21T12:00:00.5Z` 100 ms. A time to the minute, and one without an offset, are
 * taken too: searches write them. `zone` is that of a value without an offset. Undefined for text that is no date, and for days the calendar hasn't got.
 */
export function dateRange(text: string, zone: Zone = 'UTC'): TimeRange | undefined {
  const written = parse(text);
  if (!written) return undefined;
  const { year, month, day, timeMs, precision, spanMs, offsetMinutes } = written;
  const lo = dayMs(year, month, day) + timeMs;
  if (offsetMinutes !== undefined) return { lo: lo - offsetMinutes * MINUTE_MS, hi: lo - offsetMinutes * MINUTE_MS + spanMs };
  const hi = localEnd(lo, written, precision);
  return zone === 'UTC' ? { lo, hi } : { lo: londonToUtc(lo), hi: londonToUtc(hi) };
}

function localEnd(lo: number, { year, month, spanMs }: Written, precision: Precision): number {
  if (precision === 'year') return dayMs(year + 1, 1, 1);
  if (precision === 'month') return month === 12 ? dayMs(year + 1, 1, 1) : dayMs(year, month + 1, 1);
  return precision === 'day' ? lo + DAY_MS : lo + spanMs;
}

/** FHIR date: a year, month or day of the calendar. */
export function isDate(text: string): boolean {
  return text.length <= 10 && parse(text) !== undefined;
}

/** FHIR dateTime: a date, or a time to the second at least with its offset. */
export function isDateTime(text: string): boolean {
  return isDate(text) || isInstant(text);
}

/** FHIR instant: a time to the second at least, with its offset. */
export function isInstant(text: string): boolean {
  const written = parse(text);
  return written?.offsetMinutes !== undefined && written.precision !== 'minute';
}

/** FHIR time: `14:30:00`, no offset. */
export function isTime(text: string): boolean {
  const clock = parseClock(text, 0);
  return clock?.end === text.length && clock.precision !== 'minute';
}

/** The range of a Period; an end that was not written is open. Undefined where a bound is no date. */
export function periodRange(start?: string, end?: string, zone: Zone = 'UTC'): TimeRange | undefined {
  const lo = start === undefined ? MIN_MS : dateRange(start, zone)?.lo;
  const hi = end === undefined ? MAX_MS : dateRange(end, zone)?.hi;
  return lo === undefined || hi === undefined ? undefined : { lo, hi };
}

/** From the first event of a Timing to the end of its last; undefined where it has none that is a date. */
export function eventsRange(events: readonly string[], zone: Zone = 'UTC'): TimeRange | undefined {
  let lo = MAX_MS;
  let hi = MIN_MS;
  for (const event of events) {
    const range = dateRange(event, zone);
    if (range && range.lo < lo) lo = range.lo;
    if (range && range.hi > hi) hi = range.hi;
  }
  return lo < hi ? { lo, hi } : undefined;
}

/** The first moment of a day (`2026-05-31`) on London's clocks. Throws a RangeError for what is no day. */
export function startOfDayLondon(date: string): number {
  return londonDay(date).lo;
}

/** The moment after a day's last on London's clocks: its end, exclusive. Throws a RangeError for what is no day. */
export function endOfDayLondon(date: string): number {
  return londonDay(date).hi;
}

function londonDay(date: string): TimeRange {
  const range = date.length === 10 ? dateRange(date, 'Europe/London') : undefined;
  if (!range) throw new RangeError(`Not a day: ${date}`);
  return range;
}

let lastSecond = NaN;
let lastPrefix = '';
let lastDay = NaN;
let lastDate = '';

/** `2026-11-21T12:00:00.000Z`, from a whole number of milliseconds. The second is kept: most instants of a running server are of this one; and its day, for lists. */
export function instantText(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastSecond) {
    lastPrefix = `${dateText(ms)}T${clockText(ms)}.`;
    lastSecond = second;
  }
  const rest = ms - second * 1000;
  return `${lastPrefix}${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}Z`;
}

/** The day of a moment in UTC. */
function dateText(ms: number): string {
  const day = Math.floor(ms / DAY_MS);
  if (day !== lastDay) {
    lastDate = new Date(day * DAY_MS).toISOString().slice(0, -'T00:00:00.000Z'.length);
    lastDay = day;
  }
  return lastDate;
}

function clockText(ms: number): string {
  const seconds = Math.floor((ms - Math.floor(ms / DAY_MS) * DAY_MS) / 1000);
  return `${twoDigits(Math.floor(seconds / 3600))}:${twoDigits(Math.floor(seconds / 60) % 60)}:${twoDigits(seconds % 60)}`;
}

const twoDigits = (count: number): string => (count < 10 ? `0${count}` : String(count));

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysOf(year: number, month: number): number {
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return (MONTH_DAYS[month - 1] ?? 0) + (leap ? 1 : 0);
}

/** Midnight UTC. Date.UTC can't: it reads years below 100 as 19xx. Counts days of years that begin in March, so the leap day comes last. */
function dayMs(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const days = marchYear * 365 + Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400) + dayOfYear;
  return (days - 719_468) * DAY_MS;
}

function parse(text: string): Written | undefined {
  const year = digits(text, 0, 4);
  if (!(year >= 1)) return undefined;
  const whole = { year, month: 1, day: 1, timeMs: 0, spanMs: 0, offsetMinutes: undefined };
  if (text.length === 4) return { ...whole, precision: 'year' };
  const month = digits(text, 5, 2);
  if (text[4] !== '-' || !(month >= 1 && month <= 12)) return undefined;
  if (text.length === 7) return { ...whole, month, precision: 'month' };
  const day = digits(text, 8, 2);
  if (text[7] !== '-' || !(day >= 1 && day <= daysOf(year, month))) return undefined;
  if (text.length === 10) return { ...whole, month, day, precision: 'day' };
  const clock = text[10] === 'T' ? parseClock(text, 11) : undefined;
  if (!clock) return undefined;
  const offsetMinutes = parseOffset(text, clock.end);
  if (offsetMinutes === undefined && clock.end !== text.length) return undefined;
  return { year, month, day, timeMs: clock.timeMs, spanMs: clock.spanMs, precision: clock.precision, offsetMinutes };
}

interface Clock {
  readonly timeMs: number;
  readonly spanMs: number;
  readonly precision: 'minute' | 'second' | 'fraction';
  readonly end: number;
}

function parseClock(text: string, at: number): Clock | undefined {
  const hour = digits(text, at, 2);
  const minute = digits(text, at + 3, 2);
  if (!(hour <= 23 && minute <= 59) || text[at + 2] !== ':') return undefined;
  const minuteMs = (hour * 60 + minute) * MINUTE_MS;
  if (text[at + 5] !== ':') return { timeMs: minuteMs, spanMs: MINUTE_MS, precision: 'minute', end: at + 5 };
  const second = digits(text, at + 6, 2);
  if (!(second <= 60)) return undefined; // 60: a leap second
  const timeMs = minuteMs + second * 1000;
  if (text[at + 8] !== '.') return { timeMs, spanMs: 1000, precision: 'second', end: at + 8 };
  let end = at + 9;
  while (isDigit(text.charCodeAt(end))) end++;
  if (end === at + 9) return undefined;
  const places = Math.min(end - at - 9, 3);
  const spanMs = 10 ** (3 - places);
  return { timeMs: timeMs + digits(text, at + 9, places) * spanMs, spanMs, precision: 'fraction', end };
}

/** Minutes east of Greenwich, -14:00 to +14:00; undefined where `at` begins no offset that ends the text. */
function parseOffset(text: string, at: number): number | undefined {
  const sign = text[at];
  if (sign === 'Z') return text.length === at + 1 ? 0 : undefined;
  if ((sign !== '+' && sign !== '-') || text[at + 3] !== ':' || text.length !== at + 6) return undefined;
  const minutes = digits(text, at + 1, 2) * 60 + digits(text, at + 4, 2);
  if (!(minutes <= 840) || !(digits(text, at + 4, 2) <= 59)) return undefined;
  return sign === '-' ? -minutes : minutes;
}

function isDigit(char: number): boolean {
  return char >= 0x30 && char <= 0x39;
}

/** NaN where one of them is no digit. */
function digits(text: string, at: number, count: number): number {
  let value = 0;
  for (let pos = at; pos < at + count; pos++) {
    const char = text.charCodeAt(pos);
    if (!isDigit(char)) return NaN;
    value = value * 10 + char - 0x30;
  }
  return value;
}
