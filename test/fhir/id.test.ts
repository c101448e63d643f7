import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { FhirError } from '../../src/fhir/errors.js';
import { createIds, isId, requireId } from '../../src/fhir/id.js';

test.each(['a', '.', '-', 'A.b-9', 'x'.repeat(64)])('%s is an id', (text) => {
  expect(isId(text)).toBe(true);
  expect(requireId(text)).toBe(text);
});

test.each(['', 'x'.repeat(65), 'a_b', 'a b', 'é', 'a/b', 'a\n', '１'])('%j is none', (text) => {
  expect(isId(text)).toBe(false);
  expect(() => requireId(text)).toThrow(FhirError);
});

test('new ids are UUIDs of version 7 that carry the clock and are ids of FHIR', () => {
  const id = createIds(() => 0x0198f1c2a3b4, randomBytes)();
  expect(id).toMatch(/^0198f1c2-a3b4-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(isId(id)).toBe(true);
});

test('each new id is greater than the one before, whatever the clock does', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 300 }), (times) => {
    let call = 0;
    const next = createIds(() => times[call++ % times.length]!, randomBytes);
    let last = '';
    for (let made = 0; made < 600; made++) {
      const id = next();
      expect(id > last).toBe(true);
      last = id;
    }
  }), { numRuns: 20 });
});

test('ten thousand ids of one millisecond are in order and differ in their random part', () => {
  const next = createIds(() => 1_795_262_400_000, randomBytes);
  const ids = Array.from({ length: 10_000 }, next);
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids.map((id) => id.slice(19))).size).toBe(10_000);
});

test('random bytes are used once each', () => {
  let byte = 0;
  const next = createIds(() => 1, (size) => Uint8Array.from({ length: size }, () => byte++ & 0xff));
  expect(next()).toBe('00000000-0001-7000-8102-030405060708');
  expect(next()).toBe('00000000-0001-7001-8a0b-0c0d0e0f1011');
});
