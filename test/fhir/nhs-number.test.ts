import fc from 'fast-check';
import { isNhsNumber } from '../../src/fhir/nhs-number.js';

test.each(['9990000018', '9990000026', '9990000034', '9990000042', '9990000050', '9990000069', '9990000077', '9990000085', '9990000093', '9990000107', '9000000009', '9000000025', '9111231130', '1111111111'])('%s is one', (text) => {
  expect(isNhsNumber(text)).toBe(true);
});

test.each(['9900002831', '1234567890', '0000000000', '9000000000', '9990000019', '999 000 0018', ' 9990000018', '9990000018 ', '9990000018\n', '999000001', '99900000180', '٩٩٩٠٠٠٠٠١٨', 'abcdefghij', ''])('%j is none', (text) => {
  expect(isNhsNumber(text)).toBe(false);
});

test('where the sum calls for a check digit of ten, no digit will do', () => {
  for (let digit = 0; digit <= 9; digit++) expect(isNhsNumber(`999000014${digit}`)).toBe(false);
});

test('one digit changed, or two neighbours swapped, is noticed', () => {
  const number = fc.integer({ min: 100_000_000, max: 999_999_999 }).map((nine) => Array.from({ length: 10 }, (_, digit) => `${nine}${digit}`).find(isNhsNumber)).filter((found) => found !== undefined);
  fc.assert(fc.property(number, fc.nat({ max: 9 }), fc.integer({ min: 1, max: 9 }), (text, at, add) => {
    const changed = text.slice(0, at) + String((Number(text[at]) + add) % 10) + text.slice(at + 1);
    expect(isNhsNumber(changed)).toBe(false);
    const swapped = text.slice(0, at) + (text[at + 1] ?? '') + text[at]! + text.slice(at + 2);
    expect(isNhsNumber(swapped)).toBe(swapped === text);
  }));
});
