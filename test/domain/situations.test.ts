// Whom the status applies to: only patients identified by the Home Office or assessed by an OVM (domain.md 1.5).
import { startServer, type TestServer } from '../server.js';
import { assessed, codeOf, errorCode, NHS, numbers, register, shownBy, state, statusOf, vmObservation, vmSearch } from './people.js';

let server: TestServer;
const newNumber = numbers(999_200_000);
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const operation = (number: string) => server.send('GET', `Patient/$chargeable-status?identifier=${NHS}|${number}`, { token: server.tokens.supplier });

describe('on both surfaces', () => {
  test.each(['9990000019', '9900002831', '1234567890', '0000000000', '999 000 0018', '123'])('the impossible number %s is 400 INVALID_NHS_NUMBER', async (number) => {
    for (const answer of [await vmSearch(server, number), await operation(number)]) expect([answer.status, errorCode(answer)]).toEqual([400, 'INVALID_NHS_NUMBER']);
  });

  test('a number that nobody holds is 404 PATIENT_NOT_FOUND', async () => {
    for (const number of [newNumber(), '1111111111', '9111231130'])
      for (const answer of [await vmSearch(server, number), await operation(number)]) expect([answer.status, errorCode(answer)]).toEqual([404, 'PATIENT_NOT_FOUND']);
  });

  test('of a patient nobody spoke of nothing is claimed: neither N nor A, and no extension', async () => {
    const number = newNumber();
    const id = await register(server, number);
    const found = await vmSearch(server, number);
    expect([found.status, found.body.total, found.body.entry[0].resource.resourceType]).toEqual([200, 0, 'OperationOutcome']);
    const { status, body } = await operation(number);
    expect(status).toBe(200);
    expect(body).toEqual({
      resourceType: 'Parameters',
      parameter: [
        { name: 'patient', valueReference: { reference: `Patient/${id}`, identifier: { system: NHS, value: number } } },
        { name: 'determined', valueBoolean: false },
        { name: 'basic', valueCoding: { system: 'https://fhir.nhs.uk/spine-chargeable-status-1', code: 'U', display: 'Unset' } },
      ],
    });
    expect(await shownBy(server, id)).toBeUndefined();
  });

  test.each(['NONE', 'DECISION_PENDING'])('after %s the answer is U, with the category and the date', async (category) => {
    const number = newNumber();
    const id = await register(server, number);
    await state(server, number, 'likely-chargeable', '2026-03-01T00:00:00Z');
    await assessed(server, id, category, '2026-05-10T09:00:00+01:00');
    const answer = await statusOf(server, number);
    expect(answer).toMatchObject({ determined: true, basic: { code: 'U' }, category: { code: category }, lastUpdated: '2026-05-10T09:00:00+01:00' });
    const { component } = await vmObservation(server, number);
    expect(component.map((one: any) => codeOf(one.valueCodeableConcept))).toEqual(['U', category]);
  });

  test.each([
    ['paid-or-exempt', 'N', 'B'],
    ['likely-chargeable', 'Y', undefined],
    ['british-citizen', 'N', undefined],
  ])('of %s the Home Office the answer is %s, category %s', async (said, basic, category) => {
    const number = newNumber();
    const id = await register(server, number);
    await state(server, number, said, '2026-04-01T00:00:00Z');
    const answer = await statusOf(server, number);
    expect([answer['determined'], codeOf(answer['basic']), codeOf(answer['category']), answer['lastUpdated']]).toEqual([true, basic, category, '2026-04-01T00:00:00Z']);
    const observation = await vmObservation(server, number);
    expect(observation.component.map((one: any) => codeOf(one.valueCodeableConcept))).toEqual(category ? [basic, category] : [basic]);
    const shown = await shownBy(server, id);
    expect([codeOf(shown?.['basic']), codeOf(shown?.['category']), shown?.['lastUpdated'], shown?.['source']]).toEqual([basic, category, '2026-04-01T00:00:00Z', 'HO']);
  });

  test.each([
    ['A', 'N'], ['B', 'N'], ['D', 'Y'], ['F', 'Y'], ['DECISION_PENDING', 'U'], ['NONE', 'U'],
  ])('of category %s the answer is %s', async (category, basic) => {
    const number = newNumber();
    const id = await register(server, number);
    await assessed(server, id, category, '2026-05-10T09:00:00+01:00');
    const answer = await statusOf(server, number);
    expect([codeOf(answer['basic']), codeOf(answer['category'])]).toEqual([basic, category]);
    const shown = await shownBy(server, id);
    expect([codeOf(shown?.['basic']), codeOf(shown?.['category']), shown?.['source']]).toEqual([basic, category, 'OVM']);
  });
});
