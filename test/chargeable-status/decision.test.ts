import fc from 'fast-check';
import { decisionOf, endOfDay, lastDayOf } from '../../src/chargeable-status/status/decision.js';

test('a day is decided at its start in London, shown with the offset of that moment', () => {
  expect(decisionOf('2026-05-10')).toEqual({ at: Date.parse('2026-05-09T23:00:00Z'), text: '2026-05-10T00:00:00+01:00' });
  expect(decisionOf('2026-12-10')).toEqual({ at: Date.parse('2026-12-10T00:00:00Z'), text: '2026-12-10T00:00:00+00:00' });
});

test('on the days the clocks change a day begins by the old time', () => {
  expect(decisionOf('2026-03-29')?.text).toBe('2026-03-29T00:00:00+00:00');
  expect(decisionOf('2026-10-25')?.text).toBe('2026-10-25T00:00:00+01:00');
});

test('a moment keeps its text, and two texts of one moment are one moment', () => {
  expect(decisionOf('2026-05-10T09:00:00+01:00')).toEqual({ at: Date.parse('2026-05-10T08:00:00Z'), text: '2026-05-10T09:00:00+01:00' });
  expect(decisionOf('2026-05-10T08:00:00Z')?.at).toBe(decisionOf('2026-05-10T09:00:00+01:00')?.at);
});

test.each(['2026', '2026-05', '2026-02-30', '2026-05-10T09:00:00', '10 May 2026', ''])('%j does not say when', (text) => {
  expect(decisionOf(text)).toBeUndefined();
});

test('a day ends when the next one begins in London', () => {
  expect(endOfDay('2026-05-31')).toBe(Date.parse('2026-05-31T23:00:00Z'));
  expect(endOfDay('2026-12-31')).toBe(Date.parse('2027-01-01T00:00:00Z'));
  expect(endOfDay('2026-05')).toBeUndefined();
});

test('a period that ends with a month or year ends with its last day', () => {
  expect(['2026', '2026-02', '2028-02', '2026-05-31', '2026-05-31T10:00:00Z'].map(lastDayOf)).toEqual(['2026-12-31', '2026-02-28', '2028-02-29', '2026-05-31', '2026-05-31']);
});

describe('for any day', () => {
  const days = fc.date({ min: new Date('1975-01-01'), max: new Date('2060-12-31'), noInvalidDate: true }).map((date) => date.toISOString().slice(0, 10));
  const inLondon = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/London', dateStyle: 'short', timeStyle: 'medium' });
  const after = (day: string): string => new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);

  test('clocks in London show midnight when it begins, and when it ends', () => {
    fc.assert(fc.property(days, (day) => {
      expect(inLondon.format(decisionOf(day)?.at)).toBe(`${day} 00:00:00`);
      expect(inLondon.format(endOfDay(day))).toBe(`${after(day)} 00:00:00`);
      expect(Date.parse(decisionOf(day)?.text ?? '')).toBe(decisionOf(day)?.at);
    }));
  });

  test('it ends when the next begins, after 23, 24 or 25 hours', () => {
    fc.assert(fc.property(days, (day) => {
      const [start, end] = [decisionOf(day)?.at ?? NaN, endOfDay(day) ?? NaN];
      expect(end).toBe(decisionOf(after(day))?.at);
      expect([23, 24, 25]).toContain((end - start) / 3_600_000);
    }));
  });
});
