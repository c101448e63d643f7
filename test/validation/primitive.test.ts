// Primitives against the regular expressions that the specification publishes for them. https://hl7.org/fhir/R4/datatypes.html#primitive
import fc from 'fast-check';
import { PRIMITIVES } from '../../src/validation/primitive.js';

const YEAR = '([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)';
const DAY = '(0[1-9]|1[0-2])(-(0[1-9]|[1-2][0-9]|3[0-1])';
const TIME = '([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\\.[0-9]+)?';
const ZONE = '(Z|(\\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00))';

const PUBLISHED: readonly (readonly [string, RegExp])[] = [
  ['date', new RegExp(`^${YEAR}(-${DAY})?)?$`)],
  ['dateTime', new RegExp(`^${YEAR}(-${DAY}(T${TIME}${ZONE})?)?)?$`)],
  ['instant', new RegExp(`^${YEAR}-(0[1-9]|1[0-2])-(0[1-9]|[1-2][0-9]|3[0-1])T${TIME}${ZONE}$`)],
  ['time', new RegExp(`^${TIME}$`)],
  ['id', /^[A-Za-z0-9\-.]{1,64}$/],
  ['code', /^[^\s]+( [^\s]+)*$/],
];

const ALPHABETS = new Map([['id', 'aZ09-._ /é'], ['code', 'aZ09- \t\n.']]);

/** The regular expressions let 30 February through; the calendar does not. */
function isOfCalendar(text: string): boolean {
  const day = /^(\d{4})-(\d\d)-(\d\d)/.exec(text);
  if (day === null) return true;
  const date = new Date(`${day[0]}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day[0]);
}

const moment = fc.tuple(fc.nat(9999), fc.nat(13), fc.nat(32), fc.nat(25), fc.nat(61), fc.nat(61), fc.constantFrom('', '.5', '.', '.123'), fc.constantFrom('Z', '', '+01:00', '-14:00', '+14:01', '+1:00'))
  .map(([year, month, day, hour, minute, second, fraction, zone]) => {
    const two = (n: number): string => String(n).padStart(2, '0');
    return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}${fraction}${zone}`;
  });

describe.each(PUBLISHED)('%s', (name, published) => {
  const { test: accepts } = PRIMITIVES.get(name)!;
  const free = fc.string({ unit: fc.constantFrom(...(ALPHABETS.get(name) ?? '0123456789-:TZ.+').split('')), maxLength: 40 });
  const cut = fc.tuple(moment, fc.constantFrom(0, 11), fc.constantFrom(4, 7, 10, 19, 40)).map(([text, from, to]) => text.slice(from, to));

  test('accepts what the published expression and the calendar accept', () => {
    fc.assert(fc.property(fc.oneof(free, moment, cut), (text) => {
      expect([text, accepts(text)]).toEqual([text, published.test(text) && (!name.startsWith('date') && name !== 'instant' ? true : isOfCalendar(text))]);
    }), { numRuns: 3000 });
  });
});

test.each([
  ['oid', 'urn:oid:1.2.3', true], ['oid', 'urn:oid:3.1', false], ['oid', '1.2.3', false],
  ['uuid', 'urn:uuid:c757873d-ec9a-4326-a141-556f43239520', true], ['uuid', 'c757873d-ec9a-4326-a141-556f43239520', false],
  ['decimal', 1e300, true], ['decimal', Infinity, false], ['decimal', '1', false],
  ['string', 'x'.repeat(1_048_576), true], ['string', 'x'.repeat(1_048_577), false],
  ['base64Binary', '', false], ['base64Binary', 'YQ==', true], ['base64Binary', 'YQ=', false], ['base64Binary', '====', false],
  ['uri', 'uuid:1', false], ['uri', 'x', true],
])('%s', (name, value, expected) => {
  expect(PRIMITIVES.get(name)!.test(value)).toBe(expected);
});
