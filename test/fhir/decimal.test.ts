import fc from 'fast-check';
import { compareDecimals, decimalText, implicitRange, isExact, parseDecimal, poundsText, toPence } from '../../src/fhir/decimal.js';

const decimal = fc.record({ digits: fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), scale: fc.integer({ min: 0, max: 30 }) });

test('text and decimal go to and fro with every place kept', () => {
  fc.assert(fc.property(decimal, (value) => {
    expect(parseDecimal(decimalText(value))).toEqual(value);
  }));
  expect(parseDecimal('1.00')).toEqual({ digits: 100n, scale: 2 });
  expect(parseDecimal('-1.5e-3')).toEqual({ digits: -15n, scale: 4 });
  expect(decimalText({ digits: 1n, scale: -2 })).toBe('100');
  expect(decimalText({ digits: -5n, scale: 3 })).toBe('-0.005');
});

test.each(['', '.5', '5.', '01', '+1', '1e', '1e99999', 'NaN', ' 1', '1 ', '0x1', '1'.repeat(1001)])('%j is no decimal', (text) => {
  expect(parseDecimal(text)).toBeUndefined();
});

test('order is that of the values', () => {
  fc.assert(fc.property(fc.integer(), fc.integer(), fc.integer({ min: 0, max: 9 }), (a, b, places) => {
    const padded = { digits: BigInt(a) * 10n ** BigInt(places), scale: places };
    expect(Math.sign(compareDecimals(padded, { digits: BigInt(b), scale: 0 }))).toBe(Math.sign(a - b));
  }));
  expect(compareDecimals(parseDecimal('1.0')!, parseDecimal('1e0')!)).toBe(0);
});

test('exact is what a double prints with the same value', () => {
  for (const text of ['1.00', '0.1', '-0', '1e2', '100000000000000000000000', '0.30000000000000004']) expect(isExact(text)).toBe(true);
  for (const text of ['9007199254740993', '0.1000000000000000055511151231257827', '1.00000000000000000001']) expect(isExact(text)).toBe(false);
});

test.each([
  ['100', '99.5', '100.5'], ['100.00', '99.995', '100.005'], ['1.0e2', '95', '105'], ['1e2', '50', '150'], ['0', '-0.5', '0.5'], ['-1.5', '-1.55', '-1.45'],
  ['5e-3', '0.0045', '0.0055'], ['+007', '6.5', '7.5'],
])('%s means [%s, %s)', (text, lower, upper) => {
  expect(implicitRange(text)).toEqual({ lower, upper });
});

test('a range lies around its number and is one unit of the last place wide', () => {
  fc.assert(fc.property(decimal, (value) => {
    const { lower, upper } = implicitRange(decimalText(value))!;
    const [low, high] = [parseDecimal(lower)!, parseDecimal(upper)!];
    expect(compareDecimals(low, value)).toBeLessThan(0);
    expect(compareDecimals(value, high)).toBeLessThan(0);
    expect(high.digits - low.digits).toBe(10n);
    expect(high.scale).toBe(value.scale + 1);
  }));
  for (const text of ['', '1..2', 'abc', '1,5', '--1']) expect(implicitRange(text)).toBeUndefined();
});

test.each([['10.10', 1010n], ['10.1', 1010n], ['10', 1000n], ['1e2', 10000n], ['0.010', 1n], ['-0.05', -5n], ['1.500', 150n], ['123456789012345678.90', 12345678901234567890n]])('%s pounds are %i pence', (text, pence) => {
  expect(toPence(text)).toBe(pence);
});

test('a fraction of a penny is no amount', () => {
  for (const text of ['1.505', '0.001', 'x', '']) expect(toPence(text)).toBeUndefined();
});

test('pence print as pounds and back', () => {
  fc.assert(fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), (pence) => {
    expect(toPence(poundsText(pence))).toBe(pence);
    expect(poundsText(pence)).toMatch(/^-?\d+\.\d\d$/);
  }));
});
