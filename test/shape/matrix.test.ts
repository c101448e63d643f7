// SECURITY.md prints the matrix that the code reads; `node scripts/matrix.mjs` writes it.
import { matrixTable } from '../../src/access/matrix-table.js';
import { readText } from './sources.js';

const BETWEEN_MARKERS = /<!-- matrix -->\n([\s\S]*?)\n<!-- \/matrix -->/;

test('SECURITY.md shows the matrix as it is', () => {
  expect(BETWEEN_MARKERS.exec(readText('SECURITY.md'))?.[1]).toBe(matrixTable());
});
