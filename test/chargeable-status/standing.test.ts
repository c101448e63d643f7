import type { JsonObject, Resource } from '../../src/fhir/resource.js';
import { sameStanding, standingOf } from '../../src/chargeable-status/number/standing.js';

const NHS = 'https://fhir.nhs.uk/Id/nhs-number';
const patient = (rest: JsonObject, ...numbers: string[]): Resource =>
  ({ resourceType: 'Patient', identifier: numbers.map((value) => ({ system: NHS, value })), ...rest });

test('a Patient holds its numbers, each once', () => {
  expect(standingOf(patient({}, '9990000026', '9990000018', '9990000026'))).toEqual({ numbers: ['9990000018', '9990000026'], mode: 'held', shown: '9990000026', survivor: undefined });
});

test('an old number is held and not shown', () => {
  const both = { identifier: [{ system: NHS, value: '9990000018', use: 'old' }, { system: NHS, value: '9990000026' }] };
  expect(standingOf(patient(both))).toMatchObject({ numbers: ['9990000018', '9990000026'], shown: '9990000026' });
});

test('an inactive Patient frees them, and no Patient has none', () => {
  expect(standingOf(patient({ active: false }, '9990000018')).mode).toBe('free');
  expect(standingOf(undefined)).toEqual({ numbers: [], mode: 'free', shown: undefined, survivor: undefined });
});

test('a replaced Patient forwards them, inactive or not', () => {
  const link = [{ type: 'seealso', other: { reference: 'Patient/x' } }, { type: 'replaced-by', other: { reference: 'Patient/new' } }];
  expect(standingOf(patient({ link, active: false }, '9990000018'))).toMatchObject({ mode: 'forwarded', survivor: 'new' });
});

test('other systems and malformed identifiers are not NHS numbers', () => {
  expect(standingOf(patient({ identifier: [{ system: 'urn:x', value: '9990000018' }, 'nonsense', null] })).numbers).toEqual([]);
  expect(standingOf(patient({ identifier: 'nonsense' })).numbers).toEqual([]);
});

test('standings are the same only if numbers, mode and survivor are', () => {
  const one = standingOf(patient({}, '9990000018'));
  expect(sameStanding(one, standingOf(patient({ gender: 'female' }, '9990000018')))).toBe(true);
  expect(sameStanding(one, standingOf(patient({ active: false }, '9990000018')))).toBe(false);
  expect(sameStanding(one, standingOf(patient({}, '9990000026')))).toBe(false);
});
