// HL7's own profiles: a resource that claims one is judged by it. https://hl7.org/fhir/R4/observation-vitalsigns.html
import { loadDefinitions } from '../../src/definitions/load.js';
import { openPackages } from '../../src/definitions/packages.js';
import { openPublishedProfiles } from '../../src/definitions/published-profiles.js';
import type { Resource } from '../../src/fhir/resource.js';
import { createProfileChecker } from '../../src/validation/profile-checker.js';
import { createValidator } from '../../src/validation/validator.js';

const HL7 = 'http://hl7.org/fhir/StructureDefinition';
const definitions = loadDefinitions();
const validator = createValidator(definitions);
const checker = createProfileChecker({ definitions, packages: openPackages('/nowhere'), rules: [], fetch: () => Promise.resolve([]), unknownProfile: 'error', now: () => 0 });
const weight: Resource = {
  resourceType: 'Observation',
  meta: { profile: [`${HL7}/bodyweight`] },
  status: 'final',
  category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] }],
  code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] },
  subject: { reference: 'Patient/1' },
  effectiveDateTime: '2026-01-01',
  valueQuantity: { value: 70, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
};

async function faults(resource: Resource): Promise<string[]> {
  expect(validator.validate(resource)).toEqual([]);
  const issues = await checker.check(resource);
  return issues.map(({ diagnostics = '', expression = '' }) => `${diagnostics.split(' ')[0] ?? ''} ${expression}`);
}

test('a body weight as it should be', async () => {
  expect(await faults(weight)).toEqual([]);
});

test.each<[string, object, string[]]>([
  ['no category', { category: undefined }, ['min Observation', 'min Observation']],
  ['a unit without its code', { valueQuantity: { value: 70, unit: 'kg' } }, ['min Observation.value.ofType(Quantity)', 'min Observation.value.ofType(Quantity)']],
  ['no subject', { subject: undefined }, ['min Observation']],
  ['neither a value nor why there is none', { valueQuantity: undefined }, ['vs-2 Observation']],
])('%s', async (_, change, expected) => {
  const resource = JSON.parse(JSON.stringify({ ...weight, ...change })) as Resource;
  expect(await faults(resource)).toEqual(expected);
});

test('each of them is found by its URL, and a plain type is none', () => {
  const find = openPublishedProfiles();
  for (const id of ['vitalsigns', 'bp', 'bmi', 'cholesterol', 'SimpleQuantity']) expect(find(`${HL7}/${id}`)?.url).toBe(`${HL7}/${id}`);
  expect(find(`${HL7}/Patient`)).toBeUndefined();
  expect(find('http://other.example/StructureDefinition/bp')).toBeUndefined();
});
