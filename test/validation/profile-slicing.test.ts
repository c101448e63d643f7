// Slicing by each kind of discriminator, and what a slicing may ask of the whole. https://hl7.org/fhir/R4/profiling.html#slicing
import { parseSlicePath } from '../../src/validation/slicing-path.js';
import { BASE, found, profile } from './profile-fixture.js';

const LOINC = 'http://loinc.org';
const observation = (rest: object): object => ({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, ...rest });
const patient = (rest: object): object => ({ resourceType: 'Patient', ...rest });
const slicing = (type: string, path: string, rules = 'open', more: object = {}): object => ({ slicing: { discriminator: [{ type, path }], rules, ...more } });
const component = (code: string, rest: object = {}): object => ({ code: { coding: [{ system: LOINC, code }] }, ...rest });
const slice = (id: string, rest: object = {}) => ({ id, sliceName: /:([^.]*)$/.exec(id)?.[1], ...rest });

describe('value', () => {
  const pressure = profile('pressure', 'Observation', [
    { id: 'Observation.component', ...slicing('value', 'code.coding.code') },
    slice('Observation.component:systolic', { min: 1, max: '1' }),
    { id: 'Observation.component:systolic.code', patternCodeableConcept: { coding: [{ system: LOINC, code: '8480-6' }] } },
    slice('Observation.component:diastolic', { min: 1 }),
    { id: 'Observation.component:diastolic.code.coding.code', fixedCode: '8462-4' },
    { id: 'Observation.component:diastolic.value[x]', min: 1 },
  ]);

  test.each([
    [['8480-6'], ['min Observation']],
    [['8480-6', '8480-6', '8462-4'], ['max Observation', 'min Observation.component[2]']],
    [['x'], ['min Observation', 'min Observation']],
  ])('by a code within: %j', async (codes, issues) => {
    expect(await found([pressure], observation({ component: codes.map((code) => component(code)) }))).toEqual(issues);
  });

  test('inside slices within: the coding that a slice must hold', async () => {
    const nested = profile('nested', 'Observation', [
      { id: 'Observation.category', ...slicing('value', 'coding.code') },
      slice('Observation.category:vital', { min: 1 }),
      { id: 'Observation.category:vital.coding', ...slicing('value', 'system') },
      slice('Observation.category:vital.coding:own', { min: 1 }),
      { id: 'Observation.category:vital.coding:own.system', fixedUri: 'http://c' },
      { id: 'Observation.category:vital.coding:own.code', fixedCode: 'v' },
    ]);
    expect(await found([nested], observation({ category: [{ coding: [{ system: 'http://d', code: 'w' }, { system: 'http://c', code: 'v' }] }] }))).toEqual([]);
    expect(await found([nested], observation({ category: [{ coding: [{ system: 'http://c', code: 'w' }] }] }))).toEqual(['min Observation']);
  });

  test('by a required binding', async () => {
    const bound = profile('bound-slices', 'Patient', [
      { id: 'Patient.communication', ...slicing('value', 'language') },
      slice('Patient.communication:gender', { max: '0' }),
      { id: 'Patient.communication:gender.language', binding: { strength: 'required', valueSet: 'http://hl7.org/fhir/ValueSet/administrative-gender' } },
    ]);
    const spoken = (code: string): object => patient({ communication: [{ language: { coding: [{ system: 'http://hl7.org/fhir/administrative-gender', code }] } }] });
    expect(await found([bound], spoken('male'))).toEqual(['max Patient']);
    expect(await found([bound], spoken('en'))).toEqual([]);
  });

  test('by itself', async () => {
    const fixed = profile('this', 'Patient', [
      { id: 'Patient.name.given', ...slicing('value', '$this', 'closed') },
      slice('Patient.name.given:ann', { fixedString: 'Ann', max: '1' }),
    ]);
    expect(await found([fixed], patient({ name: [{ given: ['Ann'] }] }))).toEqual([]);
    expect(await found([fixed], patient({ name: [{ given: ['Ann', 'Eve'] }] }))).toEqual(['slicing Patient.name[0].given[1]']);
  });
});

describe('pattern, exists and type', () => {
  test('a pattern on the element itself', async () => {
    const coded = profile('coded', 'Observation', [
      { id: 'Observation.category', ...slicing('pattern', '$this') },
      slice('Observation.category:lab', { min: 1, patternCodeableConcept: { coding: [{ code: 'laboratory' }] } }),
    ]);
    expect(await found([coded], observation({ category: [{ coding: [{ system: 's:s', code: 'laboratory' }] }] }))).toEqual([]);
    expect(await found([coded], observation({ category: [{ text: 'laboratory' }] }))).toEqual(['min Observation']);
  });

  test('whether an element is there', async () => {
    const dated = profile('dated', 'Patient', [
      { id: 'Patient.address', ...slicing('exists', 'period') },
      slice('Patient.address:old', {}), { id: 'Patient.address:old.period', min: 1 }, { id: 'Patient.address:old.period.end', min: 1 },
      slice('Patient.address:now', { max: '1' }), { id: 'Patient.address:now.period', max: '0' }, { id: 'Patient.address:now.city', min: 1 },
    ]);
    expect(await found([dated], patient({ address: [{ city: 'Leeds' }, { period: { start: '2000' } }, { text: 'x' }] }))).toEqual(['min Patient.address[1].period', 'max Patient', 'min Patient.address[2]']);
  });

  test('the type of what a reference leads to, told by its text or its target', async () => {
    const performers = profile('performers', 'Observation', [
      { id: 'Observation.performer', ...slicing('type', '$this.resolve()') },
      slice('Observation.performer:org', { min: 1, max: '1', type: [{ code: 'Reference', targetProfile: ['http://hl7.org/fhir/StructureDefinition/Organization'] }] }),
    ]);
    expect(await found([performers], observation({ performer: [{ reference: 'Practitioner/1' }, { reference: 'Organization/1' }] }))).toEqual([]);
    expect(await found([performers], observation({ contained: [{ resourceType: 'Organization', id: 'o' }], performer: [{ reference: '#o' }] }))).toEqual([]);
    expect(await found([performers], observation({ performer: [{ reference: 'Practitioner/1' }] }))).toEqual(['min Observation']);
  });

  test('the type of the resource of an entry', async () => {
    const bundle = profile('bundle', 'Bundle', [
      { id: 'Bundle.entry', ...slicing('type', 'resource', 'closed') },
      slice('Bundle.entry:patient', { min: 1, max: '1' }), { id: 'Bundle.entry:patient.resource', type: [{ code: 'Patient' }] }, { id: 'Bundle.entry:patient.resource.birthDate', min: 1 },
    ]);
    const of = (...resources: object[]): object => ({ resourceType: 'Bundle', type: 'collection', entry: resources.map((resource) => ({ resource })) });
    expect(await found([bundle], of(patient({ birthDate: '2000' })))).toEqual([]);
    expect(await found([bundle], of({ resourceType: 'Basic', code: { text: 'x' } }, patient({})))).toEqual(['slicing Bundle.entry[0]', 'min Bundle.entry[1].resource']);
  });
});

describe('profile', () => {
  const named = profile('named', 'Patient', [{ id: 'Patient.name', min: 1 }]);
  const entries = profile('entries', 'Bundle', [
    { id: 'Bundle.entry', ...slicing('profile', 'resource') },
    slice('Bundle.entry:named', { min: 1 }), { id: 'Bundle.entry:named.resource', type: [{ code: 'Patient', profile: [`${BASE}/named`] }] }, { id: 'Bundle.entry:named.fullUrl', min: 1 },
  ]);
  const subject = profile('subject', 'Observation', [
    { id: 'Observation.performer', ...slicing('profile', 'resolve()') },
    slice('Observation.performer:named', { min: 1, type: [{ code: 'Reference', targetProfile: [`${BASE}/named`] }] }),
  ]);

  test('of a resource within', async () => {
    const of = (name: object): object => ({ resourceType: 'Bundle', type: 'collection', entry: [{ resource: patient(name) }] });
    expect(await found([named, entries], of({ name: [{ text: 'A' }] }))).toEqual(['min Bundle.entry[0]']);
    expect(await found([named, entries], of({}))).toEqual(['min Bundle']);
  });

  test('of what a reference leads to', async () => {
    const of = (name: object): object => observation({ contained: [{ resourceType: 'Patient', id: 'p', ...name }], performer: [{ reference: '#p' }] });
    expect(await found([named, subject], of({ name: [{ text: 'A' }] }))).toEqual([]);
    expect(await found([named, subject], of({}))).toEqual(['min Observation']);
  });
});

describe('extensions', () => {
  const colour = profile('colour', 'Extension', [{ id: 'Extension.url', fixedUri: `${BASE}/colour` }, { id: 'Extension.value[x]', min: 1, type: [{ code: 'code' }] }]);
  const coloured = profile('coloured', 'Patient', [slice('Patient.extension:colour', { min: 1, max: '1', type: [{ code: 'Extension', profile: [`${BASE}/colour`] }] })]);

  test('are told apart by url, and judged by their own definition', async () => {
    const of = (...extension: object[]): object => patient({ extension });
    expect(await found([colour, coloured], of({ url: `${BASE}/colour`, valueCode: 'red' }, { url: 'http://other', valueString: 'x' }))).toEqual([]);
    expect(await found([colour, coloured], of({ url: `${BASE}/colour`, valueString: 'red' }))).toEqual(['type Patient.extension[0].value.ofType(string)']);
    expect(await found([colour, coloured], patient({}))).toEqual(['min Patient']);
  });

  test('of an element may tell its slices apart', async () => {
    const marked = profile('marked', 'Patient', [
      { id: 'Patient.contact', ...slicing('value', `extension('${BASE}/colour').value`) },
      slice('Patient.contact:red', { min: 1 }), slice('Patient.contact:red.extension:colour', { type: [{ code: 'Extension', profile: [`${BASE}/colour`] }] }),
      { id: 'Patient.contact:red.extension:colour.value[x]', fixedCode: 'red' },
    ]);
    const of = (valueCode: string): object => patient({ contact: [{ name: { text: 'A' }, extension: [{ url: `${BASE}/colour`, valueCode }] }] });
    expect(await found([colour, marked], of('red'))).toEqual([]);
    expect(await found([colour, marked], of('blue'))).toEqual(['min Patient']);
  });

  test('of primitives count', async () => {
    const birth = profile('birth', 'Patient', [slice('Patient.birthDate.extension:colour', { min: 1, type: [{ code: 'Extension', profile: [`${BASE}/colour`] }] })]);
    expect(await found([colour, birth], patient({ birthDate: '2000', _birthDate: { extension: [{ url: `${BASE}/colour`, valueCode: 'red' }] } }))).toEqual([]);
    expect(await found([colour, birth], patient({ birthDate: '2000' }))).toEqual(['min Patient.birthDate']);
  });
});

describe('a choice narrowed by ofType()', () => {
  const typed = profile('typed', 'Observation', [
    { id: 'Observation.component', ...slicing('value', 'value.ofType(CodeableConcept)') },
    slice('Observation.component:coded', { min: 1 }), { id: 'Observation.component:coded.value[x]', patternCodeableConcept: { coding: [{ code: 'a' }] } },
  ]);
  test('only sees that type', async () => {
    expect(await found([typed], observation({ component: [component('x', { valueCodeableConcept: { coding: [{ code: 'a' }] } })] }))).toEqual([]);
    expect(await found([typed], observation({ component: [component('x', { valueString: 'a' })] }))).toEqual(['min Observation']);
  });
});

describe('the whole', () => {
  const rules = (rule: string, more: object = {}) => profile('whole', 'Observation', [
    { id: 'Observation.component', ...slicing('pattern', 'code', rule, more) },
    ...['a', 'b'].flatMap((code) => [slice(`Observation.component:${code}`), { id: `Observation.component:${code}.code`, patternCodeableConcept: { coding: [{ code }] } }]),
  ]);
  const of = (...codes: string[]): object => observation({ component: codes.map((code) => component(code)) });

  test.each([
    ['open', {}, ['x', 'a'], []],
    ['closed', {}, ['x', 'a'], ['slicing Observation.component[0]']],
    ['openAtEnd', {}, ['a', 'x'], []],
    ['openAtEnd', {}, ['x', 'a'], ['slicing Observation.component[1]']],
    ['open', { ordered: true }, ['a', 'x', 'b'], []],
    ['open', { ordered: true }, ['b', 'a'], ['slicing Observation.component[1]']],
    ['open', { ordered: false }, ['b', 'a'], []],
  ])('%s %j: %j', async (rule, more, codes, issues) => {
    expect(await found([rules(rule, more)], of(...codes))).toEqual(issues);
  });

  test('reslices divide the members of a slice', async () => {
    const resliced = profile('resliced', 'Patient', [
      { id: 'Patient.telecom', ...slicing('value', 'system') },
      slice('Patient.telecom:phone', { max: '2', ...slicing('value', 'use') }), { id: 'Patient.telecom:phone.system', min: 1, fixedCode: 'phone' },
      slice('Patient.telecom:phone/home', { min: 1, max: '1' }), { id: 'Patient.telecom:phone/home.use', min: 1, fixedCode: 'home' },
    ]);
    const telecom = (...uses: string[]): object => patient({ telecom: uses.map((use) => ({ system: 'phone', value: '1', use })) });
    expect(await found([resliced], telecom('home', 'work'))).toEqual([]);
    expect(await found([resliced], telecom('work'))).toEqual(['min Patient']);
    expect(await found([resliced], telecom('home', 'home'))).toEqual(['max Patient']);
    expect(await found([resliced], telecom('home', 'work', 'work'))).toEqual(['max Patient']);
  });

  test('a slice that nothing tells apart is a note, and refuses nothing', async () => {
    const vague = profile('vague', 'Patient', [{ id: 'Patient.name', ...slicing('value', 'use') }, slice('Patient.name:vague', { min: 1 })]);
    expect(await found([vague], patient({}))).toEqual([]);
    expect(await found([vague], patient({}), { advice: true })).toEqual(['slicing Patient']);
  });

  test('without discriminators, what meets all that a slice says belongs to it', async () => {
    const bare = profile('bare', 'Patient', [{ id: 'Patient.name', slicing: { rules: 'open' } }, slice('Patient.name:full', { min: 1 }), { id: 'Patient.name:full.family', min: 1 }]);
    expect(await found([bare], patient({ name: [{ family: 'A' }] }))).toEqual([]);
    expect(await found([bare], patient({ name: [{ text: 'A' }] }))).toEqual(['min Patient']);
  });

  test('ten thousand items take no more than a moment', async () => {
    const start = performance.now();
    await found([rules('closed')], of(...Array.from({ length: 10_000 }, () => 'a')));
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

test.each([
  ['$this', []],
  ['code.coding', [{ kind: 'child', name: 'code' }, { kind: 'child', name: 'coding' }]],
  ["$this.extension('http://a.b/c').value", [{ kind: 'extension', url: 'http://a.b/c' }, { kind: 'child', name: 'value' }]],
  ['value.ofType(Reference).resolve()', [{ kind: 'child', name: 'value' }, { kind: 'type', type: 'Reference' }, { kind: 'resolve' }]],
])('the path %s', (path, steps) => {
  expect(parseSlicePath(path)).toEqual(steps);
});
