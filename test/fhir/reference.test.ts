import { parseReference } from '../../src/fhir/reference.js';

const BASE = 'https://example.nhs.uk/fhir';

test.each([
  ['Patient/1', { kind: 'resource', type: 'Patient', id: '1' }],
  ['Patient/a.B-9/_history/2', { kind: 'resource', type: 'Patient', id: 'a.B-9', version: '2' }],
  [`${BASE}/Patient/1`, { kind: 'resource', type: 'Patient', id: '1' }],
  [`${BASE}/Patient/1/_history/2`, { kind: 'resource', type: 'Patient', id: '1', version: '2' }],
  ['#p1', { kind: 'contained', id: 'p1' }],
  ['#', { kind: 'contained', id: '' }],
  ['urn:uuid:0198f1c2-a3b4-7000-8102-030405060708', { kind: 'urn', urn: 'urn:uuid:0198f1c2-a3b4-7000-8102-030405060708' }],
  ['urn:oid:1.2.3', { kind: 'urn', urn: 'urn:oid:1.2.3' }],
  ['Patient?identifier=https://fhir.nhs.uk/Id/nhs-number|9990000018', { kind: 'conditional', type: 'Patient', query: 'identifier=https://fhir.nhs.uk/Id/nhs-number|9990000018' }],
  [`${BASE}/Patient?name=a`, { kind: 'conditional', type: 'Patient', query: 'name=a' }],
  ['http://example.org/ValueSet/x|1.0', { kind: 'canonical', url: 'http://example.org/ValueSet/x', version: '1.0' }],
  ['http://other.org/fhir/Patient/1', { kind: 'absolute', url: 'http://other.org/fhir/Patient/1', type: 'Patient', id: '1' }],
  ['http://other.org/fhir/Patient/1/_history/4', { kind: 'absolute', url: 'http://other.org/fhir/Patient/1/_history/4', type: 'Patient', id: '1' }],
  [`${BASE}2/Patient/1`, { kind: 'absolute', url: `${BASE}2/Patient/1`, type: 'Patient', id: '1' }],
  ['mailto:a@example.org', { kind: 'absolute', url: 'mailto:a@example.org' }],
])('%s', (text, parsed) => {
  expect(parseReference(text, BASE)).toEqual(parsed);
});

test.each(['', 'Patient', 'Patient/', 'patient/1', 'Patient/a_b', `Patient/${'x'.repeat(65)}`, 'Patient/1/2', 'Patient?', '/Patient/1', 'http://a b', 'Patient/1/_history/'])('%j is no reference', (text) => {
  expect(parseReference(text, BASE)).toBeUndefined();
});

test('without a base every absolute URL is elsewhere', () => {
  expect(parseReference(`${BASE}/Patient/1`)).toEqual({ kind: 'absolute', url: `${BASE}/Patient/1`, type: 'Patient', id: '1' });
});
