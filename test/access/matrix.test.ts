// Every role, every type, every road: each cell of expected-matrix.ts is an HTTP request. https://hl7.org/fhir/R4/security.html
import { rowCounts } from '../api/row-counts.js';
import { BEARERS, differing, startMatrix, type Matrix } from './cells.js';
import { createFurtherRoads, type FurtherRoads } from './further-roads.js';

let matrix: Matrix;
let further: FurtherRoads;

beforeAll(async () => {
  matrix = await startMatrix();
  further = createFurtherRoads(matrix.ground);
});
afterAll(() => matrix.server.close());

describe.each(BEARERS)('%s', (bearer) => {
  test('reads what is to be seen, on every road, and nothing else', async () => { expect(await differing(matrix.reads(bearer))).toEqual([]); });
  test('is told of a hidden row in the words for one that never was', async () => { expect(await differing(matrix.absences(bearer))).toEqual([]); });
  test('finds, sorts and counts the same rows', async () => { expect(await differing(matrix.searches(bearer))).toEqual([]); });
  test('learns nothing by _has, chains and includes', async () => { expect(await differing(matrix.oracles(bearer))).toEqual([]); });
  test('reads the same as XML and as files', async () => { expect(await differing(further.formats(bearer))).toEqual([]); });
  test('learns nothing by compartments, criteria in references and patches, and CDS Hooks', async () => {
    expect(await differing([...further.compartments(bearer), ...further.criteria(bearer), ...further.hooks(bearer)])).toEqual([]);
  });

  test('writes no rows but its own, by any method', async () => {
    const before = await rowCounts(matrix.server);
    expect(await differing(matrix.writes(bearer))).toEqual([]);
    // A write by criteria leaves the key that two of the same wait for each other by.
    expect({ ...(await rowCounts(matrix.server)), resource_key: 0 }).toEqual({ ...before, resource_key: 0 });
  });
});
