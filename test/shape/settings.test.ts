// The README's table of settings is the one that config.ts makes of its rows; `node scripts/settings.mjs` writes it.
import { settingsTable } from '../../src/config.js';
import { readText } from './sources.js';

const BETWEEN_MARKERS = /<!-- settings -->\n([\s\S]*?)\n<!-- \/?settings -->/;

test('the README shows the settings as they are', () => {
  expect(BETWEEN_MARKERS.exec(readText('README.md'))?.[1]?.trim()).toBe(settingsTable());
});
