// From which day to which an operation is asked for: days of London, both included.
import { dateRange, MAX_MS, MIN_MS } from '../fhir/date-time.js';
import { fail } from '../fhir/errors.js';
import type { Input } from './input.js';

export interface Span {
  /** Milliseconds since the epoch. */
  readonly from: number;
  /** Exclusive. */
  readonly until: number;
}

/** The parameters of these names, either of which may be left out; throws 400 for what is no date, and for an end before its start. */
export function readSpan(input: Input, startName = 'start', endName = 'end'): Span {
  const from = rangeOf(input, startName)?.lo ?? MIN_MS;
  const until = rangeOf(input, endName)?.hi ?? MAX_MS;
  if (until <= from) throw fail('invalid-parameter', { text: `${endName} lies before ${startName}: send a later ${endName}` });
  return { from, until };
}

function rangeOf(input: Input, name: string) {
  const text = input.text(name);
  if (text === undefined) return undefined;
  const range = dateRange(text, 'Europe/London');
  if (!range) throw fail('invalid-parameter', { text: `${name} is a date, such as 2026-11-21` });
  return range;
}
