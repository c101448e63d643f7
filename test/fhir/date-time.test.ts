import fc from 'fast-check';
import { dateRange, endOfDayLondon, eventsRange, instantText, isDate, isDateTime, isInstant, isTime, MAX_MS, MIN_MS, periodRange, startOfDayLondon } from '../../src/fhir/date-time.js';
import { londonDate, londonOffsetMs, londonToUtc } from '../../src/fhir/london.js';

const HOUR = 3_600_000;
const utc = (text: string): number => Date.parse(text);

const someMs = fc.integer({ min: utc('0100-01-01T00:00:00Z'), max: utc('9999-12-30T00:00:00Z') });

describe('ranges', () => {
  test.each([
    ['2026', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'],
    ['2026-12', '2026-12-01T00:00:00Z', '2027-01-01T00:00:00Z'],
    ['2024-02', '2024-02-01T00:00:00Z', '2024-03-01T00:00:00Z'],
    ['2024-02-29', '2024-02-29T00:00:00Z', '2024-03-01T00:00:00Z'],
    ['2026-11-21T12:30', '2026-11-21T12:30:00Z', '2026-11-21T12:31:00Z'],
    ['2026-11-21T12:30Z', '2026-11-21T12:30:00Z', '2026-11-21T12:31:00Z'],
    ['2026-11-21T12:30:15', '2026-11-21T12:30:15Z', '2026-11-21T12:30:16Z'],
    ['2026-11-21T12:30:15+01:00', '2026-11-21T11:30:15Z', '2026-11-21T11:30:16Z'],
    ['2026-11-21T00:30:15-14:00', '2026-11-21T14:30:15Z', '2026-11-21T14:30:16Z'],
    ['2026-11-21T12:30:15.5Z', '2026-11-21T12:30:15.500Z', '2026-11-21T12:30:15.600Z'],
    ['2026-11-21T12:30:15.123456Z', '2026-11-21T12:30:15.123Z', '2026-11-21T12:30:15.124Z'],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00Z', '2017-01-01T00:00:01Z'],
  ])('%s is [%s, %s)', (text, lo, hi) => {
    expect(dateRange(text)).toEqual({ lo: utc(lo), hi: utc(hi) });
  });

  test.each([
    '2023-02-30', '2023-02-29', '1900-02-29', '2026-13', '2026-00', '2026-04-31', '2026-1', '26', '0000', '2026-11-21T', '2026-11-21T12', '2026-11-21T24:00:00Z', '2026-11-21T12:60', '2026-11-21T12:30:61Z',
    '2026-11-21T12:30:15.Z', '2026-11-21T12:30:15+14:01', '2026-11-21T12:30:15+01:60', '2026-11-21T12:30:15+0100', '2026-11-21 12:30', '2026-11-21Z', '2026-11-21T12:30:15Zx', ' 2026', '2026 ', '20261121', '', '２０２６',
  ])('%j is none', (text) => {
    expect(dateRange(text)).toBeUndefined();
    expect(dateRange(text, 'Europe/London')).toBeUndefined();
  });

  test('any instant is read back as written, inside its second, minute, day, month and year', () => {
    fc.assert(fc.property(someMs, (ms) => {
      const text = new Date(ms).toISOString();
      expect(dateRange(text)).toEqual({ lo: ms, hi: ms + 1 });
      let inner = { lo: ms, hi: ms + 1 };
      for (const length of [19, 16, 10, 7, 4]) {
        const outer = dateRange(text.slice(0, length))!;
        expect(outer.lo).toBeLessThanOrEqual(inner.lo);
        expect(outer.hi).toBeGreaterThanOrEqual(inner.hi);
        inner = outer;
      }
    }));
  });

  test('earlier days come before later ones, without a gap, in both zones', () => {
    fc.assert(fc.property(someMs, fc.constantFrom('UTC' as const, 'Europe/London' as const), (ms, zone) => {
      const day = dateRange(new Date(ms).toISOString().slice(0, 10), zone)!;
      const next = dateRange(new Date(ms + 24 * HOUR).toISOString().slice(0, 10), zone)!;
      expect(day.hi).toBe(next.lo);
      expect(day.lo).toBeLessThan(day.hi);
    }));
  });

  test('years before 100 are themselves', () => {
    expect(dateRange('0001')!.lo).toBe(MIN_MS);
    expect(dateRange('9999')!.hi).toBe(MAX_MS);
    expect(new Date(dateRange('0099-03-01')!.lo).toISOString()).toBe('0099-03-01T00:00:00.000Z');
  });

  test('periods are open where nothing is written', () => {
    expect(periodRange()).toEqual({ lo: MIN_MS, hi: MAX_MS });
    expect(periodRange('2026', undefined)).toEqual({ lo: utc('2026-01-01T00:00:00Z'), hi: MAX_MS });
    expect(periodRange('2026-01-05', '2026-01-05')).toEqual({ lo: utc('2026-01-05T00:00:00Z'), hi: utc('2026-01-06T00:00:00Z') });
    expect(periodRange('2026', 'soon')).toBeUndefined();
  });

  test('events reach from the first to the end of the last', () => {
    expect(eventsRange(['2026-03-01', '2025', 'never', '2026-01-01'])).toEqual({ lo: utc('2025-01-01T00:00:00Z'), hi: utc('2026-03-02T00:00:00Z') });
    expect(eventsRange(['never'])).toBeUndefined();
    expect(eventsRange([])).toBeUndefined();
  });
});

describe('London', () => {
  test.each([['2026-03-29', 23], ['2026-10-25', 25], ['2026-07-01', 24], ['1972-03-19', 23], ['1941-05-04', 23], ['1969-10-26', 24], ['2050-03-27', 23]])('%s has %i hours', (date, hours) => {
    expect(endOfDayLondon(date) - startOfDayLondon(date)).toBe(hours * HOUR);
  });

  test('a summer day ends at 23:00 UTC, a winter day at midnight', () => {
    expect(endOfDayLondon('2026-05-31')).toBe(utc('2026-05-31T23:00:00Z'));
    expect(endOfDayLondon('2026-12-31')).toBe(utc('2027-01-01T00:00:00Z'));
    expect(startOfDayLondon('1970-01-01')).toBe(utc('1969-12-31T23:00:00Z')); // all of 1970 was summer time
    expect(() => startOfDayLondon('2026-02-30')).toThrow(RangeError);
    expect(() => endOfDayLondon('2026-02')).toThrow(RangeError);
  });

  test('the offset is what Intl says', () => {
    const shown = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/London', timeZoneName: 'longOffset' });
    fc.assert(fc.property(fc.integer({ min: utc('1916-01-01T00:00:00Z'), max: utc('2100-01-01T00:00:00Z') }), (ms) => {
      const [, hours = '0'] = /GMT(?:\+(\d\d):00)?$/.exec(shown.format(ms))!;
      expect(londonOffsetMs(ms)).toBe(Number(hours) * HOUR);
    }), { numRuns: 500 });
  });

  test('the clocks change at 01:00 UTC to the millisecond', () => {
    const change = utc('2026-03-29T01:00:00Z');
    expect([londonOffsetMs(change - 1), londonOffsetMs(change)]).toEqual([0, HOUR]);
    const back = utc('2026-10-25T01:00:00Z');
    expect([londonOffsetMs(back - 1), londonOffsetMs(back)]).toEqual([HOUR, 0]);
  });

  test('every moment is found from its clock time, and of an hour shown twice the first', () => {
    fc.assert(fc.property(fc.integer({ min: utc('1900-01-01T00:00:00Z'), max: utc('2100-01-01T00:00:00Z') }), (ms) => {
      const found = londonToUtc(ms + londonOffsetMs(ms));
      expect(found === ms || (found < ms && found + londonOffsetMs(found) === ms + londonOffsetMs(ms))).toBe(true);
    }));
    expect(dateRange('2026-10-25T01:30', 'Europe/London')!.lo).toBe(utc('2026-10-25T00:30:00Z'));
    expect(dateRange('2026-03-29T01:30', 'Europe/London')!.lo).toBe(utc('2026-03-29T01:30:00Z')); // left out: 02:30 by the clocks
  });

  test('the day of a moment is the one that holds it', () => {
    fc.assert(fc.property(fc.integer({ min: utc('1900-01-02T00:00:00Z'), max: utc('2100-01-01T00:00:00Z') }), (ms) => {
      const date = londonDate(ms);
      expect(startOfDayLondon(date)).toBeLessThanOrEqual(ms);
      expect(endOfDayLondon(date)).toBeGreaterThan(ms);
    }));
  });
});

describe('grammar', () => {
  test('date, dateTime, instant and time take what FHIR says', () => {
    expect(['2026', '2026-11', '2026-11-21'].map(isDate)).toEqual([true, true, true]);
    expect(['2026-11-21T12:00:00Z', '2026-02-30', '2026-11-21T'].map(isDate)).toEqual([false, false, false]);
    expect(['2026', '2026-11-21T12:00:00Z', '2026-11-21T12:00:00.123456789+01:00'].map(isDateTime)).toEqual([true, true, true]);
    expect(['2026-11-21T12:00Z', '2026-11-21T12:00:00', '2026-11-21T12:00'].map(isDateTime)).toEqual([false, false, false]);
    expect(['2026-11-21T12:00:00Z', '2016-12-31T23:59:60Z'].map(isInstant)).toEqual([true, true]);
    expect(['2026-11-21', '2026-11-21T12:00:00', '2026-11-21T12:00Z'].map(isInstant)).toEqual([false, false, false]);
    expect(['14:30:00', '23:59:59.999'].map(isTime)).toEqual([true, true]);
    expect(['14:30', '24:00:00', '14:30:00Z', '14:30:00.', ''].map(isTime)).toEqual([false, false, false, false, false]);
  });
});

test('an instant prints as toISOString does', () => {
  for (const rest of [0, 9, 10, 99, 100, 999]) expect(instantText(rest)).toBe(new Date(rest).toISOString());
  fc.assert(fc.property(someMs, fc.integer({ min: 0, max: 2000 }), (ms, later) => {
    for (const at of [ms, ms + later, ms]) expect(instantText(at)).toBe(new Date(at).toISOString());
  }));
});
