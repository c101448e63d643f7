import { EvaluationError } from '../../src/fhirpath/expression.js';
import { matches, replaceMatches } from '../../src/fhirpath/guarded-regex.js';

test.each([
  ['abc', 'b', false, true],
  ['abc', 'b', true, false],
  ['a\nb', 'a.b', true, true],
  ['a-b', '^[a-z\\-\\@]+$', false, true],
  ['é', '^\\p{L}$', false, true],
])('%j %s', (text, pattern, whole, found) => {
  expect(matches(text, pattern, whole)).toBe(found);
});

test.each([
  ['repeats within repeats', '(a+)+$'],
  ['a choice within a repeat', '(a|a)*$'],
  ['an optional part within a repeat', '(a?a?){30}$'],
  ['a look-ahead', '(?=(a+))*b\\1*$|(a*)*$'],
  ['many repeats in a row', 'a*a*a*a*a*a*b'],
])('%s ends in time', (_, pattern) => {
  const start = performance.now();
  const text = `${'a'.repeat(5000)}!`;
  try {
    expect(matches(text, pattern, false)).toBe(false);
  } catch (error) {
    expect(error).toBeInstanceOf(EvaluationError);
  }
  expect(performance.now() - start).toBeLessThan(2000);
});

test('and so does a replacement', () => {
  expect(() => replaceMatches(`${'a'.repeat(60)}!`, '(a+)+$', 'x')).toThrow(EvaluationError);
  expect(replaceMatches('aXbX', 'X', '$$')).toBe('a$b$');
});

test.each(['(', '[z-a]', 'a'.repeat(3000)])('no pattern: %.20s', (pattern) => {
  expect(() => matches('a', pattern, false)).toThrow(EvaluationError);
});

test('a text beyond a million characters is refused', () => {
  expect(() => matches('a'.repeat(1_100_000), 'b', false)).toThrow(EvaluationError);
});
