// The matrix is worth something only if it fails where a rule does: each rule is taken away in turn, and its cells must then differ.
import type { Grant } from '../../src/search/grant.js';
import { differing, EXPECTED_ROWS, startMatrix, type Cell, type Matrix } from './cells.js';
import { createFurtherRoads, type FurtherRoads } from './further-roads.js';

/** What is wrong with every Grant at the moment. */
let leak: Partial<Grant> | ((grant: Grant) => Partial<Grant>) = {};

jest.mock('../../src/access/caller-grant.js', () => {
  const actual = jest.requireActual<{ createGrant(...given: unknown[]): Grant }>('../../src/access/caller-grant.js');
  return {
    createGrant(...given: unknown[]): Grant {
      const grant = actual.createGrant(...given);
      return new Proxy(grant, {
        get(target, member: keyof Grant) {
          const wrong = typeof leak === 'function' ? leak(target) : leak;
          return wrong[member] ?? target[member];
        },
      });
    },
  };
});

let matrix: Matrix;
let further: FurtherRoads;

beforeAll(async () => {
  matrix = await startMatrix();
  further = createFurtherRoads(matrix.ground);
});
afterAll(() => matrix.server.close());
afterEach(() => { leak = {}; });

/** Rows of one type open to all. */
const opened = (type: string) => (grant: Grant): Partial<Grant> => ({ rows: (asked) => (asked === type ? { kind: 'all' } : grant.rows(asked)) });

test.each(EXPECTED_ROWS)('%s: all rows of %s', async (bearer, type) => {
  leak = opened(type);
  expect(await differing([...matrix.reads(bearer, type), ...matrix.searches(bearer, type)])).not.toEqual([]);
});

/** Each road by itself: one that leads past the Grant would otherwise hide behind the others. */
const ROADS: readonly (readonly [road: string, bearer: string, type: string, cells: (bearer: string, type: string) => Cell[]])[] = [
  ...['XML', 'XML vread', '_format=xml', 'XML search'].map((road) => [road, 'commissioner', 'Claim', (bearer: string, type: string) => further.formats(bearer, type)] as const),
  ...['file */*', 'file application/pdf', 'file */*/_history/1'].map((road) => [road, 'nominee', 'Binary', (bearer: string, type: string) => further.formats(bearer, type)] as const),
  ['Patient/ada/Claim', 'commissioner', 'Claim', (bearer, type) => further.compartments(bearer, type)], ['Patient/ada/CarePlan', 'nominee', 'CarePlan', (bearer, type) => further.compartments(bearer, type)],
  ...['reference by criteria', 'reference by criteria in a transaction'].flatMap((road) => [['ada', 'Claim'], ['commissioner', 'Account'], ['ovm', 'Observation'], ['homeOffice', 'Binary']].map(([bearer = '', type = '']) => [road, bearer, type, (b: string, t: string) => further.criteria(b, t)] as const)),
  ...[['ada', 'Claim'], ['coordinator', 'CarePlan'], ['practice', 'Task']].map(([bearer = '', type = '']) => ['PATCH by criteria', bearer, type, (b: string, t: string) => further.criteria(b, t)] as const),
];

test.each(ROADS)('%s, %s: all rows of %s', async (road, bearer, type, cellsOf) => {
  const cells = cellsOf(bearer, type).filter(({ name }) => name === road || name.replace(/ \S+$/, '') === road);
  expect(cells.length).toBeGreaterThan(0);
  leak = opened(type);
  expect(await differing(cells)).not.toEqual([]);
});

test('CDS Hooks: a status for everybody', async () => {
  leak = { allows: () => true };
  expect(await differing(further.hooks('commissioner'))).not.toEqual([]);
});

test.each([['ada', 'Claim'], ['coordinator', 'Claim'], ['manager', 'Claim'], ['nominee', 'DocumentReference'], ['isf', 'DocumentReference']])('%s: writes of %s that nobody judges', async (bearer, type) => {
  leak = { judges: false, ownIds: () => false };
  expect(await differing(matrix.writes(bearer, type))).not.toEqual([]);
});

test('without a leak the same cells hold', async () => {
  expect(await differing([...matrix.reads('isf', 'Claim'), ...matrix.searches('isf', 'Claim'), ...matrix.writes('isf', 'Claim')])).toEqual([]);
});
