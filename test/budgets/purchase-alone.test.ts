// A purchase that nothing has to be held for is one look and one statement: with the same rows as in a transaction, and refused as there.
import type { Statement } from '../../src/db/database.js';
import { errorCode } from '../domain/people.js';
import { gbp } from '../domain/budgets.js';
import { balanceOf, ledgerOf, opened, parties, purchaseBody, record, type Opened } from '../domain/purchases.js';
import { startServer, type TestServer } from '../server.js';

let server: TestServer;
let known: { owner: string; provider: string };
beforeAll(async () => {
  server = await startServer();
  known = await parties(server);
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => server.close());

const till = (value: string): object => ({ identifier: [{ system: 'https://shop.example/till', value }] });
const ofShape = async (text: string, account: string): Promise<unknown> => (await server.database.query({ text, values: [account] })).rows;

/** The names of the statements that store a Claim outside a transaction, as they come. */
function storedAlone(afterLook: () => Promise<unknown> = () => Promise.resolve()): string[] {
  const names: string[] = [];
  const query = server.database.query.bind(server.database);
  let looked = false;
  jest.spyOn(server.database, 'query').mockImplementation((async (statement: Statement) => {
    const answer = await query(statement);
    if (statement.name?.startsWith('create one Claim')) names.push(statement.name);
    if (statement.text.includes('select t.res, b.account') && !looked) {
      looked = true;
      await afterLook();
    }
    return answer;
  }));
  return names;
}

/** All rows that a purchase makes or changes, without what is each one's own. */
const rowsOf = async ({ account }: Opened): Promise<unknown> => [
  await ofShape('select number, amount, allocated, committed, spent, disbursed, available_after, kind, actor, role, organization, item, notice, provenance is null as unrecorded, reverses, claim is null as unclaimed, at > 0 as timed from fhir.ledger where account = $1 order by number', account),
  await ofShape('select allocated, committed, spent, disbursed, entries, first_paid, state, posted = (select max(at) from fhir.ledger e where e.account = b.account) as posted from fhir.budget_account b where account = $1', account),
  await ofShape('select allocated, committed, spent, disbursed, ended from fhir.budget_line where account = $1', account),
  await ofShape('select committed, paid, refunded from fhir.claim_commitment where account = $1', account),
  await ofShape('select i.item, i.net, i.total, i.active, i.quantity::text from fhir.purchase_item i join fhir.claim_commitment c on c.claim = i.claim where c.account = $1', account),
  await ofShape('select regexp_replace(k.key, \'[0-9]+\', \'\') as key from fhir.purchase_key k join fhir.claim_commitment c on c.claim = k.claim where c.account = $1', account),
];

it('makes the same rows as in a transaction', async () => {
  const [alone, inside] = [await opened(server, known), await opened(server, known)];
  const names = storedAlone();
  expect((await record(server, purchaseBody({ ...alone, rest: till('1') }))).status).toBe(201);
  expect(names).toEqual([expect.stringMatching(/ bought/)]);
  // A write with X-Request-ID has a transaction, for its key.
  const body = purchaseBody({ ...inside, rest: till('2') });
  expect((await server.send('POST', 'Claim', { token: server.tokens.admin, body, headers: { 'x-request-id': 'e7a1a7c2-4cf9-4f5d-9b7d-52f1b46a0001' } })).status).toBe(201);
  expect(names).toHaveLength(1);
  expect(await rowsOf(alone)).toEqual(await rowsOf(inside));
  expect(await ledgerOf(server, alone.account)).toEqual([['allocation', 1_200_000], ['commit', 3000]]);
});

it('is a draft that reserves nothing, and holds its identifier', async () => {
  const on = await opened(server, known);
  const names = storedAlone();
  expect((await record(server, purchaseBody({ ...on, status: 'draft', rest: till('3') }))).status).toBe(201);
  expect(names).toEqual([expect.stringMatching(/ keys/)]);
  expect(await ledgerOf(server, on.account)).toEqual([['allocation', 1_200_000]]);
  for (const status of ['draft', 'active']) expect([status, (await record(server, purchaseBody({ ...on, status, rest: till('3') }))).status]).toEqual([status, 409]);
  expect(await balanceOf(server, on.account)).toMatchObject({ committed: 0, available: 12000 });
});

it('takes an identifier once, whoever comes first', async () => {
  const on = await opened(server, known);
  const answers = await Promise.all(Array.from({ length: 8 }, () => record(server, purchaseBody({ ...on, rest: till('4') }))));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 7 }, () => 409)]);
  expect(await balanceOf(server, on.account)).toMatchObject({ committed: 30 });
});

it('never takes more than there is, however many come at once', async () => {
  const on = await opened(server, known, { lines: [{ amount: gbp(100) }] });
  const answers = await Promise.all(Array.from({ length: 24 }, () => record(server, purchaseBody({ ...on, amount: 12.5 }))));
  const made = answers.filter(({ status }) => status === 201);
  expect(made).toHaveLength(8);
  for (const answer of answers) if (!made.includes(answer)) expect([answer.status, errorCode(answer)]).toEqual([422, 'INSUFFICIENT_FUNDS']);
  expect(await balanceOf(server, on.account)).toMatchObject({ committed: 100, available: 0 });
  const { rows } = await server.database.query<{ number: number; available_after: number }>({ text: 'select number, available_after from fhir.ledger where account = $1 order by number', values: [on.account] });
  expect(rows.map((row) => [row.number, row.available_after])).toEqual(Array.from({ length: 9 }, (_, n) => [n + 1, 10_000 - n * 1250]));
});

describe('of a budget that changes after the look', () => {
  const changing = async (sql: string): Promise<{ readonly on: Opened; readonly answer: Awaited<ReturnType<typeof record>>; readonly names: string[] }> => {
    const on = await opened(server, known);
    const names = storedAlone(() => server.database.transaction((tx) => tx.query({ text: sql, values: [on.account] })));
    const answer = await record(server, purchaseBody({ ...on, rest: till(sql) }));
    return { on, answer, names };
  };

  it.each([
    ['is not active any more', 'update fhir.budget_account set state = \'on-hold\' where account = $1', 'ACCOUNT_NOT_ACTIVE'],
    ['has not enough any more', 'update fhir.budget_line set committed = allocated where account = $1', 'INSUFFICIENT_FUNDS'],
  ])('%s: nothing is stored', async (_, sql, code) => {
    const { on, answer, names } = await changing(sql);
    expect([answer.status, errorCode(answer), names]).toEqual([422, code, []]);
    expect(await ledgerOf(server, on.account)).toEqual([['allocation', 1_200_000]]);
    for (const table of ['claim_commitment where account = $1', 'purchase_key where $1::text is not null and key like \'%update%\'', 'purchase_item i where exists (select from fhir."Claim" c where c.id = i.claim and c.res like \'%\' || $1 || \'%\')']) {
      expect([table, await ofShape(`select from fhir.${table}`, on.account)]).toEqual([table, []]);
    }
    expect(await ofShape('select from fhir."Claim" where res like \'%\' || $1 || \'%\'', on.account)).toEqual([]);
  });
});

it('is in a transaction where its line may be overdrawn', async () => {
  const on = await opened(server, known, { policy: 'warn', lines: [{ amount: gbp(20) }] });
  const names = storedAlone();
  expect((await record(server, purchaseBody(on))).status).toBe(201);
  expect(names).toEqual([]);
  expect(await balanceOf(server, on.account)).toMatchObject({ committed: 30, available: -10 });
});
