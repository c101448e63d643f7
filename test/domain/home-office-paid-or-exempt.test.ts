// P1.2a: who has paid the surcharge or is exempt from it is N, category B, from the date that the Home Office says (domain.md 2.2).
import { startServer, type TestServer } from '../server.js';
import { codeOf, deliver, newKey, numbers, register, shownBy, state, statementBody, statusOf, vmObservation, vmSearch } from './people.js';

let server: TestServer;
const newNumber = numbers(999_210_000);
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const AT = '2026-04-01T00:00:00Z';
const minutesAhead = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString();

test('the answer is N and category B on every surface, with the date of the Home Office', async () => {
  const number = newNumber();
  const id = await register(server, number);
  await state(server, number, 'paid-or-exempt', AT);
  const answer = await statusOf(server, number);
  expect([answer['determined'], codeOf(answer['basic']), codeOf(answer['category']), answer['lastUpdated']]).toEqual([true, 'N', 'B', AT]);
  const { component, effectiveDateTime } = await vmObservation(server, number);
  expect([effectiveDateTime, ...component.map((one: any) => codeOf(one.valueCodeableConcept))]).toEqual([AT, 'N', 'B']);
  const shown = await shownBy(server, id);
  expect([codeOf(shown?.['basic']), codeOf(shown?.['category']), shown?.['lastUpdated'], shown?.['source']]).toEqual(['N', 'B', AT, 'HO']);
});

test('of the future is 422, and changes nothing', async () => {
  const number = newNumber();
  await register(server, number);
  const { status, body } = await deliver(server, statementBody(number, 'paid-or-exempt', minutesAhead(7), newKey()));
  expect([status, body.issue[0].expression]).toEqual([422, ['Observation.effective']]);
  expect((await vmSearch(server, number)).body.total).toBe(0);
});

test('of a clock that runs a little ahead is taken', async () => {
  const number = newNumber();
  await register(server, number);
  const at = minutesAhead(4);
  await state(server, number, 'paid-or-exempt', at);
  expect((await statusOf(server, number))['lastUpdated']).toBe(at);
});
