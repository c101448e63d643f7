// References by criteria (`Patient?identifier=…`) in a write that stands by itself. https://hl7.org/fhir/R4/http.html#trules
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

const SYSTEM = 'urn:conditional-references';
let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await server.seed([
    { resourceType: 'Patient', id: 'one', identifier: [{ system: SYSTEM, value: 'one' }] },
    { resourceType: 'Patient', id: 'two-a', identifier: [{ system: SYSTEM, value: 'two' }] },
    { resourceType: 'Patient', id: 'two-b', identifier: [{ system: SYSTEM, value: 'two' }] },
  ]);
});
afterAll(() => server.close());

const observation = (criteria: string, more: object = {}) => ({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject: { reference: criteria }, ...more });
const send = (method: string, path: string, body: unknown, headers: Record<string, string> = {}) => server.send(method, path, { token: server.tokens.admin, body, headers });

test('a create stores what the criteria match, and is found by it', async () => {
  const { status, body } = await send('POST', 'Observation', observation(`Patient?identifier=${SYSTEM}|one`, { id: 'ignored' }));
  expect({ status, reference: body.subject.reference }).toEqual({ status: 201, reference: 'Patient/one' });
  const found = await server.send('GET', `Observation?subject=Patient/one&_id=${body.id}`, { token: server.tokens.admin });
  expect(found.body.total).toBe(1);
});

test('so do an update, a conditional create, a patch and an entry of a batch', async () => {
  const criteria = `Patient?identifier=${SYSTEM}|one`;
  const put = await send('PUT', 'Observation/by-put', observation(criteria, { id: 'by-put' }));
  expect(put.body.subject.reference).toBe('Patient/one');
  const conditional = await send('POST', 'Observation', observation(criteria), { 'if-none-exist': 'identifier=urn:none|1' });
  expect(conditional.body.subject.reference).toBe('Patient/one');
  const patch = await server.send('PATCH', 'Observation/by-put', { token: server.tokens.admin, headers: { 'content-type': 'application/json-patch+json' }, body: JSON.stringify([{ op: 'add', path: '/focus', value: [{ reference: criteria }] }]) });
  expect({ status: patch.status, focus: patch.body.focus }).toEqual({ status: 200, focus: [{ reference: 'Patient/one' }] });
  const batch = await send('POST', '', { resourceType: 'Bundle', type: 'batch', entry: [{ resource: observation(criteria), request: { method: 'POST', url: 'Observation' } }] }, { prefer: 'return=representation' });
  expect(batch.body.entry[0].resource.subject.reference).toBe('Patient/one');
});

test('decimals beside it keep their digits', async () => {
  const text = `{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.00},"subject":{"reference":"Patient?identifier=${SYSTEM}|one"}}`;
  const { text: answer } = await send('POST', 'Observation', text, { 'content-type': 'application/fhir+json' });
  expect(answer).toContain('"valueQuantity":{"value":1.00},"subject":{"reference":"Patient/one"}');
});

test('criteria that match nothing, or several, refuse the write', async () => {
  expectRefusal(await send('POST', 'Observation', observation(`Patient?identifier=${SYSTEM}|nobody`)), 412, { code: 'not-found' });
  expectRefusal(await send('POST', 'Observation', observation(`Patient?identifier=${SYSTEM}|two`)), 412, { code: 'multiple-matches' });
  expectRefusal(await send('PUT', 'Observation/never', observation(`Patient?identifier=${SYSTEM}|nobody`, { id: 'never' })), 412, { code: 'not-found' });
  expect((await server.send('GET', 'Observation/never', { token: server.tokens.admin })).status).toBe(404);
});

test.each(['Nonsense?identifier=x', 'Patient?', 'Patient?shoe-size=1', 'Patient?birthdate=x'])('%s is refused', async (criteria) => {
  const { status, body } = await send('POST', 'Observation', observation(criteria));
  expect({ refused: status >= 400 && status < 500, type: body.resourceType }).toEqual({ refused: true, type: 'OperationOutcome' });
});

test('the same words in a text are left alone', async () => {
  const note = [{ text: `"reference":"Patient?identifier=${SYSTEM}|nobody"` }];
  const { status, body } = await send('POST', 'Observation', observation('Patient/one', { note }));
  expect({ status, note: body.note }).toEqual({ status: 201, note });
});
