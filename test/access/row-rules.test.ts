// The row rules one by one: whose rows, in which states and periods, each cell of expected-row-rules.ts an HTTP request.
import { differing, startMatrix, type Matrix } from './cells.js';
import { RULES } from './expected-row-rules.js';
import { ruleRowsOf } from './row-rule-rows.js';
import { caseOf, partsOf, ruleSees } from './rule-cells.js';

/** What these leave out, matrix.test.ts asks of every row of its own. */
const ROADS = /^(GET|vread|history|batch|summary|by id|count by id) /;

let matrix: Matrix;

beforeAll(async () => { matrix = await startMatrix({ rowsOf: ruleRowsOf, sees: ruleSees, asksOfPeople: false }); });
afterAll(() => matrix.server.close());

describe.each(RULES)('$says', ({ bearers, seen, hidden }) => {
  test.each(bearers)('%s', async (bearer) => {
    const cells = [...matrix.reads(bearer), ...matrix.searches(bearer)].filter(({ name }) => ROADS.test(name) && [...seen, ...hidden].includes(caseOf(name)));
    expect(cells.length).toBeGreaterThan(100);
    expect(await differing(cells)).toEqual([]);
  });
});

test('a case that is made is asked for', () => {
  const asked = new Set(RULES.flatMap(({ seen, hidden }) => [...seen, ...hidden]));
  const made = new Set(matrix.ground.of().map(([key]) => partsOf(key)[0]));
  expect([...made].filter((one) => !asked.has(one)).sort()).toEqual(['beside', 'far-below']);
  expect([...asked].filter((one) => !made.has(one))).toEqual([]);
});
