// The cells of the row rules are worth something only if they fail where a clause does: each is taken away in turn, and cells must then differ.
import type { Clauses } from '../../src/access/clauses.js';
import type { Grant } from '../../src/search/grant.js';
import { differing, startMatrix, typeOf, type Cell, type Matrix } from './cells.js';
import { ruleRowsOf } from './row-rule-rows.js';
import { asksOf, ruleSees } from './rule-cells.js';

/** What is wrong with the words that the rules are written in at the moment. */
let leak: (clauses: Clauses) => Partial<Clauses> = () => ({});

jest.mock('../../src/access/caller-grant.js', () => {
  type Create = (caller: unknown, rights: unknown, parts: { readonly clauses: Clauses }) => Grant;
  const actual = jest.requireActual<{ createGrant: Create }>('../../src/access/caller-grant.js');
  return {
    createGrant(...[caller, rights, parts]: Parameters<Create>): Grant {
      return new Proxy(actual.createGrant(caller, rights, parts), {
        // Made anew at each question: a Grant keeps its rows.
        get: (_kept, member: keyof Grant) => actual.createGrant(caller, rights, { ...parts, clauses: { ...parts.clauses, ...leak(parts.clauses) } })[member],
      });
    },
  };
});

let matrix: Matrix;

beforeAll(async () => { matrix = await startMatrix({ rowsOf: ruleRowsOf, sees: ruleSees, asksOfPeople: false }); });
afterAll(() => matrix.server.close());
afterEach(() => { leak = () => ({}); });

const cellsOf = (bearer: string, type: string): Cell[] =>
  [...matrix.reads(bearer, type), ...matrix.searches(bearer, type)].filter(({ name }) => /^(GET|vread|by id) /.test(name) && asksOf(bearer, name) && typeOf(name.slice(name.lastIndexOf(' ') + 1)) === type);

/** The clause of this word on this parameter holds of every row, or of none. */
const without = (word: keyof Clauses, type: string, code: string, kind: 'all' | 'none' = 'all') => (clauses: Clauses): Partial<Clauses> => {
  const asked = clauses[word] as (...given: unknown[]) => unknown;
  return { [word]: (...given: unknown[]) => (given[0] === type && given[1] === code ? { kind } : asked(...given)) };
};

const LEAKS: readonly (readonly [says: string, bearer: string, type: string, leak: typeof leak])[] = [
  ['teams of any status', 'coordinator', 'Claim', without('coded', 'CareTeam', 'status')], ['teams of anybody', 'broker', 'Account', without('names', 'CareTeam', 'participant')],
  ['plans of any status', 'coordinator', 'CarePlan', without('coded', 'CarePlan', 'status')], ['a nomination that is over', 'nominee', 'Account', ({ at }) => ({ at: (type, code, token) => at(type, code, token, Date.parse('2020-06-01')) })],
  ['a nomination that is to come', 'nominee', 'Claim', ({ at }) => ({ at: (type, code, token) => at(type, code, token, Date.parse('2100-06-01')) })],
  ['nominations of any state', 'nominee', 'Patient', ({ names }) => ({ at: (type, _code, token) => names(type, 'manager', token) })], ['nominations of anybody', 'nominee', 'Binary', without('at', 'Account', 'approved-manager')],
  ['any owner', 'commissioner', 'Account', without('to', 'Account', 'owner')], ['no organisation below', 'commissioner', 'Account', () => ({ below: (_type, _code, where) => where })],
  ['no organisation below, to a manager', 'manager', 'Claim', () => ({ below: (_type, _code, where) => where })], ['any role of an organisation', 'commissioner', 'Patient', without('coded', 'Organization', 'type')],
  ['any practice', 'practice', 'Patient', without('to', 'Patient', 'general-practitioner')], ['any managing organisation', 'commissioner', 'Patient', without('to', 'Patient', 'organization')],
  ['evidence of entitlement', 'coordinator', 'Coverage', without('coded', 'Coverage', 'type')], ['Observations of any code', 'coordinator', 'Observation', without('coded', 'Observation', 'code')],
  ['claims of no budget', 'ada', 'Claim', without('has', 'Claim', 'budget')], ['tasks of any code', 'ada', 'Task', without('coded', 'Task', 'code')], ['tasks of any code, to a commissioner', 'commissioner', 'Task', without('coded', 'Task', 'code')],
  ['joint claims that others pay', 'commissioner', 'Claim', without('to', 'Coverage', 'payor')], ['joint claims as if they were the owner\'s', 'commissioner', 'Claim', without('coded', 'Account', 'type', 'none')], ['coverage that others pay', 'commissioner', 'Coverage', without('to', 'Coverage', 'payor')],
  ['claims on any line', 'isf', 'Claim', without('held', 'Claim', 'purchase-line')], ['lines of any holder', 'isf', 'Account', without('to', 'Account', 'line-holder')],
  ['tasks of any practice', 'practice', 'Task', without('to', 'Task', 'owner')], ['tasks about anybody', 'practice', 'Task', without('to', 'Task', 'patient')], ['documents that nothing cites', 'coordinator', 'DocumentReference', without('names', 'DocumentReference', 'author')],
  ['files that nothing cites', 'ada', 'Binary', without('names', 'Binary', 'security-context')], ['documents of any claim', 'isf', 'DocumentReference', without('from', 'Claim', 'evidence')],
  ['payments of any claim', 'isf', 'PaymentNotice', without('to', 'PaymentNotice', 'request')], ['plans that no budget links', 'commissioner', 'CarePlan', without('from', 'Account', 'careplan')],
  ['Provenance of anything', 'commissioner', 'Provenance', without('to', 'Provenance', 'target')], ['anybody\'s accounts', 'ada', 'Account', without('names', 'Account', 'patient')], ['anybody\'s events', 'commissioner', 'AuditEvent', without('to', 'AuditEvent', 'patient')],
];

test.each(LEAKS)('%s: seen by %s, of %s', async (_says, bearer, type, planted) => {
  const cells = cellsOf(bearer, type);
  expect(await differing(cells)).toEqual([]);
  leak = planted;
  expect(await differing(cells)).not.toEqual([]);
});
