// Each bullet of the chargeable status has a black-box test of its own, whose first line names it (domain.md 2.2).
import { filesUnder, readText } from './sources.js';

const BULLETS: Readonly<Record<string, string>> = {
  'P1.1': 'home-office',
  'P1.2a': 'home-office-paid-or-exempt',
  'P1.2b': 'home-office-likely-chargeable',
  'P1.2c': 'home-office-british-citizen',
  'P2.1': 'ovm-sharing',
  'P2.2': 'ovm-evidence',
  'P2.3': 'ovm-categories',
  'P2.4': 'unassessed-patients',
  'P3.1': 'vm-surface',
  'P3.2': 'supplier-read-only',
  'P3.3': 'applies-to-identified',
  P4: 'additional-feeds',
  P5: 'hospital-system',
};

const files = filesUnder('test/domain', /\.test\.ts$/);

test.each(Object.entries(BULLETS))('%s is tested by %s', (bullet, name) => {
  const path = `test/domain/${name}.test.ts`;
  expect(files).toContain(path);
  const [first] = readText(path).split('\n');
  expect(first).toMatch(new RegExp(`^// ${bullet.replace('.', '\\.')}: `));
  expect(readText(path)).toMatch(/^ *test[.(]/m);
});

test('no two bullets share a file', () => {
  expect(new Set(Object.values(BULLETS)).size).toBe(Object.keys(BULLETS).length);
});
