// What a validator says of good resources, of hostile ones, and in which words.
import fc from 'fast-check';
import type { JsonObject, JsonValue, Resource } from '../../src/fhir/resource.js';
import { createValidator } from '../../src/validation/validator.js';
import { change, definitions, example, exampleNames, validator } from './examples.js';
import { placesOf } from './places.js';

function wordsOf(name: string, at: string, value: JsonValue | undefined): string | undefined {
  return validator.validate(change(example(name), at, value))[0]?.text;
}

describe('a good resource', () => {
  test.each(exampleNames)('%s has no issues', (name) => {
    expect(validator.validate(example(name))).toEqual([]);
  });

  test.each([
    ['patient', 'managingOrganization.reference', 'Organization?identifier=x|1'],
    ['patient', 'managingOrganization.reference', 'urn:uuid:c757873d-ec9a-4326-a141-556f43239520'],
    ['patient', 'managingOrganization.reference', 'https://example.org/fhir/Organization/1/_history/2'],
    ['patient', 'managingOrganization.reference', 'http://example.org/anything/else'],
    ['patient', 'birthDate', '2000-02-29'],
    ['observation', 'effectiveDateTime', '2016-12-31T23:59:60.5-14:00'],
    ['observation', 'valueInteger', -2147483648],
    ['observation', 'valueBoolean', false],
    ['consent', 'sourceAttachment', { contentType: 'text/plain', data: 'YWJj\nZA==' }],
    ['patient', 'name.0.given', ['Ünïcode', '\ud83d\ude00', 'a\tb']],
    ['patient', 'name.0._given', [{ id: 'first' }]],
    ['condition', 'clinicalStatus.coding.1', { system: 'http://example.org', code: 'local' }],
    ['patient', 'link', undefined],
  ])('%s with %s = %j has none either', (name, at, value) => {
    expect(validator.validate(change(example(name), at, value))).toEqual([]);
  });
});

describe('the words of an issue', () => {
  test('say where, what was found and what is allowed', () => {
    expect(wordsOf('patient', 'gender', 'femail')).toBe(
      "Patient.gender: 'femail' is not in the value set administrative-gender (required): male | female | other | unknown",
    );
  });

  test.each([
    ['birthdate', '1970-01-01', "Patient: there is no element 'birthdate' in Patient: did you mean 'birthDate'?"],
    ['adress', [], "Patient: there is no element 'adress' in Patient: did you mean 'address'?"],
    ['deceased', true, "Patient: there is no element 'deceased' in Patient: write it with its type, as deceasedBoolean | deceasedDateTime"],
  ])('of an unknown %s point at the right name', (at, value, words) => {
    expect(wordsOf('patient', at, value)).toBe(words);
  });

  test('list the elements there are, where no name is near', () => {
    expect(wordsOf('patient', 'telecom.0.zzzzzz', 1)).toBe(
      "Patient.telecom[0]: there is no element 'zzzzzz' in ContactPoint: it holds id, extension, system, value, use, rank, period",
    );
  });

  test('name the forms of a missing choice', () => {
    expect(wordsOf('medication-request', 'medicationReference', undefined)).toBe(
      "MedicationRequest: 'medication[x]' is missing, and required here: give one of medicationCodeableConcept, medicationReference",
    );
  });

  test.each(['gender', 'birthDate', 'id'])('echo no more than 40 characters of %s', (at) => {
    const words = wordsOf('patient', at, `${'Confidential '.repeat(1000)}end`) ?? '';
    expect(words).toContain("'Confidential Confidential Confidential …'");
    expect(words.length).toBeLessThan(250);
  });

  test('echo no more than 40 characters of a name either, and no half character or line end', () => {
    const words = wordsOf('patient', `${'a'.repeat(37)}\n\ud83d\ude00${'b'.repeat(1000)}`, 1) ?? '';
    expect(words).toContain(`'${'a'.repeat(37)} …'`);
    expect(() => encodeURIComponent(words)).not.toThrow();
  });
});

describe('all faults at once', () => {
  test('come in document order', () => {
    const resource: Resource = { resourceType: 'Patient', gender: 'x', name: [{ family: '' }, { given: [1, 'a', {}] }], colour: 'red' };
    expect(validator.validate(resource).map((issue) => issue.expression)).toEqual([
      'Patient.gender', 'Patient.name[0].family', 'Patient.name[1].given[0]', 'Patient.name[1].given[2]', 'Patient',
    ]);
  });

  test('stop at a hundred, and the last issue says so', () => {
    const issues = validator.validate({ resourceType: 'Patient', name: Array.from({ length: 1_000_000 }, () => null) });
    expect(issues).toHaveLength(101);
    expect(issues[99]?.expression).toBe('Patient.name[99]');
    expect(issues[100]).toEqual({ severity: 'error', code: 'too-costly', text: 'There are more faults than the 100 listed: correct these and send it again' });
  });

  test('are listed without a last issue where there are exactly a hundred', () => {
    expect(validator.validate({ resourceType: 'Patient', name: Array.from({ length: 100 }, () => null) })).toHaveLength(100);
  });
});

describe('a resource of no known type', () => {
  test.each([['Patients'], ['Resource'], ['DomainResource'], ['HumanName'], ['__proto__'], ['toString'], ['']])('%j is one structure issue', (resourceType) => {
    const issues = validator.validate({ resourceType, id: 'x' });
    expect(issues.map(({ code, expression }) => [code, expression])).toEqual([['structure', 'Resource']]);
  });
});

test('a definition whose element name is no name is refused before it becomes code', () => {
  const evil = { name: "x': throw 1; case 'y", path: 'Patient.x', min: 0, max: 1, types: ['string'] };
  const type = (name: string) => ({ ...definitions.type(name)!, elements: [evil] });
  expect(() => createValidator({ ...definitions, type }).validate({ resourceType: 'Patient', id: 'x' })).toThrow('Not an element name');
});

describe('for any place in any example', () => {
  const anyPlace = fc.constantFrom(...exampleNames).chain((name) => {
    const places = placesOf(example(name), definitions);
    return fc.record({ name: fc.constant(name), place: fc.nat(places.length - 1) });
  });

  test('an unknown member is one structure issue at its parent', () => {
    fc.assert(fc.property(anyPlace, fc.string({ minLength: 1 }).filter((text) => !/^[a-z_]/.test(text)), ({ name, place }, member) => {
      const resource = example(name);
      const places = placesOf(resource, definitions).filter(({ value }) => typeof value === 'object');
      const { value, path } = places[place % places.length]!;
      (value as JsonObject)[member] = 1;
      expect(validator.validate(resource).map(({ code, expression }) => [code, expression])).toEqual([['structure', path]]);
    }));
  });

  test.each([[null], [{}], [[]], [''], [[[1]]]])('%j in the place of a value is refused there', (wrong) => {
    fc.assert(fc.property(anyPlace, ({ name, place }) => {
      const resource = example(name);
      const { path, replace } = placesOf(resource, definitions)[place]!;
      replace(wrong);
      const issues = validator.validate(resource).filter((issue) => issue.expression === path);
      expect(issues.map((issue) => issue.code).filter((code) => code === 'structure' || code === 'value')).toHaveLength(1);
    }));
  });
});

test('any JSON object is answered with issues, never with an exception', () => {
  const types = fc.constantFrom(...definitions.resourceTypes);
  const members = fc.constantFrom('id', 'name', 'status', 'code', '_status', 'extension', 'contained', 'valueQuantity', 'item', '__proto__', 'text');
  fc.assert(fc.property(types, fc.dictionary(members, fc.jsonValue()), (resourceType, body) => {
    const issues = validator.validate({ ...body, resourceType });
    for (const issue of issues.slice(0, 100)) expect(issue.expression?.startsWith(resourceType)).toBe(true);
  }), { numRuns: 500 });
});
