// P1.2b: who is likely chargeable is Y without a category, and the Home Office can't choose one (domain.md 2.2).
import { startServer, type TestServer } from '../server.js';
import { BASE, CATEGORY, codeOf, deliver, newKey, numbers, register, shownBy, state, statementBody, statusOf, vmObservation } from './people.js';

let server: TestServer;
const newNumber = numbers(999_220_000);
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const AT = '2026-04-01T00:00:00Z';

test('the answer is Y and no category on every surface, with the date of the Home Office', async () => {
  const number = newNumber();
  const id = await register(server, number);
  await state(server, number, 'likely-chargeable', AT);
  const answer = await statusOf(server, number);
  expect([answer['determined'], codeOf(answer['basic']), codeOf(answer['category']), answer['lastUpdated']]).toEqual([true, 'Y', undefined, AT]);
  const { component, effectiveDateTime } = await vmObservation(server, number);
  expect([effectiveDateTime, ...component.map((one: any) => codeOf(one.valueCodeableConcept))]).toEqual([AT, 'Y']);
  const shown = await shownBy(server, id);
  expect([codeOf(shown?.['basic']), codeOf(shown?.['category']), shown?.['lastUpdated'], shown?.['source']]).toEqual(['Y', undefined, AT, 'HO']);
});

const HO_STATUS = `${BASE}/CodeSystem/ho-status`;
test.each<[name: string, rest: object, expression: string]>([
  ['as its value', { valueCodeableConcept: { coding: [{ system: CATEGORY, code: 'F' }] } }, 'Observation.value'],
  ['beside its value', { valueCodeableConcept: { coding: [{ system: HO_STATUS, code: 'likely-chargeable' }, { system: CATEGORY, code: 'F' }] } }, 'Observation.value'],
  ['as a component', { component: [{ code: { text: 'category' }, valueCodeableConcept: { coding: [{ system: CATEGORY, code: 'F' }] } }] }, 'Observation.component'],
])('a category %s is 422, and changes nothing', async (_name, rest, expression) => {
  const number = newNumber();
  await register(server, number);
  const { status, body } = await deliver(server, statementBody(number, 'likely-chargeable', AT, newKey(), rest));
  expect([status, body.issue[0].expression]).toEqual([422, [expression]]);
  expect((await statusOf(server, number))['determined']).toBe(false);
});
