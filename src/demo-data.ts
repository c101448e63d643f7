// The people of the demonstration: made up, the same every time, with NHS numbers of the range that is never given to anyone.
import { isNhsNumber, NHS_NUMBER_SYSTEM } from './fhir/nhs-number.js';
import { ODS_CODE } from './fhir/ods-code.js';
import type { Resource } from './fhir/resource.js';

const CODES = 'https://fhir.entitle.example/CodeSystem';
const FEED = 'https://fhir.entitle.example/Id/home-office-feed';
const ROLE_PROFILE = 'https://fhir.nhs.uk/Id/sds-role-profile-id';
const ASSESSMENT = 'https://fhir.entitle.example/Id/demo-assessment';

const GIVEN = ['Ada', 'Bilal', 'Chen', 'Dara', 'Elif', 'Femi', 'Grace', 'Hana', 'Ivo', 'Jaya', 'Kofi', 'Lena', 'Musa', 'Nia', 'Omar', 'Priya'];
const FAMILY = ['Sample', 'Example', 'Specimen', 'Pattern', 'Model', 'Instance', 'Trial', 'Draft', 'Sketch', 'Outline', 'Template'];
const TOWNS = ['Leeds', 'Bristol', 'Derby', 'Truro', 'Hexham', 'Lewes', 'Ludlow'];
const STATEMENTS = ['paid-or-exempt', 'likely-chargeable', 'british-citizen'];
const CATEGORIES = ['A', 'B', 'D', 'F', 'DECISION_PENDING'];

/** Valid numbers, beginning well above those that people try by hand (9990000018 and its neighbours). */
export function* demoNhsNumbers(): Generator<string> {
  for (let stem = 999_100_001; ; stem += 1) {
    for (let digit = 0; digit < 10; digit += 1) if (isNhsNumber(`${stem}${digit}`)) yield `${stem}${digit}`;
  }
}

const pick = (list: readonly string[], n: number): string => list[n % list.length] ?? '';
const pad = (n: number, width: number): string => String(n).padStart(width, '0');

export const demoOrganizations: readonly Resource[] = [
  { resourceType: 'Organization', id: 'demo-trust', identifier: [{ system: ODS_CODE, value: 'RR8' }], active: true, type: [{ coding: [{ system: `${CODES}/organization-role`, code: 'nhs-trust' }] }], name: 'A demonstration NHS trust' },
  { resourceType: 'Organization', id: 'demo-practice', identifier: [{ system: ODS_CODE, value: 'A81001' }], active: true, type: [{ coding: [{ system: `${CODES}/organization-role`, code: 'gp-practice' }] }], name: 'A demonstration practice' },
];

const yearOfBirth = (n: number): number => 1935 + ((n * 37) % 75);

/** In whole years, when the budgets of the demonstration begin. */
export const demoAge = (n: number): number => 2025 - yearOfBirth(n);

export function demoPatient(n: number, nhsNumber: string): Resource {
  return {
    resourceType: 'Patient',
    id: `demo-${pad(n, 4)}`,
    identifier: [{ system: NHS_NUMBER_SYSTEM, value: nhsNumber }],
    active: true,
    name: [{ use: 'official', family: pick(FAMILY, n), given: [pick(GIVEN, n * 7 + 3)] }],
    gender: n % 2 === 0 ? 'female' : 'male',
    birthDate: `${yearOfBirth(n)}-${pad(1 + ((n * 5) % 12), 2)}-${pad(1 + ((n * 11) % 28), 2)}`,
    address: [{ use: 'home', line: [`${1 + (n % 120)} Demonstration Road`], city: pick(TOWNS, n), postalCode: `ZZ${1 + (n % 99)} ${n % 10}AA` }],
    generalPractitioner: [{ reference: 'Organization/demo-practice' }],
    managingOrganization: { reference: 'Organization/demo-icb' },
  };
}

/** What the Home Office says of the n-th patient; of two in five it says nothing. */
export function demoStatement(n: number, nhsNumber: string): Resource | undefined {
  if (n % 5 > 2) return undefined;
  return {
    resourceType: 'Observation',
    identifier: [{ system: FEED, value: `DEMO-${pad(n, 4)}` }],
    status: 'final',
    code: { coding: [{ system: `${CODES}/status-assertion`, code: 'ho-status' }] },
    subject: { type: 'Patient', identifier: { system: NHS_NUMBER_SYSTEM, value: nhsNumber } },
    effectiveDateTime: `2026-0${1 + (n % 6)}-01T00:00:00Z`,
    performer: [{ display: 'Home Office' }],
    valueCodeableConcept: { coding: [{ system: `${CODES}/ho-status`, code: pick(STATEMENTS, n) }] },
  };
}

/** What an Overseas Visitors Manager found, for one patient in ten. */
export function demoAssessment(n: number): Resource | undefined {
  if (n % 10 !== 3) return undefined;
  return {
    resourceType: 'Observation',
    identifier: [{ system: ASSESSMENT, value: pad(n, 4) }],
    status: 'final',
    code: { coding: [{ system: `${CODES}/status-assertion`, code: 'ovm-assessment' }] },
    subject: { reference: `Patient/demo-${pad(n, 4)}` },
    effectiveDateTime: `2026-0${1 + (n % 9)}-15T09:30:00+01:00`,
    performer: [
      { type: 'PractitionerRole', identifier: { system: ROLE_PROFILE, value: '100334993514' } },
      { type: 'Organization', identifier: { system: ODS_CODE, value: 'RR8' } },
    ],
    valueCodeableConcept: { coding: [{ system: 'https://fhir.nhs.uk/spine-category-status-1', code: pick(CATEGORIES, (n - 3) / 10) }] },
  };
}
