// Every reason by which the rules of budgets refuse (CodeSystem business-error) is given by some rule, and met by some test through the front door.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const textsIn = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts')).map((name) => readFileSync(join(folder, name), 'utf8'));
const { concept } = JSON.parse(readFileSync('terminology/business-error.code-system.json', 'utf8')) as { concept: readonly { code: string }[] };
const codes = concept.map(({ code }) => code);
const sources = textsIn('src');
const tests = [...textsIn('test/domain'), ...textsIn('test/api'), ...textsIn('test/access')];

test('there are codes', () => { expect(codes).toContain('INSUFFICIENT_FUNDS'); });

test.each(codes)('%s is given by a rule and met by a test', (code) => {
  const named = (text: string): boolean => new RegExp(`\\b${code}\\b`).test(text);
  expect([sources.some((text) => text.includes(`'${code}'`)), tests.some(named)]).toEqual([true, true]);
});

test('no rule gives a code that the code system has not', () => {
  const given = sources.flatMap((text) => [...text.matchAll(/businessError\('([A-Z_]+)'\)/g)].map(([, code]) => code));
  expect(given.length).toBeGreaterThan(codes.length);
  expect(given.filter((code) => code === undefined || !codes.includes(code))).toEqual([]);
});
