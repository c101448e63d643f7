// The matrix is worth something only if it fails where a rule does: each rule is taken away in turn, and its cells must then differ.
import type { Grant } from '../../src/search/grant.js';
import { differing, EXPECTED_ROWS, startMatrix, type Matrix } from './cells.js';

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

beforeAll(async () => { matrix = await startMatrix(); });
afterAll(() => matrix.server.close());
afterEach(() => { leak = {}; });

/** Rows of one type open to all. */
const opened = (type: string) => (grant: Grant): Partial<Grant> => ({ rows: (asked) => (asked === type ? { kind: 'all' } : grant.rows(asked)) });

test.each(EXPECTED_ROWS)('%s: all rows of %s', async (bearer, type) => {
  leak = opened(type);
  expect(await differing([...matrix.reads(bearer, type), ...matrix.searches(bearer, type)])).not.toEqual([]);
});

test.each([['ada', 'Claim'], ['coordinator', 'Claim'], ['manager', 'Claim'], ['nominee', 'DocumentReference'], ['isf', 'DocumentReference']])('%s: writes of %s that nobody judges', async (bearer, type) => {
  leak = { judges: false, ownIds: () => false };
  expect(await differing(matrix.writes(bearer, type))).not.toEqual([]);
});

test('without a leak the same cells hold', async () => {
  expect(await differing([...matrix.reads('isf', 'Claim'), ...matrix.searches('isf', 'Claim'), ...matrix.writes('isf', 'Claim')])).toEqual([]);
});
