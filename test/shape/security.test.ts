// SECURITY.md names the test that holds each promise: a promise without one, or a test that is gone, is found here.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readText } from './sources.js';

const promises = readText('SECURITY.md').split('## What is promised')[1]?.split('\n').filter((line) => line.startsWith('|') && !/^\| (promise|---)|^\|---/.test(line)) ?? [];

test('there are promises', () => { expect(promises.length).toBeGreaterThan(20); });

test.each(promises)('%s', (line) => {
  const named = [...line.matchAll(/`(test\/[^`]+)`/g)].map(([, path]) => path ?? '');
  expect(named.length).toBeGreaterThan(0);
  for (const path of named) expect([path, existsSync(join(__dirname, '../..', path))]).toEqual([path, true]);
});
