import { readdirSync } from 'node:fs';
import { loadDefinitions } from '../../src/definitions/load.js';
import type { ElementRule } from '../../src/definitions/model.js';
import { paramKey } from '../../src/definitions/param-key.js';

const definitions = loadDefinitions({ profiles: false });

describe('types', () => {
  test('knows the 146 concrete resource types, sorted', () => {
    expect(definitions.resourceTypes).toHaveLength(146);
    expect(definitions.resourceTypes[0]).toBe('Account');
    expect(definitions.resourceTypes.at(-1)).toBe('VisionPrescription');
    expect(definitions.resourceTypes).not.toContain('DomainResource');
  });

  test('gives a resource its inherited elements first, under its own path', () => {
    const patient = definitions.type('Patient');
    expect(patient?.elements.slice(0, 9).map((element) => element.path)).toEqual([
      'Patient.id', 'Patient.meta', 'Patient.implicitRules', 'Patient.language', 'Patient.text', 'Patient.contained',
      'Patient.extension', 'Patient.modifierExtension', 'Patient.identifier',
    ]);
    expect(patient).toMatchObject({ kind: 'resource', abstract: false, base: 'DomainResource' });
  });

  test('gives cardinality, choices, targets, bindings and summary', () => {
    const byName = new Map(definitions.type('Patient')?.elements.map((element) => [element.name, element]));
    expect(byName.get('gender')).toMatchObject({ min: 0, max: 1, types: ['code'], binding: { strength: 'required', valueSet: 'http://hl7.org/fhir/ValueSet/administrative-gender' }, summary: true });
    expect(byName.get('deceased[x]')?.types).toEqual(['boolean', 'dateTime']);
    expect(byName.get('generalPractitioner')).toMatchObject({ max: Infinity, targets: ['Organization', 'Practitioner', 'PractitionerRole'] });
    expect(byName.get('contact')?.types).toEqual(['Patient.contact']);
    expect(byName.get('id')?.types).toEqual(['id']);
  });

  test('resolves a contentReference to the backbone it names', () => {
    const item = definitions.type('Questionnaire.item')?.elements.find((element) => element.name === 'item');
    expect(item?.types).toEqual(['Questionnaire.item']);
  });

  test('every type an element names exists', () => {
    const stray = reachable().filter((element) => element.types.some((type) => definitions.type(type) === undefined));
    expect(stray).toEqual([]);
  });

  test('puts a rule where it is asked: on the type, the backbone, or the one element', () => {
    expect(definitions.type('Patient.contact')?.constraints.map((rule) => rule.key)).toEqual(['pat-1']);
    expect(definitions.type('Organization')?.elements.find((element) => element.name === 'telecom')?.constraints?.map((rule) => rule.key)).toEqual(['org-3']);
    expect(definitions.type('DomainResource')?.constraints.map((rule) => rule.key)).toEqual(['dom-2', 'dom-3', 'dom-4', 'dom-5', 'dom-6']);
  });

  test('keeps apart the three rules that share the key inv-1', () => {
    const rules = ['Task', 'Parameters.parameter', 'TestReport.setup.action'].map((type) => definitions.type(type)?.constraints.find((rule) => rule.key === 'inv-1')?.expression);
    expect(new Set(rules).size).toBe(3);
  });

  test('gives primitives their pattern and no value element', () => {
    expect(definitions.type('id')).toMatchObject({ kind: 'primitive-type', regex: '[A-Za-z0-9\\-\\.]{1,64}', base: 'string' });
    expect(definitions.type('id')?.elements.map((element) => element.name)).toEqual(['id', 'extension']);
  });

  test('lets the element of a base be replaced: xhtml takes no extension', () => {
    expect(definitions.type('xhtml')?.elements.find((element) => element.name === 'extension')?.max).toBe(0);
  });

  test('is undefined for a type there is not, be it a member of every object', () => {
    expect(definitions.type('Patients')).toBeUndefined();
    expect(definitions.type('constructor')).toBeUndefined();
    expect(definitions.isResource('__proto__')).toBe(false);
  });
});

describe('the type model', () => {
  test('answers for choices by their FHIRPath name', () => {
    expect(definitions.element('Observation', 'value')).toMatchObject({ choice: true, repeats: false });
    expect(definitions.element('Observation', 'valueQuantity')).toBeUndefined();
  });

  test('names a backbone and says what repeats', () => {
    expect(definitions.element('Patient', 'contact')).toMatchObject({ backbone: 'Patient.contact', repeats: true, choice: false });
    expect(definitions.element('Patient.contact', 'name')).toEqual({ types: ['HumanName'], choice: false, repeats: false });
  });

  test('follows derivation', () => {
    expect(definitions.isA('Patient', 'Resource')).toBe(true);
    expect(definitions.isA('Bundle', 'DomainResource')).toBe(false);
    expect(definitions.isA('Patient.contact', 'BackboneElement')).toBe(true);
    expect(definitions.isA('code', 'string')).toBe(true);
    expect(definitions.isA('string', 'code')).toBe(false);
  });
});

describe('search parameters', () => {
  test('lie under their type with those of Resource and DomainResource', () => {
    const patient = definitions.searchParameters('Patient');
    for (const code of ['_id', '_lastUpdated', '_profile', '_security', '_source', '_tag', '_text', 'birthdate', 'identifier', 'phonetic']) {
      expect([...patient.keys()]).toContain(code);
    }
    expect(definitions.searchParameters('Bundle').has('_text')).toBe(false);
    expect(definitions.searchParameters('Nothing').size).toBe(0);
  });

  test('shared ones keep the whole expression under each base', () => {
    const code = definitions.searchParameters('Condition').get('code');
    expect(code).toBe(definitions.searchParameters('AllergyIntolerance').get('code'));
    expect(code?.expression).toContain('MedicationStatement.medication as CodeableConcept');
  });

  test('leave out the examples of the specification that name real codes', () => {
    expect(definitions.searchParameters('Patient').get('_id')?.url).toBe('http://hl7.org/fhir/SearchParameter/Resource-id');
    expect(definitions.searchParameters('Condition').get('subject')?.url).toBe('http://hl7.org/fhir/SearchParameter/Condition-subject');
    expect(definitions.searchParameters('Patient').has('part-agree')).toBe(false);
  });

  test('composites name the parts', () => {
    expect(definitions.searchParameters('Observation').get('code-value-quantity')?.components).toEqual([
      { definition: 'http://hl7.org/fhir/SearchParameter/clinical-code', expression: 'code' },
      { definition: 'http://hl7.org/fhir/SearchParameter/Observation-value-quantity', expression: 'value.as(Quantity)' },
    ]);
  });

  test('references name their targets, or none where any type will do', () => {
    expect(definitions.searchParameters('Patient').get('organization')?.targets).toEqual(['Organization']);
    expect(definitions.searchParameters('Provenance').get('target')?.targets).toBeUndefined();
  });

  test('each has a key of its own in the index tables, of 32 bits with a sign', () => {
    const pairs = definitions.resourceTypes.flatMap((type) => [...definitions.searchParameters(type).keys()].map((code) => paramKey(type, code)));
    expect(pairs.length).toBeGreaterThan(2500);
    expect(new Set(pairs).size).toBe(pairs.length);
    expect(pairs.every((key) => Number.isInteger(key) && key >= -(2 ** 31) && key < 2 ** 31)).toBe(true);
  });

  test('the key of a parameter never changes: it lies in databases', () => {
    expect(paramKey('', '')).toBe(fnv1a('.'));
    expect(paramKey('Patient', 'birthdate')).toBe(fnv1a('Patient.birthdate'));
  });
});

describe('codes of value sets', () => {
  test('a whole code system, by system and bare', () => {
    const codes = definitions.codes('http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1');
    expect([...(codes ?? [])].sort()).toEqual([
      'http://hl7.org/fhir/administrative-gender|female', 'http://hl7.org/fhir/administrative-gender|male',
      'http://hl7.org/fhir/administrative-gender|other', 'http://hl7.org/fhir/administrative-gender|unknown',
      '|female', '|male', '|other', '|unknown',
    ]);
  });

  test('an import of other sets', () => {
    expect(definitions.codes('http://hl7.org/fhir/ValueSet/all-types')?.has('|Patient')).toBe(true);
    expect(definitions.codes('http://hl7.org/fhir/ValueSet/all-types')?.has('|HumanName')).toBe(true);
  });

  test('lists the currencies of ISO 4217, which HL7 has only expanded', () => {
    const currencies = definitions.codes('http://hl7.org/fhir/ValueSet/currencies');
    expect(currencies?.has('urn:iso:std:iso:4217|GBP')).toBe(true);
    expect(currencies?.has('|GBP')).toBe(true);
    expect(currencies?.has('|GBQ')).toBe(false);
    expect(currencies?.size).toBe(2 * 182);
  });

  test('is undefined for what can not be listed', () => {
    for (const name of ['ucum-units', 'mimetypes', 'no-such-set']) expect(definitions.codes(`http://hl7.org/fhir/ValueSet/${name}`)).toBeUndefined();
  });

  test('all required bindings but three can be listed', () => {
    const required = reachable().filter((element) => element.binding?.strength === 'required');
    const open = new Set(required.map((element) => element.binding?.valueSet ?? '').filter((url) => definitions.codes(url) === undefined));
    expect([...open].sort()).toEqual(['http://hl7.org/fhir/ValueSet/mimetypes', 'http://hl7.org/fhir/ValueSet/ucum-units', 'http://loinc.org/vs/LL379-9']);
  });
});

describe('compartments', () => {
  test('name the parameters that put a resource in', () => {
    expect(definitions.compartment('Patient').get('Account')).toEqual(['subject']);
    expect(definitions.compartment('RelatedPerson').get('AllergyIntolerance')).toEqual(['asserter']);
    expect(definitions.compartment('Nothing').size).toBe(0);
  });

  test('name only parameters that exist', () => {
    const stray = ['Patient', 'Practitioner', 'RelatedPerson', 'Device', 'Encounter'].flatMap((name) => [...definitions.compartment(name)].flatMap(([type, codes]) => {
      return codes.filter((code) => !definitions.searchParameters(type).has(code)).map((code) => `${name}: ${type}.${code}`);
    }));
    expect(stray).toEqual([]);
  });
});

test('our own conformance resources load with HL7\'s', () => {
  const files = ['profiles', 'terminology'].flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json') && !name.startsWith('r4')));
  expect(loadDefinitions().conformanceResources).toHaveLength(files.length);
});

/** Elements of all types that a resource can hold, at any depth. */
function reachable(): ElementRule[] {
  const seen = new Set<string>(definitions.resourceTypes);
  for (const name of seen) for (const element of definitions.type(name)?.elements ?? []) for (const type of element.types) seen.add(type);
  return [...seen].flatMap((name) => definitions.type(name)?.elements ?? []);
}

/** The same function as its authors wrote it, on big integers. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5n;
  for (const byte of Buffer.from(text)) hash = ((hash ^ BigInt(byte)) * 0x01000193n) % 2n ** 32n;
  return Number(BigInt.asIntN(32, hash));
}
