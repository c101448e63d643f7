// P2.4: a status is displayed of those only whom the Home Office has identified or an OVM has assessed (domain.md 1.5, 2.2).
import { startServer, type TestServer } from '../server.js';
import { assessed, codeOf, NHS, numbers, register, shownBy, state, statusOf, vmObservation, vmSearch } from './people.js';

let server: TestServer;
const newNumber = numbers(999_200_000);
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const operation = (number: string) => server.send('GET', `Patient/$chargeable-status?identifier=${NHS}|${number}`, { token: server.tokens.supplier });

describe('on every surface', () => {
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
});
