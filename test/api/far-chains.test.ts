// Chains into resources that stand inside others, and along canonical URLs. https://hl7.org/fhir/R4/search.html#contained
import { startServer, type TestServer } from '../server.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  const medicine = (id: string, code: string, more: object = {}) => ({ resourceType: 'Medication', id, code: { coding: [{ system: 'urn:m', code }] }, ...more });
  const order = (id: string, reference: string, contained: object[] = []) => ({
    resourceType: 'MedicationRequest', id, ...(contained.length > 0 && { contained }), status: 'active', intent: 'order', subject: { reference: 'Patient/p' }, medicationReference: { reference },
    ...(contained.length > 1 && { supportingInformation: [{ reference: '#m2' }] }),
  });
  await put({ resourceType: 'Organization', id: 'maker', name: 'Maker' });
  await put(medicine('alone', 'paracetamol'));
  await put(order('out', 'Medication/alone'));
  await put(order('in', '#m1', [medicine('m1', 'paracetamol', { manufacturer: { reference: 'Organization/maker' } })]));
  // Refers to the first: the second is only there.
  await put(order('beside', '#m1', [medicine('m1', 'caffeine'), medicine('m2', 'paracetamol')]));
  await put(order('was', '#m1', [medicine('m1', 'paracetamol')]));
  await put(order('was', '#m1', [medicine('m1', 'caffeine')]));
  await put({ resourceType: 'MedicationDispense', id: 'd', status: 'completed', medicationReference: { reference: 'Medication/alone' }, authorizingPrescription: [{ reference: 'MedicationRequest/in' }] });
  const questions = (id: string, version: string | undefined, title: string) => ({ resourceType: 'Questionnaire', id, url: 'http://example.org/q', ...(version && { version }), title, status: 'active' });
  const answers = (id: string, questionnaire: string) => ({ resourceType: 'QuestionnaireResponse', id, questionnaire, status: id === 'r1' ? 'in-progress' : 'completed' });
  await put(questions('q1', '1', 'First'));
  await put(questions('q2', '2', 'Second'));
  await put({ ...questions('q3', undefined, 'Other'), url: 'http://example.org/other' });
  await put(answers('r0', 'http://example.org/q'));
  await put(answers('r1', 'http://example.org/q|1'));
  await put(answers('r2', 'http://example.org/q|2'));
  await put(answers('r3', 'http://example.org/other'));
});
afterAll(() => server.close());

async function put(body: { readonly resourceType: string; readonly id: string; readonly [member: string]: unknown }): Promise<void> {
  const { status, text } = await server.send('PUT', `${body.resourceType}/${body.id}`, { token: server.tokens.admin, body });
  expect({ status, text: status < 300 ? '' : text }).toEqual({ status: expect.any(Number), text: '' });
}

test.each([
  ['MedicationRequest?medication.code=paracetamol', 'in out'],
  ['MedicationRequest?medication.code=urn:m|caffeine', 'beside was'],
  ['MedicationRequest?medication:Medication.code=paracetamol&_sort=-_id', 'out in'],
  ['MedicationRequest?medication.code:not=paracetamol', 'beside was'],
  ['MedicationRequest?medication.manufacturer.name=maker', 'in'],
  ['MedicationRequest?medication.code=paracetamol&status=completed', ''],
  ['MedicationRequest?_filter=medication.code eq paracetamol', 'in out'],
  ['MedicationRequest?_filter=not (medication.code eq paracetamol)', 'beside was'],
  ['MedicationDispense?prescription.medication.code=paracetamol', 'd'],
  ['MedicationRequest?_has:MedicationDispense:prescription:status=completed&medication.code=paracetamol', 'in'],
  ['Medication?_has:MedicationRequest:medication:status=active', 'alone'],
  ['QuestionnaireResponse?questionnaire.title=first', 'r0 r1'],
  ['QuestionnaireResponse?questionnaire:Questionnaire.title=second', 'r0 r2'],
  ['QuestionnaireResponse?questionnaire.version=2', 'r0 r2'],
  ['QuestionnaireResponse?questionnaire.title=other', 'r3'],
  ['QuestionnaireResponse?questionnaire.title=none', ''],
  ['Questionnaire?_has:QuestionnaireResponse:questionnaire:status=in-progress', 'q1'],
  ['Questionnaire?_has:QuestionnaireResponse:questionnaire:status=completed', 'q1 q2 q3'],
])('%s finds %s', async (query, ids) => {
  const { status, body, text } = await server.send('GET', `${query}&_total=accurate`, { token: server.tokens.admin });
  expect({ status, text: status === 200 ? '' : text }).toEqual({ status: 200, text: '' });
  const found = (body.entry ?? []).map((entry: any) => entry.resource.id).join(' ');
  expect({ found, total: body.total }).toEqual({ found: ids, total: ids === '' ? 0 : ids.split(' ').length });
});

test('from page to page', async () => {
  const first = await server.send('GET', 'MedicationRequest?medication.code=paracetamol&_count=1', { token: server.tokens.admin });
  const next = first.body.link.find((link: any) => link.relation === 'next').url;
  const second = await server.send('GET', `MedicationRequest${next.slice(next.indexOf('?'))}`, { token: server.tokens.admin });
  expect([first, second].map(({ body }) => body.entry.map((entry: any) => entry.resource.id).join())).toEqual(['in', 'out']);
  expect(second.body.link.some((link: any) => link.relation === 'next')).toBe(false);
});
