// A small data set that every kind of search parameter finds something in.
import type { TestServer } from '../server.js';

export const IDS = 'https://ids.example';
export const LOINC = 'http://loinc.org';
export const UCUM = 'http://unitsofmeasure.org';

const RESOURCES = [
  { resourceType: 'Organization', id: 'trust', name: 'St Anne\'s Trust', identifier: [{ system: IDS, value: 'RR8' }] },
  {
    resourceType: 'Patient', id: 'anne', active: true, gender: 'female', birthDate: '1970-05-17', managingOrganization: { reference: 'Organization/trust' },
    identifier: [{ system: IDS, value: 'A1' }, { system: 'urn:other', value: 'A1' }], name: [{ family: 'Weiss-Müller', given: ['Anne', 'Marie'] }],
    address: [{ city: 'Bath', postalCode: 'BA1 1AA' }], telecom: [{ system: 'phone', value: '01234', use: 'home' }],
    meta: { tag: [{ system: 'urn:tags', code: 'red' }], security: [{ system: 'urn:sec', code: 'R' }], profile: ['http://example.org/profile'] },
  },
  { resourceType: 'Patient', id: 'bob', active: false, gender: 'male', birthDate: '1970-05', identifier: [{ system: IDS, value: 'B1' }], name: [{ family: 'Weissmann', given: ['Bob'] }] },
  { resourceType: 'Patient', id: 'cara', gender: 'female', birthDate: '1999-12-31', identifier: [{ value: 'C1' }], name: [{ text: 'Cara, called "C"' }], deceasedBoolean: true },
  observation('pulse', 'anne', '2026-01-10T09:00:00Z', { system: LOINC, code: '8867-4', display: 'Heart rate' }, { value: 72, unit: '/min', system: UCUM, code: '/min' }),
  observation('weight', 'anne', '2026-02-10', { system: LOINC, code: '29463-7', display: 'Body weight' }, { value: 65.5, unit: 'kg', system: UCUM, code: 'kg' }),
  observation('weight-bob', 'bob', '2026-03', { system: LOINC, code: '29463-7', display: 'Body weight' }, { value: 80, unit: 'kg', system: UCUM, code: 'kg' }),
  { resourceType: 'Observation', id: 'undated', status: 'preliminary', code: { text: 'Mood' }, subject: { reference: 'Patient/bob' }, valueCodeableConcept: { coding: [{ system: 'urn:moods', code: 'good' }] } },
  {
    resourceType: 'Observation', id: 'pressure', status: 'final', code: { coding: [{ system: LOINC, code: '85354-9' }] }, subject: { reference: 'Patient/anne' },
    effectivePeriod: { start: '2026-04-01', end: '2026-04-03' }, hasMember: [{ reference: 'Observation/pulse' }],
    component: [{ code: { coding: [{ system: LOINC, code: '8480-6' }] }, valueQuantity: { value: 120, system: UCUM, code: 'mm[Hg]' } }],
  },
  { resourceType: 'RiskAssessment', id: 'low', status: 'final', subject: { reference: 'Patient/anne' }, prediction: [{ probabilityDecimal: 0.1 }] },
  { resourceType: 'RiskAssessment', id: 'high', status: 'final', subject: { reference: 'Patient/anne' }, prediction: [{ probabilityDecimal: 0.85 }] },
  { resourceType: 'ValueSet', id: 'vs', status: 'draft', url: 'http://example.org/fhir/ValueSet/colours', name: 'Colours' },
] as const;

function observation(id: string, patient: string, effectiveDateTime: string, coding: object, valueQuantity: object) {
  return { resourceType: 'Observation', id, status: 'final', subject: { reference: `Patient/${patient}` }, effectiveDateTime, code: { coding: [coding] }, valueQuantity };
}

export async function loadSearchData({ send, tokens }: TestServer): Promise<void> {
  const entry = RESOURCES.map((resource) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } }));
  const { status, text } = await send('POST', '', { token: tokens.admin, body: { resourceType: 'Bundle', type: 'transaction', entry } });
  if (status !== 200) throw new Error(text);
}
