// A few dozen resources that differ in everything a search can ask for.
import type { JsonObject, Resource } from '../../src/fhir/resource.js';

const LOINC = 'http://loinc.org';
const UCUM = 'http://unitsofmeasure.org';
const NHS = 'https://fhir.nhs.uk/Id/nhs-number';

const coded = (system: string | undefined, code: string, display?: string): JsonObject => ({
  coding: [{ ...(system !== undefined && { system }), code, ...(display !== undefined && { display }) }],
});

const patient = (id: string, more: JsonObject): Resource => ({ resourceType: 'Patient', id, ...more });

export const patients: readonly Resource[] = [
  patient('p1', {
    active: true, gender: 'female', birthDate: '1980-03-05', name: [{ family: 'Smith', given: ['Anna', 'Maria'], text: 'Anna Maria Smith' }],
    identifier: [
      { system: NHS, value: '9000000009', type: { ...coded('http://terminology.hl7.org/CodeSystem/v2-0203', 'NH'), text: 'National number' } },
      { system: 'urn:local', value: 'A|1' },
    ],
    telecom: [{ system: 'phone', use: 'home', value: '0113 496 0001' }, { system: 'email', value: 'anna@example.org' }],
    address: [{ line: ['1 High Street'], city: 'Leeds', postalCode: 'LS1 4AP' }], managingOrganization: { reference: 'Organization/org1' },
    meta: { tag: [{ system: 'urn:tags', code: 'red' }], profile: ['http://example.org/StructureDefinition/one'], security: [{ code: 'R' }] },
    generalPractitioner: [{ reference: 'Practitioner/dr1' }],
  }),
  patient('p2', {
    active: false, gender: 'male', birthDate: '1980', name: [{ family: 'Smithson', given: ['Bob'] }], deceasedDateTime: '2021-05-06T10:00:00Z',
    identifier: [{ system: NHS, value: '9000000017' }], address: [{ city: 'Köln', country: 'DE' }], managingOrganization: { reference: 'Organization/org2' },
    generalPractitioner: [{ reference: 'Practitioner/dr2' }, { reference: 'Practitioner/dr1/_history/3' }],
  }),
  patient('p3', {
    gender: 'other', birthDate: '1980-03', name: [{ family: 'Müller', given: ['Zoë'], prefix: ['Dr'] }], deceasedBoolean: true,
    identifier: [{ value: '9000000009' }, { system: 'urn:local', value: '9000000009' }], address: [{ city: 'Leeds', text: '2  Low   Road, Leeds' }],
  }),
  patient('p4', { gender: 'unknown', name: [{ text: 'smithy 100%_sure' }], deceasedBoolean: false, managingOrganization: { identifier: { system: 'urn:ods', value: 'X26' } } }),
  patient('P5', { active: true, name: [{ family: "O'Neill", given: ['Ánna'] }], birthDate: '1999-12-31', meta: { tag: [{ system: 'urn:tags', code: 'blue' }] } }),
  patient('p6', {}),
];

const observation = (id: string, patientId: string | undefined, code: JsonObject, more: JsonObject): Resource => ({
  resourceType: 'Observation', id, status: 'final', code, ...(patientId !== undefined && { subject: { reference: `Patient/${patientId}` } }), ...more,
});

const weight = (value: number, unit = 'kg'): JsonObject => ({ valueQuantity: { value, unit: unit === 'kg' ? 'kilogram' : 'pound', system: UCUM, code: unit } });
const pressure = (systolic: number, diastolic: number): JsonObject => ({
  component: [
    { code: coded(LOINC, '8480-6', 'Systolic'), valueQuantity: { value: systolic, unit: 'mmHg', system: UCUM, code: 'mm[Hg]' } },
    { code: coded(LOINC, '8462-4', 'Diastolic'), valueQuantity: { value: diastolic, unit: 'mmHg', system: UCUM, code: 'mm[Hg]' } },
  ],
});

export const observations: readonly Resource[] = [
  observation('o1', 'p1', coded(LOINC, '29463-7', 'Body weight'), { ...weight(60), effectiveDateTime: '2024-01-15T10:00:00Z', encounter: { reference: 'Encounter/e1' }, performer: [{ reference: 'Practitioner/dr1' }] }),
  observation('o2', 'p1', { ...coded(LOINC, '29463-7'), text: 'Weight at home' }, { ...weight(100.2), effectiveDateTime: '2024-01-15', status: 'amended' }),
  observation('o3', 'p2', coded('urn:other', '29463-7'), { ...weight(99.5), effectiveDateTime: '2024-01' }),
  observation('o4', 'p2', coded(undefined, '29463-7'), { ...weight(220, '[lb_av]'), effectiveDateTime: '2024' }),
  observation('o5', 'p3', coded(LOINC, '85354-9', 'Blood pressure'), { ...pressure(131, 80), effectivePeriod: { start: '2024-01-10', end: '2024-01-20' }, derivedFrom: [{ reference: 'Observation/o1' }] }),
  observation('o6', 'p3', coded(LOINC, '85354-9', 'Blood pressure'), { ...pressure(80, 131), effectivePeriod: { start: '2024-02-01' } }),
  observation('o7', 'p1', coded(LOINC, '11557-6'), { valueCodeableConcept: coded('urn:values', 'high', 'High'), effectivePeriod: { end: '2023-12-31' }, focus: [{ reference: 'Patient/p2' }] }),
  observation('o8', 'p1', coded(LOINC, '11557-6'), { valueString: 'Trace of Protein', effectiveInstant: '2025-06-01T00:00:00.000Z' }),
  observation('o9', 'P5', coded(LOINC, '11557-6'), { valueDateTime: '2024-03-01', effectiveTiming: { event: ['2024-05-01', '2024-05-03'] } }),
  observation('o10', undefined, { text: 'Unheard of' }, { status: 'entered-in-error', subject: { reference: 'Group/g1' }, component: [{ code: coded(LOINC, '29463-7'), ...weight(61) }] }),
  observation('o11', undefined, coded(LOINC, '11557-6'), { subject: { identifier: { system: NHS, value: '9000000009' } }, dataAbsentReason: coded('urn:absent', 'unknown') }),
  observation('o12', undefined, coded(LOINC, '8480-6'), { subject: { reference: 'http://elsewhere.example/fhir/Patient/p1' }, valueQuantity: { value: 131, unit: 'mmHg' } }),
];

const risk = (id: string, ...probabilities: number[]): Resource => ({
  resourceType: 'RiskAssessment', id, status: 'final', subject: { reference: 'Patient/p1' }, prediction: probabilities.map((probabilityDecimal) => ({ probabilityDecimal })),
});

export const risks: readonly Resource[] = [
  risk('r1', 0.5), risk('r2', 0.54), risk('r3', 0.55), risk('r4', 0.45), risk('r5', 0.1, 0.9), risk('r6', 100), risk('r7', 99.5), risk('r8', -3), risk('r9'),
  risk('r10', 0),
];

const valueSet = (id: string, more: JsonObject): Resource => ({ resourceType: 'ValueSet', id, status: 'active', ...more });

export const valueSets: readonly Resource[] = [
  valueSet('v1', { url: 'http://example.org/fhir/ValueSet/a', version: '1', title: 'First', date: '2020-01-01' }),
  valueSet('v2', { url: 'http://example.org/fhir/ValueSet/a/b', useContext: [{ code: { code: 'age' }, valueQuantity: { value: 5, unit: 'a' } }] }),
  valueSet('v3', { url: 'http://example.org/fhir', useContext: [{ code: { code: 'venue' }, valueCodeableConcept: coded('urn:venues', 'home') }] }),
];

export const others: readonly Resource[] = [
  { resourceType: 'Organization', id: 'org1', name: 'Leeds Trust', identifier: [{ system: 'urn:ods', value: 'RR8' }] },
  { resourceType: 'Organization', id: 'org2', name: 'Other Trust', partOf: { reference: 'Organization/org1' } },
  { resourceType: 'Practitioner', id: 'dr1', name: [{ family: 'Watson' }] },
  { resourceType: 'Practitioner', id: 'dr2', name: [{ family: 'Who' }] },
  { resourceType: 'Group', id: 'g1', type: 'person', actual: true, name: 'Leeds', member: [{ entity: { reference: 'Patient/p3' } }] },
  { resourceType: 'Encounter', id: 'e1', status: 'finished', class: { system: 'urn:class', code: 'AMB' }, subject: { reference: 'Patient/p1' }, location: [{ location: { reference: 'Location/l1' }, period: { start: '2024-01-15', end: '2024-01-16' } }] },
  { resourceType: 'Location', id: 'l1', name: 'Ward 1' },
  { resourceType: 'Condition', id: 'c1', subject: { reference: 'Patient/p1' }, onsetDateTime: '2010', recordedDate: '2011-02-03', code: coded('urn:sct', '44054006', 'Diabetes') },
  { resourceType: 'Condition', id: 'c2', subject: { reference: 'Patient/p2' }, onsetAge: { value: 40, unit: 'years', system: UCUM, code: 'a' }, recordedDate: '2012-03-04' },
];

export const world: readonly Resource[] = [...patients, ...observations, ...risks, ...valueSets, ...others];
