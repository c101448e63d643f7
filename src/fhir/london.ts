// London's clocks: when they change, asked of Intl once a year and kept, since Intl costs microseconds a question.
// Day boundaries of the service are London's.

const DAY_MS = 86_400_000;

/** The offset holds from `from` until the next change begins. */
interface Change {
  readonly from: number;
  readonly offsetMs: number;
}

const clock = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'Europe/London', calendar: 'gregory', hourCycle: 'h23',
  year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
});

const yearsOfChanges = new Map<number, readonly Change[]>();

/** Summer time began in 1916. */
const FIRST_CHANGE_MS = Date.UTC(1916, 0, 1);

/** What London's clocks are ahead of UTC at this moment. */
export function londonOffsetMs(ms: number): number {
  let offsetMs = 0;
  if (ms < FIRST_CHANGE_MS) return offsetMs;
  for (const change of changesOf(new Date(ms).getUTCFullYear())) {
    if (change.from > ms) break;
    offsetMs = change.offsetMs;
  }
  return offsetMs;
}

/** The moment at which London's clocks show this (given as if it were UTC). Of an hour shown twice the first; an hour left out begins when the clocks go forward. */
export function londonToUtc(localMs: number): number {
  const before = londonOffsetMs(localMs - DAY_MS);
  const after = londonOffsetMs(localMs + DAY_MS);
  if (before === after || londonOffsetMs(localMs - before) === before) return localMs - before;
  return londonOffsetMs(localMs - after) === after ? localMs - after : localMs - before;
}

/** The calendar day of a moment on London's clocks: `2026-05-31`. */
export function londonDate(ms: number): string {
  return new Date(ms + londonOffsetMs(ms)).toISOString().slice(0, 10);
}

function changesOf(year: number): readonly Change[] {
  const known = yearsOfChanges.get(year);
  if (known) return known;
  const changes = findChanges(Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1));
  yearsOfChanges.set(year, changes);
  return changes;
}

/** Looks every ten days and halves the span in which the offset moved: no change was ever undone within ten days. */
function findChanges(start: number, end: number): Change[] {
  const changes: Change[] = [{ from: start, offsetMs: askOffset(start) }];
  for (let from = start; from < end; from += 10 * DAY_MS) {
    const to = Math.min(from + 10 * DAY_MS, end - 1000);
    const offsetMs = askOffset(to);
    if (offsetMs !== changes.at(-1)?.offsetMs) changes.push({ from: moment(from, to, offsetMs), offsetMs });
  }
  return changes;
}

/** The first second, after `from` and up to `to`, at which the offset is the new one. */
function moment(from: number, to: number, offsetMs: number): number {
  let low = from;
  let high = to;
  while (high - low > 1000) {
    const middle = low + Math.floor((high - low) / 2000) * 1000;
    if (askOffset(middle) === offsetMs) high = middle;
    else low = middle;
  }
  return high;
}

function askOffset(ms: number): number {
  const shown = new Map(clock.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes): number => shown.get(type) ?? 0;
  const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return local - Math.floor(ms / 1000) * 1000;
}
