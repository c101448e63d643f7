// What a profile may ask of an element, each rule by itself. https://hl7.org/fhir/R4/profiling.html
import { BASE, found, profile } from './profile-fixture.js';

const NHS = 'https://fhir.nhs.uk/Id/nhs-number';
const patient = (rest: object = {}): object => ({ resourceType: 'Patient', ...rest });
const observation = (rest: object = {}): object => ({ resourceType: 'Observation', status: 'final', code: { coding: [{ system: 'http://loinc.org', code: '8480-6' }] }, ...rest });

describe('cardinality', () => {
  const needs = profile('needs', 'Patient', [{ id: 'Patient.name', min: 1, max: '2' }, { id: 'Patient.contact', max: '0' }, { id: 'Patient.name.family', min: 1 }, { id: 'Patient.birthDate', min: 1 }]);

  test('what is missing is told at the parent', async () => {
    expect(await found([needs], patient({ name: [{ family: 'A' }, { text: 'B' }] }))).toEqual(['min Patient.name[1]', 'min Patient']);
  });

  test('what is too many, or forbidden, too', async () => {
    expect(await found([needs], patient({ birthDate: '2000', name: [{ family: 'A' }, { family: 'B' }, { family: 'C' }], contact: [{ name: { text: 'D' } }] }))).toEqual(['max Patient', 'max Patient']);
  });

  test('a primitive that has extensions alone is there', async () => {
    const absent = { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }] };
    expect(await found([needs], patient({ name: [{ _family: absent }], _birthDate: absent }))).toEqual([]);
  });
});

describe('fixed and pattern', () => {
  const fixed = profile('fixed', 'Patient', [{ id: 'Patient.active', fixedBoolean: false }, { id: 'Patient.maritalStatus', fixedCodeableConcept: { coding: [{ system: 'http://s', code: 'M' }] } }]);
  const pattern = profile('pattern', 'Observation', [{ id: 'Observation.code', patternCodeableConcept: { coding: [{ system: 'http://loinc.org', code: '8480-6' }] } }]);

  test.each([
    [patient({ active: false, maritalStatus: { coding: [{ system: 'http://s', code: 'M' }] } }), []],
    [patient({ active: true }), ['fixed Patient.active']],
    [patient({ maritalStatus: { coding: [{ system: 'http://s', code: 'M', display: 'x' }] } }), ['fixed Patient.maritalStatus']],
  ])('%j: fixed means nothing else', async (resource, issues) => {
    expect(await found([fixed], resource)).toEqual(issues);
  });

  test.each([
    [[{ system: 'http://x', code: 'y' }, { system: 'http://loinc.org', code: '8480-6', display: 'Systolic' }], []],
    [[{ system: 'http://loinc.org', code: '1' }, { system: 'http://x', code: '8480-6' }], ['pattern Observation.code']],
  ])('a pattern is met by what holds it: %j', async (coding, issues) => {
    expect(await found([pattern], observation({ code: { coding } }))).toEqual(issues);
  });
});

describe('types', () => {
  const narrow = profile('narrow', 'Observation', [
    { id: 'Observation.value[x]', type: [{ code: 'Quantity' }, { code: 'string' }] },
    { id: 'Observation.subject', type: [{ code: 'Reference', targetProfile: ['http://hl7.org/fhir/StructureDefinition/Patient'] }] },
    { id: 'Observation.value[x]:valueQuantity', sliceName: 'valueQuantity', type: [{ code: 'Quantity' }] },
    { id: 'Observation.value[x]:valueQuantity.code', min: 1, fixedCode: 'kg' },
  ]);

  test.each([
    [{ valueQuantity: { value: 1, code: 'kg' }, subject: { reference: 'Patient/1' } }, []],
    [{ valueString: 'x', subject: { display: 'somebody' } }, []],
    [{ valueInteger: 1 }, ['type Observation.value.ofType(integer)']],
    [{ valueQuantity: { value: 1, code: 'g' } }, ['fixed Observation.value.ofType(Quantity).code']],
    [{ valueQuantity: { value: 1 } }, ['min Observation.value.ofType(Quantity)']],
    [{ subject: { reference: 'Group/1' } }, ['target Observation.subject']],
    [{ subject: { type: 'Device', identifier: { value: '1' } } }, ['target Observation.subject']],
  ])('%j', async (rest, issues) => {
    expect(await found([narrow], observation(rest))).toEqual(issues);
  });

  test('the short form of a choice speaks of that form alone', async () => {
    const short = profile('short', 'Observation', [{ id: 'Observation.valueQuantity', path: 'Observation.valueQuantity' }, { id: 'Observation.valueQuantity.unit', path: 'Observation.valueQuantity.unit', min: 1 }]);
    expect(await found([short], observation({ valueQuantity: { value: 1 } }))).toEqual(['min Observation.value.ofType(Quantity)']);
    expect(await found([short], observation({ valueString: 'x' }))).toEqual([]);
  });
});

describe('bindings', () => {
  const bound = (strength: string, valueSet: string): ReturnType<typeof profile> => profile('bound', 'Patient', [{ id: 'Patient.maritalStatus', binding: { strength, valueSet } }]);
  const GENDER = 'http://hl7.org/fhir/ValueSet/administrative-gender';
  const coded = (code: string): object => patient({ maritalStatus: { coding: [{ system: 'http://hl7.org/fhir/administrative-gender', code }] } });

  test('a required one is an error', async () => {
    expect(await found([bound('required', GENDER)], coded('male'))).toEqual([]);
    expect(await found([bound('required', GENDER)], coded('x'))).toEqual(['binding Patient.maritalStatus']);
  });

  test('an extensible one is advice, which only some want', async () => {
    expect(await found([bound('extensible', GENDER)], coded('x'))).toEqual([]);
    expect(await found([bound('extensible', GENDER)], coded('x'), { advice: true })).toEqual(['binding Patient.maritalStatus']);
  });

  test('a set that can\'t be listed gives a note', async () => {
    expect(await found([bound('required', 'http://e.example/ValueSet/none')], coded('x'))).toEqual([]);
    expect(await found([bound('required', 'http://e.example/ValueSet/none')], coded('x'), { advice: true })).toEqual(['binding Patient.maritalStatus']);
  });
});

describe('constraints', () => {
  const rule = (severity: string, expression: string) => profile('rule', 'Patient', [{ id: 'Patient.name', constraint: [{ key: 'nam-1', severity, human: 'A name has a family name', expression }] }]);

  test('are asked of each value', async () => {
    expect(await found([rule('error', 'family.exists()')], patient({ name: [{ family: 'A' }, { text: 'B' }] }))).toEqual(['nam-1 Patient.name[1]']);
  });

  test('that only warn are advice', async () => {
    expect(await found([rule('warning', 'family.exists()')], patient({ name: [{ text: 'B' }] }))).toEqual([]);
    expect(await found([rule('warning', 'family.exists()')], patient({ name: [{ text: 'B' }] }), { advice: true })).toEqual(['nam-1 Patient.name[0]']);
  });

  test('that are no FHIRPath are told of, and refuse nothing', async () => {
    expect(await found([rule('error', 'family.exists(')], patient({ name: [{ text: 'B' }] }))).toEqual([]);
    expect(await found([rule('error', 'famly.exists()')], patient({ name: [{ text: 'B' }] }), { advice: true })).toEqual(['nam-1 Patient.name[0]']);
  });

  test('see the resource they stand in', async () => {
    expect(await found([rule('error', '%resource.active = true')], patient({ active: true, name: [{ text: 'B' }] }))).toEqual([]);
    expect(await found([rule('error', '%resource.active = true')], patient({ active: false, name: [{ text: 'B' }] }))).toEqual(['nam-1 Patient.name[0]']);
  });
});

describe('lengths and ranges', () => {
  const limited = profile('limited', 'Patient', [{ id: 'Patient.name.family', maxLength: 3 }, { id: 'Patient.birthDate', minValueDate: '1900-01-01' }, { id: 'Patient.multipleBirth[x]', maxValueInteger: 8 }]);

  test.each([
    [{ name: [{ family: 'Abc' }], birthDate: '1900-01-01', multipleBirthInteger: 8 }, []],
    [{ name: [{ family: 'Abcd' }], birthDate: '1899-12-31', multipleBirthInteger: 9 }, ['maxLength Patient.name[0].family', 'minValue Patient.birthDate', 'maxValue Patient.multipleBirth.ofType(integer)']],
  ])('%j', async (rest, issues) => {
    expect(await found([limited], patient(rest))).toEqual(issues);
  });
});

describe('chains', () => {
  const first = profile('first', 'Patient', [
    { id: 'Patient.identifier', slicing: { discriminator: [{ type: 'value', path: 'system' }], rules: 'open' }, min: 1 },
    { id: 'Patient.identifier:nhs', sliceName: 'nhs', min: 0, max: '1' },
    { id: 'Patient.identifier:nhs.system', min: 1, fixedUri: NHS },
  ]);
  const second = profile('second', 'Patient', [{ id: 'Patient.identifier:nhs', sliceName: 'nhs', min: 1 }, { id: 'Patient.identifier:nhs.value', min: 1 }, { id: 'Patient.identifier', max: '2' }], { baseDefinition: `${BASE}/first` });

  test.each([
    [[{ system: NHS, value: '1' }, { value: 'x' }], []],
    [[{ value: 'x' }], ['min Patient']],
    [[{ system: NHS }], ['min Patient.identifier[0]']],
    [[{ system: NHS, value: '1' }, { system: NHS, value: '2' }], ['max Patient']],
    [[{ system: NHS, value: '1' }, { value: '2' }, { value: '3' }], ['max Patient']],
    [undefined, ['min Patient', 'min Patient']],
  ])('a profile of a profile asks both: %j', async (identifier, issues) => {
    expect(await found([first, second], patient({ identifier }))).toEqual(issues);
  });

  test('a chain that goes in a circle ends', async () => {
    const round = profile('round', 'Patient', [{ id: 'Patient.name', min: 1 }], { baseDefinition: `${BASE}/round` });
    expect(await found([round], patient())).toEqual(['min Patient']);
  });
});

describe('profiles of data types', () => {
  const identifier = profile('nhs-identifier', 'Identifier', [{ id: 'Identifier.system', min: 1, fixedUri: NHS }]);
  const other = profile('other-identifier', 'Identifier', [{ id: 'Identifier.assigner', min: 1 }]);
  const one = profile('one', 'Patient', [{ id: 'Patient.identifier', type: [{ code: 'Identifier', profile: [`${BASE}/nhs-identifier`] }] }]);
  const either = profile('either', 'Patient', [{ id: 'Patient.identifier', type: [{ code: 'Identifier', profile: [`${BASE}/nhs-identifier`, `${BASE}/other-identifier`] }] }]);

  test('what one profile asks is told as its own rule', async () => {
    expect(await found([identifier, one], patient({ identifier: [{ system: NHS }, { system: 'http://x' }] }))).toEqual(['fixed Patient.identifier[1].system']);
  });

  test('of several, one will do', async () => {
    expect(await found([identifier, other, either], patient({ identifier: [{ system: NHS }, { assigner: { display: 'a' } }, { system: 'http://x' }] }))).toEqual(['profile Patient.identifier[2]']);
  });

  test('one that nobody knows is a note', async () => {
    expect(await found([one], patient({ identifier: [{ value: '1' }] }))).toEqual([]);
    expect(await found([one], patient({ identifier: [{ value: '1' }] }), { advice: true })).toEqual(['profile Patient.identifier[0]']);
  });
});

describe('profiles of references', () => {
  const parent = profile('parent', 'Organization', [{ id: 'Organization.partOf', type: [{ code: 'Reference', targetProfile: [`${BASE}/child`] }] }]);
  const child = profile('child', 'Organization', [{ id: 'Organization.name', min: 1 }, { id: 'Organization.partOf', type: [{ code: 'Reference', targetProfile: [`${BASE}/parent`] }] }]);
  const patientOf = profile('patient-of', 'Patient', [{ id: 'Patient.managingOrganization', type: [{ code: 'Reference', targetProfile: [`${BASE}/child`] }] }]);
  const contained = (name: object): object => patient({
    contained: [{ resourceType: 'Organization', id: 'a', ...name, partOf: { reference: '#b' } }, { resourceType: 'Organization', id: 'b', partOf: { reference: '#a' } }],
    managingOrganization: { reference: '#a' },
  });

  test('are asked of what is contained, round in a circle too', async () => {
    expect(await found([parent, child, patientOf], contained({ name: 'A' }))).toEqual([]);
    expect(await found([parent, child, patientOf], contained({}))).toEqual(['target Patient.managingOrganization']);
  });

  test('are asked of the entries of a bundle, by fullUrl and by type and id', async () => {
    const bundled = (reference: string, name: object): object => ({
      resourceType: 'Bundle', type: 'collection',
      entry: [
        { fullUrl: 'http://h/fhir/Patient/1', resource: { ...patient({ id: '1', managingOrganization: { reference } }), meta: { profile: [`${BASE}/patient-of`] } } },
        { fullUrl: 'http://h/fhir/Organization/o', resource: { resourceType: 'Organization', id: 'o', ...name } },
      ],
    });
    for (const reference of ['Organization/o', 'http://h/fhir/Organization/o']) {
      expect(await found([parent, child, patientOf], bundled(reference, { name: 'A' }), { also: [] })).toEqual([]);
      expect(await found([parent, child, patientOf], bundled(reference, {}), { also: [] })).toEqual(['target Bundle.entry[0].resource.managingOrganization']);
    }
  });

  test('go by the type where the target is not at hand', async () => {
    expect(await found([parent, child, patientOf], patient({ managingOrganization: { reference: 'Organization/elsewhere' } }))).toEqual([]);
  });
});
