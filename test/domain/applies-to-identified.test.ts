// P3.3: the answer is of identified or assessed patients alone; that there is no record is a success, and 404 is of unknown patients only (domain.md 1.5, 2.2).
import { startServer, type TestServer } from '../server.js';
import { assessed, codeOf, errorCode, NHS, numbers, register, state, statusOf, vmSearch } from './people.js';

let server: TestServer;
const newNumber = numbers(999_240_000);
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const operation = (number: string) => server.send('GET', `Patient/$chargeable-status?identifier=${NHS}|${number}`, { token: server.tokens.supplier });

test('of a patient without a record: 200, no match and NO_RECORD_FOUND; not determined', async () => {
  const number = newNumber();
  await register(server, number);
  const { status, body } = await vmSearch(server, number);
  expect([status, body.type, body.total, body.entry.length]).toEqual([200, 'searchset', 0, 1]);
  const { search, resource } = body.entry[0];
  expect([search.mode, resource.resourceType, resource.issue[0].details.coding[0].code]).toEqual(['outcome', 'OperationOutcome', 'NO_RECORD_FOUND']);
  expect(['warning', 'information']).toContain(resource.issue[0].severity);
  expect(await statusOf(server, number)).toMatchObject({ determined: false, basic: { code: 'U' } });
});

test('of one whom the Home Office has identified, and of one whom an OVM has assessed: one match', async () => {
  const [identified, seen] = [newNumber(), newNumber()];
  await register(server, identified);
  await state(server, identified, 'likely-chargeable', '2026-04-01T00:00:00Z');
  await assessed(server, await register(server, seen), 'A', '2026-04-01T00:00:00Z');
  for (const [number, basic] of [[identified, 'Y'], [seen, 'N']] as const) {
    expect((await vmSearch(server, number)).body.total).toBe(1);
    expect(codeOf((await statusOf(server, number))['basic'])).toBe(basic);
  }
});

test.each(['9990000019', '9900002831', '1234567890', '0000000000', '999 000 0018', '123'])('the impossible number %s is 400 INVALID_NHS_NUMBER', async (number) => {
  for (const answer of [await vmSearch(server, number), await operation(number)]) expect([answer.status, errorCode(answer)]).toEqual([400, 'INVALID_NHS_NUMBER']);
});

test('a number that nobody holds is 404 PATIENT_NOT_FOUND', async () => {
  for (const number of [newNumber(), '1111111111', '9111231130'])
    for (const answer of [await vmSearch(server, number), await operation(number)]) expect([answer.status, errorCode(answer)]).toEqual([404, 'PATIENT_NOT_FOUND']);
});
