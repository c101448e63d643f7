// The days and moments an assertion names: a date-only value is a day, from its start to its end in London (domain.md 3.8.14, 6.2, 6.4).
import { dateRange, endOfDayLondon, isDate, isDateTime } from '../../fhir/date-time.js';
import { londonOffsetMs } from '../../fhir/london.js';

const HOUR_MS = 3_600_000;

/** When a source decided. */
export interface Decision {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** FHIR dateTime with offset: as written, or the start of the day. */
  readonly text: string;
}

let lastText = '';
let lastDecision: Decision | undefined;

/**
 * A FHIR dateTime to the day or finer; undefined for a month or year alone, which can't be put in order, and for what is no dateTime.
 * The last is kept: a statement is asked several times, and a file holds many of one day.
 */
export function decisionOf(dateTime: string): Decision | undefined {
  if (dateTime !== lastText) {
    lastDecision = readDecision(dateTime);
    lastText = dateTime;
  }
  return lastDecision;
}

function readDecision(dateTime: string): Decision | undefined {
  const range = dateTime.length >= 10 && isDateTime(dateTime) ? dateRange(dateTime, 'Europe/London') : undefined;
  if (!range) return undefined;
  if (dateTime.length > 10) return { at: range.lo, text: dateTime };
  const hours = londonOffsetMs(range.lo) / HOUR_MS;
  return { at: range.lo, text: `${dateTime}T00:00:00+0${hours}:00` };
}

/** The first moment after a day, 1 June 00:00 in London for 31 May; undefined where the text is no day. */
export function endOfDay(date: string): number | undefined {
  return date.length === 10 && isDate(date) ? endOfDayLondon(date) : undefined;
}

/** The last day that a FHIR dateTime covers: 2026-05 ends on 2026-05-31. */
export function lastDayOf(dateTime: string): string {
  const range = dateTime.length < 10 ? dateRange(dateTime) : undefined;
  return range ? new Date(range.hi - 1).toISOString().slice(0, 10) : dateTime.slice(0, 10);
}
