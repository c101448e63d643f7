// Writes the matrix of roles into SECURITY.md, between its <!-- matrix --> markers.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import './build.mjs';

const SECURITY = fileURLToPath(new URL('../SECURITY.md', import.meta.url));
const { matrixTable } = await import('../dist/access/matrix-table.js');
const text = readFileSync(SECURITY, 'utf8');
const BETWEEN_MARKERS = /(<!-- matrix -->\n)[\s\S]*?(<!-- \/matrix -->)/;
if (!BETWEEN_MARKERS.test(text)) throw new Error('SECURITY.md has no <!-- matrix --> markers');
writeFileSync(SECURITY, text.replace(BETWEEN_MARKERS, (_, before, after) => `${before}${matrixTable()}\n${after}`));
