// P1.2c: who has become a British citizen is N without a category, until an Overseas Visitors Manager finds otherwise (domain.md 2.2).
import { startServer, type TestServer } from '../server.js';
import { assessed, codeOf, numbers, register, shownBy, state, statusOf, vmObservation } from './people.js';

let server: TestServer;
const newNumber = numbers(999_230_000);
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const AT = '2026-04-01T00:00:00Z';

test('the answer is N and no category, not A on every surface, with the date of the Home Office', async () => {
  const number = newNumber();
  const id = await register(server, number);
  await state(server, number, 'british-citizen', AT);
  const answer = await statusOf(server, number);
  expect([answer['determined'], codeOf(answer['basic']), codeOf(answer['category']), answer['lastUpdated']]).toEqual([true, 'N', undefined, AT]);
  const { component, effectiveDateTime } = await vmObservation(server, number);
  expect([effectiveDateTime, ...component.map((one: any) => codeOf(one.valueCodeableConcept))]).toEqual([AT, 'N']);
  const shown = await shownBy(server, id);
  expect([codeOf(shown?.['basic']), codeOf(shown?.['category']), shown?.['lastUpdated'], shown?.['source']]).toEqual(['N', undefined, AT, 'HO']);
});

test('a later assessment of category D, of one who lives abroad, wins', async () => {
  const number = newNumber();
  const id = await register(server, number);
  await state(server, number, 'british-citizen', AT);
  await assessed(server, id, 'D', '2026-05-10T09:00:00+01:00');
  expect(await statusOf(server, number)).toMatchObject({ basic: { code: 'Y' }, category: { code: 'D' }, lastUpdated: '2026-05-10T09:00:00+01:00' });
});

test('an earlier one does not', async () => {
  const number = newNumber();
  const id = await register(server, number);
  await state(server, number, 'british-citizen', AT);
  await assessed(server, id, 'D', '2026-03-31T09:00:00+01:00');
  const answer = await statusOf(server, number);
  expect([codeOf(answer['basic']), codeOf(answer['category']), answer['lastUpdated']]).toEqual(['N', undefined, AT]);
});
