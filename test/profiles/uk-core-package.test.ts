// A package of others in the packages folder, in the shape of UK Core's: its profiles, value sets, code systems and maps are used without code.
import { join } from 'node:path';
import { expectRefusal } from '../api/refusal.js';
import { type Answer, startServer, type TestServer } from '../server.js';

const UK = 'https://fhir.hl7.org.uk';
const V3 = 'http://terminology.hl7.org/CodeSystem/v3-';
const NHS = 'https://fhir.nhs.uk/Id/nhs-number';
let server: TestServer;
beforeAll(async () => { server = await startServer({}, join(__dirname, 'packages')); });
afterAll(() => server.close());

const send = (method: string, path: string, body?: object): Promise<Answer> => server.send(method, path, { token: server.tokens.admin, ...(body && { body }) });
const concept = (system: string, code: string, display?: string) => ({ coding: [{ system, code, ...(display !== undefined && { display }) }] });
const extension = (name: string, valueCodeableConcept: object) => ({ url: `${UK}/StructureDefinition/Extension-UKCore-${name}`, valueCodeableConcept });
const verified = (code: string, system = `${UK}/CodeSystem/UKCore-NHSNumberVerificationStatus`) => ({ system: NHS, value: '9434765919', extension: [extension('NHSNumberVerificationStatus', concept(system, code))] });
const patient = (more: object): object => ({ resourceType: 'Patient', meta: { profile: [`${UK}/StructureDefinition/UKCore-Patient`] }, text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' }, ...more });
const ethnicity = (system: string, code: string) => patient({ extension: [extension('EthnicCategory', concept(`${UK}/CodeSystem/UKCore-${system}`, code))] });
const death = (code: string) => patient({ extension: [{ url: `${UK}/StructureDefinition/Extension-UKCore-DeathNotificationStatus`, extension: [{ url: 'deathNotificationStatus', valueCodeableConcept: concept(`${UK}/CodeSystem/UKCore-DeathNotificationStatus`, code) }] }] });
const married = (system: string, code: string) => patient({ maritalStatus: concept(system, code) });
const errorsIn = ({ body }: Answer): string[][] => body.issue.filter(({ severity }: any) => severity === 'error').map(({ code, expression: [place] }: any) => [code, place]);
const STATUS = 'Patient.identifier[0].extension[0].value.ofType(CodeableConcept)';

test.each([
  ['a verified NHS number', patient({ identifier: [verified('01')] })],
  ['an identifier of no slice', patient({ identifier: [{ system: 'urn:x', value: '1' }] })],
  ['ethnic category by an imported value set', ethnicity('EthnicCategoryEngland', 'A')],
  ['ethnic category by a system of its own', ethnicity('EthnicCategory2011England', 'A1')],
  ['a part of an extension', death('2')],
  ['marital status by a system that HL7 has', married(`${V3}MaritalStatus`, 'S')],
  ['marital status by a listed code of HL7\'s', married(`${V3}NullFlavor`, 'UNK')],
  ['marital status by a listed code of UK Core\'s', married(`${UK}/CodeSystem/UKCore-PersonMaritalStatusEngland`, 'M')],
])('%s is good', async (_name, body) => {
  expect(errorsIn(await send('POST', 'Patient/$validate', body))).toEqual([]);
});

test.each([
  ['a verification status that there is not', patient({ identifier: [verified('99')] }), 'code-invalid', STATUS],
  ['one of another system', patient({ identifier: [verified('01', 'urn:x')] }), 'code-invalid', STATUS],
  ['no value beside the NHS number', patient({ identifier: [{ system: NHS }] }), 'required', 'Patient.identifier[0]'],
  ['two NHS numbers', patient({ identifier: [verified('01'), verified('01')] }), 'structure', 'Patient'],
  ['an ethnic category that there is not', ethnicity('EthnicCategoryEngland', 'A1'), 'code-invalid', 'Patient.extension[0].value.ofType(CodeableConcept)'],
  ['a death notification that there is not', death('9'), 'code-invalid', 'Patient.extension[0].extension[0].value.ofType(CodeableConcept)'],
  ['a marital status that HL7 has not', married(`${V3}MaritalStatus`, 'Q'), 'code-invalid', 'Patient.maritalStatus'],
  ['a code of HL7\'s that is not listed', married(`${V3}NullFlavor`, 'NI'), 'code-invalid', 'Patient.maritalStatus'],
  ['a code of UK Core\'s that is not listed', married(`${UK}/CodeSystem/UKCore-PersonMaritalStatusEngland`, 'S'), 'code-invalid', 'Patient.maritalStatus'],
])('%s is an error', async (_name, body, code, expression) => {
  expect(errorsIn(await send('POST', 'Patient/$validate', body))).toEqual([[code, expression]]);
});

test('writes are held to it', async () => {
  const id = 'verified';
  const put = (code: string): Promise<Answer> => send('PUT', `Patient/${id}`, { id, ...patient({ identifier: [verified(code)] }) });
  expect((await put('01')).status).toBe(201);
  expectRefusal(await put('99'), 422, { code: 'code-invalid', expression: STATUS });
  expectRefusal(await send('POST', 'Patient', married(`${V3}MaritalStatus`, 'Q')), 422, { code: 'code-invalid', text: /'Q' of '.*v3-MaritalStatus' is not in the value set .*UKCore-PersonMaritalStatusCode \(required\)/ });
  expect((await send('POST', 'Patient', married(`${V3}MaritalStatus`, 'S'))).status).toBe(201);
});

test('codes of its systems are checked by $validate, and its displays', async () => {
  const system = `${UK}/CodeSystem/UKCore-EthnicCategoryEngland`;
  const tagged = (coding: object) => send('POST', 'Patient/$validate', patient({ meta: { tag: [coding] } }));
  expect((await tagged({ system, code: 'Q' })).body.issue).toEqual([expect.objectContaining({ severity: 'error', code: 'code-invalid', expression: ['Patient.meta.tag[0]'] })]);
  expect((await tagged({ system, code: 'B', display: 'British' })).body.issue).toEqual([expect.objectContaining({ severity: 'warning', expression: ['Patient.meta.tag[0].display'] })]);
});

test('the operations of terminology know it', async () => {
  const expanded = await send('GET', `ValueSet/$expand?url=${UK}/ValueSet/UKCore-EthnicCategory`);
  expect(expanded.body.expansion.contains.map(({ code, display }: any) => [code, display])).toEqual([['A', 'British, Mixed British'], ['B', 'Irish'], ['C', 'Any other White background'], ['Z', 'Not stated'], ['Z', 'Not Stated'], ['A1', 'British']]);
  expect((await send('GET', `CodeSystem/$lookup?system=${UK}/CodeSystem/UKCore-DeathNotificationStatus&code=U`)).body.parameter).toContainEqual({ name: 'display', valueString: 'Removed' });
  expect((await send('GET', `ConceptMap/$translate?system=${UK}/CodeSystem/UKCore-PersonMaritalStatusEngland&code=M`)).body.parameter[0]).toEqual({ name: 'result', valueBoolean: true });
});
