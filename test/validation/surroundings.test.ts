// What only the surroundings of a value can tell: contained resources, entries of a Bundle, where an extension stands.
import type { Resource } from '../../src/fhir/resource.js';
import { loadDefinitions } from '../../src/definitions/load.js';
import { createValidator } from '../../src/validation/validator.js';
import { validator } from './examples.js';

const HL7 = 'http://hl7.org/fhir/StructureDefinition/';

function found(resource: Resource): (string | undefined)[][] {
  return validator.validate(resource).map(({ code, expression }) => [code, expression]);
}

describe('a reference to a contained resource', () => {
  const patient = (reference: string): Resource => ({
    resourceType: 'Patient', managingOrganization: { reference }, generalPractitioner: [{ reference: '#o' }, { reference: '#p' }],
    contained: [{ resourceType: 'Organization', id: 'o', name: 'x' }, { resourceType: 'Practitioner', id: 'p' }],
  });

  test.each([
    ['#o', []],
    ['#p', [['structure', 'Patient.managingOrganization']]],
    ['#q', [['invariant', 'Patient.managingOrganization']]],
    ['#', [['structure', 'Patient.managingOrganization']]],
  ])('%s', (reference, issues) => {
    expect(found(patient(reference))).toEqual(issues);
  });

  test('from another contained resource finds its neighbour, and # its container', () => {
    const resource = (subject: string): Resource => ({
      resourceType: 'Encounter', status: 'planned', class: { code: 'AMB' }, diagnosis: [{ condition: { reference: '#c' } }],
      contained: [{ resourceType: 'Condition', id: 'c', subject: { reference: subject }, encounter: { reference: '#' }, verificationStatus: { text: 'x' } }, { resourceType: 'Patient', id: 'p', managingOrganization: { display: 'x' } }],
    });
    expect(found(resource('#p')).filter(([code]) => code !== 'code-invalid')).toEqual([]);
    expect(found(resource('#q')).filter(([code]) => code !== 'code-invalid')).toEqual([
      ['invariant', 'Encounter.contained[0].subject'], ['invariant', 'Encounter.contained[1]'],
    ]);
  });

  test('in an entry looks in the entry, not in its neighbours', () => {
    const entry = [{ resource: patient('#o') }, { resource: { resourceType: 'Patient', managingOrganization: { reference: '#o' } } }];
    expect(found({ resourceType: 'Bundle', type: 'collection', entry })).toEqual([['invariant', 'Bundle.entry[1].resource.managingOrganization']]);
  });
});

describe('a bundle', () => {
  const ORGANIZATION = 'urn:uuid:c757873d-ec9a-4326-a141-556f43239520';
  const bundle = (reference: string): Resource => ({
    resourceType: 'Bundle', type: 'collection',
    entry: [
      { fullUrl: 'http://example.org/fhir/Patient/p', resource: { resourceType: 'Patient', id: 'p', managingOrganization: { reference } } },
      { fullUrl: ORGANIZATION, resource: { resourceType: 'Organization', name: 'x' } },
      { fullUrl: 'urn:uuid:1757873d-ec9a-4326-a141-556f43239520', resource: { resourceType: 'Device' } },
    ],
  });

  test.each([
    [ORGANIZATION, []],
    ['urn:uuid:0757873d-ec9a-4326-a141-556f43239520', []],
    ['urn:uuid:1757873d-ec9a-4326-a141-556f43239520', [['structure', 'Bundle.entry[0].resource.managingOrganization']]],
  ])('knows what its entries %s are', (reference, issues) => {
    expect(found(bundle(reference))).toEqual(issues);
  });

  test.each([
    ['http://example.org/fhir/Patient/q', [['value', 'Bundle.entry[0]']]],
    ['http://example.org/fhir/Patient/p', []],
    ['Patient/p', [['value', 'Bundle.entry[0]']]],
    ['urn:uuid:2757873d-ec9a-4326-a141-556f43239520', []],
  ])('has a fullUrl %s only where it fits the id', (fullUrl, issues) => {
    expect(found({ resourceType: 'Bundle', type: 'collection', entry: [{ fullUrl, resource: { resourceType: 'Patient', id: 'p' } }] })).toEqual(issues);
  });

  test('of a document holds what its Composition refers to', () => {
    const composition = { resourceType: 'Composition', status: 'final', type: { text: 'x' }, date: '2020', title: 'x', author: [{ reference: ORGANIZATION }], subject: { reference: 'Patient/p' },
      section: [{ section: [{ entry: [{ reference: 'urn:uuid:0757873d-ec9a-4326-a141-556f43239520' }] }] }] };
    const entry = [
      { fullUrl: 'http://example.org/fhir/Composition/c', resource: composition },
      { fullUrl: 'http://example.org/fhir/Patient/p', resource: { resourceType: 'Patient', id: 'p' } },
      { fullUrl: 'urn:uuid:2757873d-ec9a-4326-a141-556f43239520', resource: { resourceType: 'Organization', name: 'x' } },
    ];
    expect(found({ resourceType: 'Bundle', type: 'document', identifier: { system: 'http://example.org', value: 'x' }, timestamp: '2020-01-01T00:00:00Z', entry })).toEqual([
      ['structure', 'Bundle.entry[0].resource.author[0]'], ['structure', 'Bundle.entry[0].resource.section[0].section[0].entry[0]'],
    ]);
  });

  test("has an entry's faults without silencing its own rules", () => {
    const entry = [{ fullUrl: 'urn:uuid:x', resource: { resourceType: 'Patient', birthDate: 'x' }, request: { method: 'GET', url: 'x' } }];
    expect(found({ resourceType: 'Bundle', type: 'collection', entry })).toEqual([['value', 'Bundle.entry[0].resource.birthDate'], ['invariant', 'Bundle']]);
  });
});

describe('an extension of HL7', () => {
  const birthTime = { url: `${HL7}patient-birthTime`, valueDateTime: '1974-12-25T14:35:45-05:00' };

  test.each<[string, Resource, (string | undefined)[][]]>([
    ['where it belongs', { resourceType: 'Patient', birthDate: '1974-12-25', _birthDate: { extension: [birthTime] } }, []],
    ['on another element', { resourceType: 'Patient', extension: [birthTime], birthDate: '1974-12-25' }, [['structure', 'Patient.extension[0]']]],
    ['of another type', { resourceType: 'Practitioner', birthDate: '1974-12-25', _birthDate: { extension: [birthTime] } }, [['structure', 'Practitioner.birthDate.extension[0]']]],
    ['deep in an entry', { resourceType: 'Bundle', type: 'collection', entry: [{ resource: { resourceType: 'Patient', name: [{ family: 'x', extension: [birthTime] }] } }] }, [['structure', 'Bundle.entry[0].resource.name[0].extension[0]']]],
    ['with a value of another type', { resourceType: 'Patient', birthDate: '1974', _birthDate: { extension: [{ url: birthTime.url, valueString: 'x' }] } }, [['structure', 'Patient.birthDate.extension[0]']]],
    ['with extensions instead of a value', { resourceType: 'Patient', birthDate: '1974', _birthDate: { extension: [{ url: birthTime.url, extension: [{ url: 'x', valueString: 'x' }] }] } }, [['structure', 'Patient.birthDate.extension[0]']]],
    ['on any element', { resourceType: 'Patient', name: [{ family: 'x', _family: { extension: [{ url: `${HL7}data-absent-reason`, valueCode: 'unknown' }] } }] }, []],
    ['on its data type, wherever that is', { resourceType: 'Patient', name: [{ family: 'x', _family: { extension: [{ url: `${HL7}humanname-own-prefix`, valueString: 'van' }] } }] }, []],
    ['on another member of its data type', { resourceType: 'Patient', name: [{ text: 'x', _text: { extension: [{ url: `${HL7}humanname-own-prefix`, valueString: 'van' }] } }] }, [['structure', 'Patient.name[0].text.extension[0]']]],
    ['as a modifier, which it is not', { resourceType: 'Patient', modifierExtension: [{ url: `${HL7}patient-birthPlace`, valueAddress: { city: 'x' } }] }, [['structure', 'Patient.modifierExtension[0]']]],
    ['that nobody knows', { resourceType: 'Patient', name: [{ family: 'x', extension: [{ url: `${HL7}unheard-of`, valueString: 'x' }] }] }, []],
  ])('%s', (_, resource, issues) => {
    expect(found(resource)).toEqual(issues);
  });
});

test('an extension of ours stands only where its definition says', () => {
  const own = loadDefinitions();
  const definition = own.conformanceResources.find(({ id }) => id === 'ext-chargeable-status') ?? own.conformanceResources.find(({ type }) => type === 'Extension');
  const url = typeof definition?.url === 'string' ? definition.url : '';
  const issues = createValidator(own).validate({ resourceType: 'Substance', code: { text: 'x' }, extension: [{ url, valueString: 'x' }] });
  expect(own.extension(url)?.contexts.length).toBeGreaterThan(0);
  expect(issues.map(({ expression, text }) => [expression, text.includes('must not stand here')])).toEqual([['Substance.extension[0]', true]]);
});

describe('codes that are too many to list have a form', () => {
  const binary = (contentType: string): Resource => ({ resourceType: 'Binary', contentType });

  test.each(['text/plain', 'application/fhir+json; charset=UTF-8', 'image/*', 'text/plain;a="b c"'])('%s is a MIME type', (type) => {
    expect(found(binary(type))).toEqual([]);
  });

  test.each(['text', 'text/', '/plain', 'text/plain;', 'text/plain; charset'])('%s is none', (type) => {
    expect(found(binary(type))).toEqual([['code-invalid', 'Binary.contentType']]);
  });

  test.each(['en', 'en-GB', 'zh-Hans-CN', 'x-klingon', 'de-DE-1996'])('%s is a language', (language) => {
    expect(found({ resourceType: 'Patient', language })).toEqual([]);
  });

  test.each(['english language', 'e', 'en_GB', 'en-'])('%s is none', (language) => {
    expect(found({ resourceType: 'Patient', language })).toEqual([['code-invalid', 'Patient.language']]);
  });

  test.each([['mg/dL', []], ['nonsense', [['code-invalid', 'RiskEvidenceSynthesis.riskEstimate.unitOfMeasure']]]])('a unit %s', (code, issues) => {
    const resource = { resourceType: 'RiskEvidenceSynthesis', status: 'draft', name: 'Name', population: { display: 'x' }, outcome: { display: 'x' },
      riskEstimate: { unitOfMeasure: { coding: [{ system: 'http://unitsofmeasure.org', code }] } } };
    expect(found(resource)).toEqual(issues);
  });
});

describe('hints', () => {
  test('come only when asked for', () => {
    const resource: Resource = { resourceType: 'ValueSet', status: 'draft', name: 'not a name' };
    expect(validator.validate(resource)).toEqual([]);
    const hints = validator.validate(resource, { hints: true });
    expect(hints.map(({ severity, code, expression }) => [severity, code, expression])).toEqual([['warning', 'invariant', 'ValueSet'], ['warning', 'invariant', 'ValueSet']]);
    expect(hints.map(({ text }) => text.slice(0, 17)).sort()).toEqual(['ValueSet: dom-6: ', 'ValueSet: vsd-0: ']);
  });

  test('are not given of contained resources', () => {
    const text = { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' };
    const resource: Resource = { resourceType: 'Patient', text, managingOrganization: { reference: '#o' }, contained: [{ resourceType: 'Organization', id: 'o', name: 'x' }] };
    expect(validator.validate(resource, { hints: true })).toEqual([]);
  });
});
