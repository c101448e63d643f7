// P2.3: each category that an OVM gives has its one basic status, and nothing else is a category (domain.md 1.2, 2.2).
import { startServer, type TestServer } from '../server.js';
import { assess, assessed, assessmentBody, CATEGORY, codeOf, covered, evidence, numbers, reason, register, shownBy, statusOf, vmObservation } from './people.js';

let server: TestServer;
const newNumber = numbers(999_250_000);
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const AT = '2026-05-10T09:00:00+01:00';

// Each row has all three: jest hands a function that takes one more a callback to wait for.
test.each<[category: string, basic: string, needs: 'evidence' | 'reason' | undefined]>([
  ['A', 'N', undefined], ['B', 'N', undefined], ['C', 'N', 'evidence'], ['D', 'Y', undefined], ['E', 'N', 'reason'], ['F', 'Y', undefined],
  ['DECISION_PENDING', 'U', undefined], ['NONE', 'U', undefined],
])('category %s is %s on every surface', async (category, basic, needs) => {
  const number = newNumber();
  const id = await register(server, number);
  const extension = needs === 'evidence' ? [evidence(await covered(server, id, 'EHIC', '2030-01-01'))] : [reason('refugee')];
  await assessed(server, id, category, AT, needs && { extension });
  const answer = await statusOf(server, number);
  expect([codeOf(answer['basic']), codeOf(answer['category']), answer['lastUpdated']]).toEqual([basic, category, AT]);
  const { component } = await vmObservation(server, number);
  expect(component.map((one: any) => codeOf(one.valueCodeableConcept))).toEqual([basic, category]);
  const shown = await shownBy(server, id);
  expect([codeOf(shown?.['basic']), codeOf(shown?.['category']), shown?.['source']]).toEqual([basic, category, 'OVM']);
});

const badValues: [string, object | undefined][] = [
  ['G', { coding: [{ system: CATEGORY, code: 'G' }] }],
  ['a in lower case', { coding: [{ system: CATEGORY, code: 'a' }] }],
  ['the UK Core system', { coding: [{ system: 'https://fhir.hl7.org.uk/CodeSystem/UKCore-OverseasVisitorChargingCategory', code: 'A' }] }],
  ['no system', { coding: [{ code: 'A' }] }],
  ['two categories', { coding: [{ system: CATEGORY, code: 'A' }, { system: CATEGORY, code: 'F' }] }],
];
test.each(badValues)('with %s as its category is 422 code-invalid', async (_name, valueCodeableConcept) => {
  const number = newNumber();
  const { status, body } = await assess(server, assessmentBody(await register(server, number), 'A', AT, { valueCodeableConcept }));
  expect([status, body.issue[0].code, body.issue[0].expression]).toEqual([422, 'code-invalid', ['Observation.value']]);
  expect((await statusOf(server, number))['determined']).toBe(false);
});
