// The doctor finds every way in which money could stop adding up, and names the budget.
import { examineBudgets } from '../../src/budgets/doctor.js';
import { budgetBody, linesOf, open, organization, person } from '../domain/budgets.js';
import { startServer, type TestServer } from '../server.js';

let server: TestServer;
let account: string;
let line: string;
beforeAll(async () => {
  server = await startServer();
  const owner = await organization(server, 'QWE');
  const { body } = await open(server, budgetBody({ patient: await person(server), owner }));
  account = body.id;
  line = linesOf(body)[0]!.lineId;
  await open(server, budgetBody({ patient: await person(server), owner }));
});
afterAll(() => server.close());

const change = (text: string): Promise<unknown> => server.database.query({ text, values: [] });

it('finds nothing where everything adds up', async () => {
  expect(await examineBudgets(server.database)).toEqual({ budgets: 2, differences: [] });
});

it.each([
  ['a line', () => `update fhir.budget_line set spent = spent + 1 where account = '${account}'`, `update fhir.budget_line set spent = 0`, 'ledger'],
  ['the totals of a budget', () => `update fhir.budget_account set committed = 5 where account = '${account}'`, `update fhir.budget_account set committed = 0`, 'totals'],
  ['a balance of the ledger', () => `update fhir.ledger set available_after = available_after + 1 where account = '${account}'`, `update fhir.ledger set available_after = available_after - 1 where available_after > 1200000`, 'balance'],
  ['a missing row', () => `update fhir.budget_account set entries = 2 where account = '${account}'`, `update fhir.budget_account set entries = 1`, 'rows'],
  ['a claim', () => `insert into fhir.claim_commitment (account, claim, line, committed) values ('${account}', 'c', '${line}', 1)`, `delete from fhir.claim_commitment`, 'Claim/c'],
  ['the Account', () => `update fhir."Account" set res = replace(res, '12000', '12001') where id = '${account}'`, `update fhir."Account" set res = replace(res, '12001', '12000')`, 'shows £12001.00'],
])('finds %s that is wrong', async (_words, wrong, right, says) => {
  await change(wrong());
  const { differences } = await examineBudgets(server.database);
  expect(differences).toContainEqual({ account, text: expect.stringContaining(says) });
  expect(new Set(differences.map((one) => one.account))).toEqual(new Set([account]));
  await change(right);
  expect((await examineBudgets(server.database)).differences).toEqual([]);
});
