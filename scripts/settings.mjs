// Writes the table of settings into the README, between its <!-- settings --> markers.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import './build.mjs';

const README = fileURLToPath(new URL('../README.md', import.meta.url));
const { settingsTable } = await import('../dist/config.js');
const text = readFileSync(README, 'utf8');
const BETWEEN_MARKERS = /(<!-- settings -->\n)[\s\S]*?(<!-- \/?settings -->)/;
if (!BETWEEN_MARKERS.test(text)) throw new Error('README.md has no <!-- settings --> markers');
writeFileSync(README, text.replace(BETWEEN_MARKERS, (_, before, after) => `${before}${settingsTable()}\n${after}`));
