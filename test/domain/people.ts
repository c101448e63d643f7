// The people and statements of the status tests, in the shapes that clients send.
import { isNhsNumber, NHS_NUMBER_SYSTEM } from '../../src/fhir/nhs-number.js';
import type { Answer, TestServer } from '../server.js';

export const BASE = 'https://fhir.entitle.example';
export const NHS = NHS_NUMBER_SYSTEM;
export const VM_CODE = 'https://fhir.nhs.uk/fhir-observation-code-1';
export const CATEGORY = 'https://fhir.nhs.uk/spine-category-status-1';
export const FEED = `${BASE}/Id/home-office-feed`;
export const STATUS_EXTENSION = `${BASE}/StructureDefinition/ext-chargeable-status`;

/** Valid NHS numbers of the range that is never given to anyone, each once. */
export function numbers(first = 999_100_000): () => string {
  let stem = first;
  return () => {
    for (;;) {
      stem += 1;
      for (let digit = 0; digit < 10; digit += 1) if (isNhsNumber(`${stem}${digit}`)) return `${stem}${digit}`;
    }
  };
}

export const patientBody = (number: string, rest: object = {}): object => ({
  resourceType: 'Patient',
  identifier: [{ system: NHS, value: number }],
  name: [{ use: 'official', family: 'Sample', given: ['Ada'] }],
  gender: 'female',
  birthDate: '1980-02-29',
  ...rest,
});

export async function register(server: TestServer, number: string, rest: object = {}): Promise<string> {
  const { status, body } = await server.send('POST', 'Patient', { token: server.tokens.admin, body: patientBody(number, rest) });
  if (status !== 201) throw new Error(`Patient: ${status} ${JSON.stringify(body)}`);
  return body.id;
}

let keys = 0;
export const newKey = (): string => `HO-TEST-${keys++}`;

export const statementBody = (number: string, status: string, effectiveDateTime: string, key = newKey(), rest: object = {}): object => ({
  resourceType: 'Observation',
  identifier: [{ system: FEED, value: key }],
  status: 'final',
  code: { coding: [{ system: `${BASE}/CodeSystem/status-assertion`, code: 'ho-status' }] },
  subject: { identifier: { system: NHS, value: number }, type: 'Patient' },
  effectiveDateTime,
  performer: [{ display: 'Home Office' }],
  valueCodeableConcept: { coding: [{ system: `${BASE}/CodeSystem/ho-status`, code: status }] },
  ...rest,
});

/** Delivers one statement as the feed does: on condition that its key is new. */
export function deliver(server: TestServer, statement: any): Promise<Answer> {
  const key: string = statement.identifier[0].value;
  return server.send('POST', 'Observation', { token: server.tokens.homeOffice, body: statement, headers: { 'if-none-exist': `identifier=${FEED}|${key}` } });
}

export async function state(server: TestServer, number: string, status: string, at: string, key = newKey()): Promise<Answer> {
  const answer = await deliver(server, statementBody(number, status, at, key));
  if (answer.status !== 201) throw new Error(`statement: ${answer.status} ${answer.text}`);
  return answer;
}

/** The Home Office takes a statement back. */
export function withdraw(server: TestServer, statement: any): Promise<Answer> {
  const key: string = statement.identifier[0].value;
  return server.send('PUT', `Observation?identifier=${FEED}|${key}`, { token: server.tokens.homeOffice, body: { ...statement, status: 'entered-in-error' } });
}

export const performer = (trust: string): object[] => [
  { identifier: { system: 'https://fhir.nhs.uk/Id/sds-role-profile-id', value: '100334993514' }, type: 'PractitionerRole' },
  { identifier: { system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: trust }, type: 'Organization' },
];

export const extension = (id: string, value: object): object => ({ url: `${BASE}/StructureDefinition/ext-${id}`, ...value });
export const reason = (code: string): object =>
  extension('exemption-reason', { valueCodeableConcept: { coding: [{ system: `${BASE}/CodeSystem/exemption-reason`, code }] } });
export const evidence = (reference: string): object => extension('evidence', { valueReference: { reference } });

export const assessmentBody = (patient: string, category: string, effectiveDateTime: string, rest: object = {}): any => ({
  resourceType: 'Observation',
  status: 'final',
  code: { coding: [{ system: `${BASE}/CodeSystem/status-assertion`, code: 'ovm-assessment' }] },
  subject: { reference: `Patient/${patient}` },
  effectiveDateTime,
  performer: performer('RR8'),
  valueCodeableConcept: { coding: [{ system: CATEGORY, code: category }] },
  ...rest,
});

export function assess(server: TestServer, body: object): Promise<Answer> {
  return server.send('POST', 'Observation', { token: server.tokens.ovm, body });
}

export async function assessed(server: TestServer, patient: string, category: string, at: string, rest: object = {}): Promise<any> {
  const answer = await assess(server, assessmentBody(patient, category, at, rest));
  if (answer.status !== 201) throw new Error(`assessment: ${answer.status} ${answer.text}`);
  return answer.body;
}

/** Evidence as PDS has it. */
export const coverageBody = (patient: string, type: string, end?: string, rest: object = {}): object => ({
  resourceType: 'Coverage',
  status: 'active',
  type: { coding: [{ system: `${BASE}/CodeSystem/evidence-type`, code: type }] },
  identifier: [{ value: 'FRA1234567890', assigner: { identifier: { system: 'urn:iso:std:iso:3166', value: 'FRA' } } }],
  subscriber: { identifier: { system: NHS, value: '9990000018' } },
  beneficiary: { reference: `Patient/${patient}`, identifier: { value: 'PERSONAL-1' } },
  payor: [{ identifier: { value: 'INSTITUTION-1' } }],
  ...(end !== undefined && { period: { start: '2020-01-01', end } }),
  ...rest,
});

export async function covered(server: TestServer, patient: string, type: string, end?: string): Promise<string> {
  const { status, body } = await server.send('POST', 'Coverage', { token: server.tokens.ovm, body: coverageBody(patient, type, end) });
  if (status !== 201) throw new Error(`Coverage: ${status} ${JSON.stringify(body)}`);
  return `Coverage/${body.id}`;
}

/** What the operation answers, by parameter name; values without their type. */
export async function statusOf(server: TestServer, number: string, token = server.tokens.supplier): Promise<Record<string, any>> {
  const { status, body } = await server.send('GET', `Patient/$chargeable-status?identifier=${NHS}|${number}`, { token });
  if (status !== 200) throw new Error(`$chargeable-status: ${status} ${JSON.stringify(body)}`);
  return parametersOf(body);
}

export function parametersOf(parameters: any): Record<string, any> {
  return Object.fromEntries(parameters.parameter.map(({ name, ...value }: any) => [name, Object.values(value)[0]]));
}

/** What a supplier's search must carry. */
export const REQUEST_ID = '7d6a3c1e-2f4b-4c8a-9e5d-0b1a2c3d4e5f';
export const TRACED = { 'x-request-id': REQUEST_ID };

export const vmPath = (number: string): string => `Observation?subject:Patient.identifier=${NHS}|${number}&code=${VM_CODE}|0001`;

export function vmSearch(server: TestServer, number: string): Promise<Answer> {
  return server.send('GET', vmPath(number), { token: server.tokens.supplier, headers: TRACED });
}

/** The status observation of a patient who has one. */
export async function vmObservation(server: TestServer, number: string): Promise<any> {
  const { status, body } = await vmSearch(server, number);
  if (status !== 200 || body.total !== 1) throw new Error(`V&M: ${status} ${JSON.stringify(body)}`);
  return body.entry[0].resource;
}

/** The chargeable-status extension that a Patient shows, by part. */
export async function shownBy(server: TestServer, patient: string): Promise<Record<string, any> | undefined> {
  const { body } = await server.send('GET', `Patient/${patient}`, { token: server.tokens.admin });
  const shown = (body.extension ?? []).find(({ url }: any) => url === STATUS_EXTENSION);
  return shown && Object.fromEntries(shown.extension.map(({ url, ...value }: any) => [url, Object.values(value)[0]]));
}

export const codeOf = (concept: any): string | undefined => concept?.coding?.[0]?.code ?? concept?.code;
export const errorCode = (answer: Answer): string | undefined => answer.body?.issue?.[0]?.details?.coding?.[0]?.code;
