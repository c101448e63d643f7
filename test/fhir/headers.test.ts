import fc from 'fast-check';
import { areTags, etag, namesVersion, versionOf } from '../../src/fhir/etag.js';
import { httpDate, parseHttpDate } from '../../src/fhir/http-date.js';

describe('entity tags', () => {
  test('a version is read from all ways of writing it', () => {
    for (const header of ['W/"3"', '"3"', '3', ' W/"3" ']) expect(versionOf(header)).toBe(3);
    for (const header of ['', '*', 'W/3', 'w/"3"', '"a"', '"03"', '0', '-1', '1.0', 'W/"3', '"3", "4"', '9'.repeat(16)]) expect(versionOf(header)).toBeUndefined();
    fc.assert(fc.property(fc.integer({ min: 1 }), (version) => {
      expect(versionOf(etag(version))).toBe(version);
    }));
  });

  test('If-None-Match names a version alone, in a list, or by a star', () => {
    for (const header of ['W/"3"', '"1", W/"3"', '*', '3', ' * ']) expect(namesVersion(header, 3)).toBe(true);
    for (const header of ['W/"4"', '"33"', '"1", "2"', '', 'W/"abc"']) expect(namesVersion(header, 3)).toBe(false);
  });
});

test('a header of tags is told from one of anything else', () => {
  for (const header of ['W/"3"', '"3"', '3', '*', ' * ', '"1", W/"2"', 'W/"abc"', '"a,b"', '""', '1 , 2']) expect([header, areTags(header)]).toEqual([header, true]);
  for (const header of ['', 'abc', 'W/3', 'w/"3"', '"3', '"1",', ',"1"', '"1" "2"', '*, "1"', '-1', '1.0']) expect([header, areTags(header)]).toEqual([header, false]);
});

describe('dates', () => {
  test('go to and fro to the second', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), (ms) => {
      expect(httpDate(ms)).toBe(new Date(ms).toUTCString());
      expect(parseHttpDate(httpDate(ms))).toBe(Math.floor(ms / 1000) * 1000);
    }));
    expect(httpDate(1_795_262_400_999)).toBe(httpDate(1_795_262_400_000));
  });

  test('the two old forms are understood', () => {
    const ms = Date.UTC(1994, 10, 6, 8, 49, 37);
    for (const text of ['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994']) expect(parseHttpDate(text)).toBe(ms);
  });

  test.each(['', '2026', '2026-11-21T12:00:00Z', 'Sun, 06 Nov 1994 08:49:37', 'Sun, 06 Nov 1994 08:49:37 +0100', 'Sun, 06 Nox 1994 08:49:37 GMT', 'Sun, 06 Nov 1994 28:49:37 GMT'])('%j is none', (text) => {
    expect(parseHttpDate(text)).toBeUndefined();
  });
});
