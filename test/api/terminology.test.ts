// The operations of terminology over what HL7 publishes and what an administrator posts. https://hl7.org/fhir/R4/terminology-service.html
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadDefinitions } from '../../src/definitions/load.js';
import { createValidator } from '../../src/validation/validator.js';
import { type Answer, startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

const HL7 = 'http://hl7.org/fhir';
const V3 = 'http://terminology.hl7.org/CodeSystem/v3-';
const ANIMALS = 'http://example.org/CodeSystem/animals';
const validator = createValidator(loadDefinitions());
let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  for (const resource of [animals, pets, loopA, loopB, colours]) expect((await put(resource)).status).toBe(201);
});
afterAll(() => server.close());

const concept = (code: string, display: string, more: object = {}) => ({ code, display, ...more });
const head = (resourceType: string, id: string, more: object) => ({ resourceType, id, url: `http://example.org/${resourceType}/${id}`, version: '1', name: id, status: 'active', ...more });

const animals = head('CodeSystem', 'animals', {
  title: 'Animals', content: 'complete', caseSensitive: true, hierarchyMeaning: 'is-a',
  property: [{ code: 'legs', type: 'integer', description: 'How many' }, { code: 'status', type: 'code' }, { code: 'notSelectable', type: 'boolean' }],
  concept: [
    concept('animal', 'Animal', {
      property: [{ code: 'notSelectable', valueBoolean: true }],
      concept: [
        concept('mammal', 'Mammal', { concept: [
          concept('dog', 'Dog', { definition: 'It barks', designation: [{ language: 'de', value: 'Hund' }, { language: 'fr-CH', value: 'Chien fidèle' }], property: [{ code: 'legs', valueInteger: 4 }] }),
          concept('cat', 'Cat', { property: [{ code: 'legs', valueInteger: 4 }] }),
          concept('whale', 'Grey whale'),
        ] }),
        concept('bird', 'Bird', { property: [{ code: 'legs', valueInteger: 2 }], concept: [concept('dodo', 'Dodo', { property: [{ code: 'status', valueCode: 'retired' }] })] }),
      ],
    }),
    concept('rock', 'Pet rock'),
  ],
});
const include = (part: object) => ({ include: [{ system: ANIMALS, ...part }] });
const pets = head('ValueSet', 'pets', { compose: { include: [{ system: ANIMALS, filter: [{ property: 'concept', op: 'is-a', value: 'mammal' }] }, { system: ANIMALS, concept: [{ code: 'rock', display: 'Rock' }] }], exclude: [{ system: ANIMALS, concept: [{ code: 'whale' }] }] } });
const loopA = head('ValueSet', 'loop-a', { compose: { include: [{ valueSet: ['http://example.org/ValueSet/loop-b'] }] } });
const loopB = head('ValueSet', 'loop-b', { compose: { include: [{ valueSet: ['http://example.org/ValueSet/loop-a'] }] } });
const COLOURS = 'http://example.org/ConceptMap/colours';
const colours = head('ConceptMap', 'colours', {
  sourceUri: 'http://example.org/ValueSet/en', targetUri: 'http://example.org/ValueSet/de',
  group: [
    { source: 'urn:en', target: 'urn:de', element: [
      { code: 'red', target: [{ code: 'rot', display: 'Rot', equivalence: 'equivalent' }] },
      { code: 'crimson', target: [{ code: 'rot', equivalence: 'wider' }] },
      { code: 'mauve', target: [{ equivalence: 'unmatched' }] },
      { code: 'green', target: [{ code: 'hell', equivalence: 'narrower', comment: 'Light green is one of the greens', dependsOn: [{ property: 'urn:shade', system: 'urn:shades', value: 'light' }] }, { code: 'dunkel', equivalence: 'narrower', comment: 'Dark green is one of the greens', dependsOn: [{ property: 'urn:shade', value: 'dark' }] }] },
    ], unmapped: { mode: 'fixed', code: 'bunt', display: 'Bunt' } },
    { source: 'urn:provided', target: 'urn:same', element: [{ code: 'a', target: [{ code: 'b', equivalence: 'equal' }] }], unmapped: { mode: 'provided' } },
    { source: 'urn:elsewhere', target: 'urn:t', element: [{ code: 'a', target: [{ code: 'b', equivalence: 'equal' }] }], unmapped: { mode: 'other-map', url: COLOURS } },
  ],
});

const put = (resource: any): Promise<Answer> => server.send('PUT', `${resource.resourceType}/${resource.id}`, { token: server.tokens.admin, body: resource });
const get = (path: string, query: Record<string, string> | [string, string][] = {}, token = server.tokens.supplier): Promise<Answer> =>
  server.send('GET', `${path}?${new URLSearchParams(query).toString()}`, { token });
const post = (path: string, parameter: object[]): Promise<Answer> => server.send('POST', path, { token: server.tokens.supplier, body: { resourceType: 'Parameters', parameter } });
const valid = (answer: Answer): any => {
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 200 });
  expect(validator.validate(answer.body)).toEqual([]);
  return answer.body;
};
/** The first value of each parameter by name. */
const outputs = (answer: Answer): any => Object.fromEntries(valid(answer).parameter.map((one: any) => [one.name, Object.entries(one).find(([member]) => member.startsWith('value'))?.[1] ?? one.part]));
const codesIn = (contains: any[] = []): string[] => contains.flatMap((one) => [one.code, ...codesIn(one.contains)]);
const expanded = (answer: Answer): string[] => codesIn(valid(answer).expansion.contains);
const composed = (compose: object, query: object[] = []): Promise<Answer> => post('ValueSet/$expand', [{ name: 'valueSet', resource: { resourceType: 'ValueSet', status: 'active', compose } }, ...query]);

describe('CodeSystem/$lookup', () => {
  test('tells what is known of a code, by GET and by POST', async () => {
    const answer = await get('CodeSystem/$lookup', { system: ANIMALS, code: 'dog' });
    expect(valid(answer).parameter).toEqual([
      { name: 'name', valueString: 'Animals' },
      { name: 'version', valueString: '1' },
      { name: 'display', valueString: 'Dog' },
      { name: 'designation', part: [{ name: 'language', valueCode: 'de' }, { name: 'value', valueString: 'Hund' }] },
      { name: 'designation', part: [{ name: 'language', valueCode: 'fr-CH' }, { name: 'value', valueString: 'Chien fidèle' }] },
      { name: 'property', part: [{ name: 'code', valueCode: 'definition' }, { name: 'value', valueString: 'It barks' }] },
      { name: 'property', part: [{ name: 'code', valueCode: 'inactive' }, { name: 'value', valueBoolean: false }] },
      { name: 'property', part: [{ name: 'code', valueCode: 'parent' }, { name: 'value', valueCode: 'mammal' }] },
      { name: 'property', part: [{ name: 'code', valueCode: 'legs' }, { name: 'value', valueInteger: 4 }, { name: 'description', valueString: 'How many' }] },
    ]);
    expect((await post('CodeSystem/$lookup', [{ name: 'coding', valueCoding: { system: ANIMALS, code: 'dog', version: '1' } }])).body).toEqual(answer.body);
    expect((await post('CodeSystem/$lookup', [{ name: 'code', valueCode: 'dog' }, { name: 'system', valueUri: ANIMALS }])).body).toEqual(answer.body);
  });

  test('knows HL7\'s code systems, and the NHS\'s', async () => {
    expect(outputs(await get('CodeSystem/$lookup', { system: `${HL7}/administrative-gender`, code: 'female' }))).toMatchObject({ name: 'AdministrativeGender', version: '4.0.1', display: 'Female' });
    expect(outputs(await get('CodeSystem/$lookup', { system: 'urn:iso:std:iso:4217', code: 'GBP' }))).toMatchObject({ display: 'Pound sterling' });
    expect(outputs(await get('CodeSystem/$lookup', { system: 'https://fhir.nhs.uk/spine-chargeable-status-1', code: 'Y' })).display).toEqual(expect.any(String));
  });

  test('gives the properties and the language that are asked for', async () => {
    const ask = (...pairs: [string, string][]) => get('CodeSystem/$lookup', [['system', ANIMALS], ['code', 'mammal'], ...pairs]);
    const children = valid(await ask(['property', 'child'])).parameter.slice(3);
    expect(children.map(({ part }: any) => part.map((one: any) => one.valueCode))).toEqual([['child', 'dog'], ['child', 'cat'], ['child', 'whale']]);
    expect(outputs(await get('CodeSystem/$lookup', { system: ANIMALS, code: 'dog', displayLanguage: 'fr' })).display).toBe('Chien fidèle');
    expect(valid(await get('CodeSystem/$lookup', { system: ANIMALS, code: 'dog', property: 'lang.de' })).parameter.slice(3)).toEqual([{ name: 'designation', part: [{ name: 'language', valueCode: 'de' }, { name: 'value', valueString: 'Hund' }] }]);
  });

  test.each([
    ['an unknown code', { system: ANIMALS, code: 'DOG' }, 404, 'not-found', /DOG/],
    ['an unknown system', { system: 'urn:nowhere', code: 'x' }, 404, 'not-found', /terminology load.*TERMINOLOGY_URL is not set/],
    ['an unknown version', { system: ANIMALS, code: 'dog', version: '7' }, 404, 'not-found', /version 7/],
    ['no system', { code: 'dog' }, 400, 'value', /system/],
    ['another parameter', { system: ANIMALS, code: 'dog', colour: 'red' }, 400, 'not-supported', /colour/],
    ['a Coding in a query', { coding: `${ANIMALS}|dog` }, 400, 'value', /POST/],
  ])('refuses %s', async (_name, query: any, status, code, text) => {
    expectRefusal(await get('CodeSystem/$lookup', query), status, { code, text });
  });
});

describe('CodeSystem/$validate-code', () => {
  test.each([
    ['a code', { url: ANIMALS, code: 'dog' }, { result: true, display: 'Dog' }],
    ['its display, whatever the case', { url: ANIMALS, code: 'dog', display: 'DOG' }, { result: true }],
    ['a designation', { url: ANIMALS, code: 'dog', display: 'Hund' }, { result: true }],
    ['another display', { url: ANIMALS, code: 'dog', display: 'Cat' }, { result: false, display: 'Dog', message: expect.stringMatching(/"Cat".*"Dog"/) }],
    ['another code', { url: ANIMALS, code: 'wolf' }, { result: false, message: expect.stringMatching(/wolf/) }],
    ['a retired code', { url: ANIMALS, code: 'dodo' }, { result: true, message: expect.stringMatching(/no longer/) }],
    ['an abstract code', { url: ANIMALS, code: 'animal' }, { result: true }],
    ['an abstract code where none is to be', { url: ANIMALS, code: 'animal', abstract: 'false' }, { result: false }],
  ])('judges %s', async (_name, query: any, expected) => {
    expect(outputs(await get('CodeSystem/$validate-code', query))).toMatchObject(expected);
  });

  test('takes an instance, a coding, a concept, and a code system in the body', async () => {
    expect(outputs(await get('CodeSystem/animals/$validate-code', { code: 'cat' }))).toMatchObject({ result: true });
    expect(outputs(await post('CodeSystem/$validate-code', [{ name: 'coding', valueCoding: { system: ANIMALS, code: 'cat' } }]))).toMatchObject({ result: true });
    expect(outputs(await post('CodeSystem/animals/$validate-code', [{ name: 'coding', valueCoding: { system: 'urn:other', code: 'cat' } }]))).toMatchObject({ result: false });
    const concepts = [{ system: ANIMALS, code: 'wolf' }, { system: ANIMALS, code: 'cat' }];
    expect(outputs(await post('CodeSystem/$validate-code', [{ name: 'url', valueUri: ANIMALS }, { name: 'codeableConcept', valueCodeableConcept: { coding: concepts } }]))).toMatchObject({ result: true });
    const given = { resourceType: 'CodeSystem', url: 'urn:given', status: 'draft', content: 'complete', caseSensitive: false, concept: [{ code: 'Aa' }] };
    expect(outputs(await post('CodeSystem/$validate-code', [{ name: 'codeSystem', resource: given }, { name: 'code', valueCode: 'aA' }]))).toMatchObject({ result: true });
  });

  test('refuses a system that nobody knows, and a body that is not FHIR', async () => {
    expectRefusal(await get('CodeSystem/$validate-code', { url: 'http://snomed.info/sct', code: '73211009' }), 404, { code: 'not-found', text: /terminology load/ });
    expectRefusal(await post('CodeSystem/$validate-code', [{ name: 'codeSystem', resource: { resourceType: 'CodeSystem', concept: 'x' } }]), 400);
    expectRefusal(await get('CodeSystem/$validate-code', { url: ANIMALS }), 400, { text: /code, coding or codeableConcept/ });
  });
});

describe('CodeSystem/$subsumes', () => {
  test.each([['mammal', 'dog', 'subsumes'], ['dog', 'animal', 'subsumed-by'], ['dog', 'dog', 'equivalent'], ['dog', 'cat', 'not-subsumed'], ['dog', 'bird', 'not-subsumed']])('%s and %s: %s', async (codeA, codeB, outcome) => {
    const body = { resourceType: 'Parameters', parameter: [{ name: 'outcome', valueCode: outcome }] };
    expect(valid(await get('CodeSystem/$subsumes', { system: ANIMALS, codeA, codeB }))).toEqual(body);
    expect(valid(await get('CodeSystem/animals/$subsumes', { codeA, codeB }))).toEqual(body);
    expect(valid(await post('CodeSystem/$subsumes', [{ name: 'codingA', valueCoding: { system: ANIMALS, code: codeA } }, { name: 'codingB', valueCoding: { system: ANIMALS, code: codeB } }]))).toEqual(body);
  });

  test('knows HL7\'s hierarchies', async () => {
    expect(outputs(await get('CodeSystem/$subsumes', { system: `${V3}ActClass`, codeA: 'ACT', codeB: 'OBS' })).outcome).toBe('subsumes');
  });

  test('refuses unknown codes, two systems, and too little', async () => {
    expectRefusal(await get('CodeSystem/$subsumes', { system: ANIMALS, codeA: 'dog', codeB: 'wolf' }), 404, { code: 'not-found', text: /wolf/ });
    expectRefusal(await get('CodeSystem/$subsumes', { system: ANIMALS, codeA: 'dog' }), 400, { text: /codeB/ });
    expectRefusal(await post('CodeSystem/$subsumes', [{ name: 'codingA', valueCoding: { system: ANIMALS, code: 'dog' } }, { name: 'codingB', valueCoding: { system: 'urn:b', code: 'x' } }]), 400, { text: /different code systems/ });
  });
});

describe('ValueSet/$expand', () => {
  const PETS = 'http://example.org/ValueSet/pets';

  test('lists what is included and not excluded, as a tree, with the set\'s own words', async () => {
    const body = valid(await get('ValueSet/$expand', { url: PETS }));
    expect(body).toMatchObject({ resourceType: 'ValueSet', url: PETS, version: '1', status: 'active', expansion: { identifier: expect.stringMatching(/^urn:uuid:/), timestamp: expect.any(String), total: 4 } });
    expect(body.compose).toBeUndefined();
    expect(body.expansion.contains).toEqual([
      { system: ANIMALS, code: 'mammal', display: 'Mammal', contains: [{ system: ANIMALS, code: 'dog', display: 'Dog' }, { system: ANIMALS, code: 'cat', display: 'Cat' }] },
      { system: ANIMALS, code: 'rock', display: 'Rock' },
    ]);
    expect(body.expansion.parameter).toEqual([{ name: 'version', valueUri: `${ANIMALS}|1` }]);
    expect(codesIn((await get('ValueSet/pets/$expand')).body.expansion.contains)).toEqual(['mammal', 'dog', 'cat', 'rock']);
    expect(valid(await get('ValueSet/$expand', { url: PETS, includeDefinition: 'true' })).compose).toEqual((pets as any).compose);
  });

  test('is flat where that is asked for, paged, or filtered', async () => {
    const flat = valid(await get('ValueSet/$expand', { url: PETS, excludeNested: 'true' })).expansion.contains;
    expect(flat.map(({ code, contains }: any) => [code, contains])).toEqual([['mammal', undefined], ['dog', undefined], ['cat', undefined], ['rock', undefined]]);
    const page = valid(await get('ValueSet/$expand', { url: PETS, offset: '1', count: '2' })).expansion;
    expect(page).toMatchObject({ total: 4, offset: 1, contains: [{ code: 'dog' }, { code: 'cat' }] });
    expect(valid(await get('ValueSet/$expand', { url: PETS, count: '0' })).expansion).toMatchObject({ total: 4 });
    expect(expanded(await get('ValueSet/$expand', { url: PETS, offset: '9' }))).toEqual([]);
  });

  test.each([['DO', ['dog']], ['hund', ['dog']], ['fidele', ['dog']], ['chien fi', ['dog']], ['fi chi', ['dog']], ['oc', ['rock']], ['pet', []], ['zebra', []]])('finds by %s', async (filter, codes) => {
    expect(expanded(await get('ValueSet/$expand', { url: PETS, filter }))).toEqual(codes);
  });

  test('gives designations and languages', async () => {
    const dog = async (query: object) => valid(await get('ValueSet/$expand', { url: PETS, filter: 'dog', ...query })).expansion.contains[0];
    expect((await dog({ includeDesignations: 'true' })).designation).toHaveLength(2);
    expect((await dog({ designation: 'urn:ietf:bcp:47|de' })).designation).toEqual([{ language: 'de', value: 'Hund' }]);
    expect(await dog({ displayLanguage: 'de' })).toEqual({ system: ANIMALS, code: 'dog', display: 'Hund' });
  });

  test('marks what is abstract or inactive, and leaves the latter out when asked', async () => {
    const all = (await composed({ include: [{ system: ANIMALS }] })).body.expansion;
    expect(all.total).toBe(8);
    expect(all.contains[0]).toMatchObject({ code: 'animal', abstract: true });
    expect(all.contains[0].contains[1].contains).toEqual([{ system: ANIMALS, inactive: true, code: 'dodo', display: 'Dodo' }]);
    expect(expanded(await composed({ include: [{ system: ANIMALS }] }, [{ name: 'activeOnly', valueBoolean: true }]))).not.toContain('dodo');
    expect(expanded(await composed({ inactive: false, include: [{ system: ANIMALS }] }))).not.toContain('dodo');
  });

  test.each([
    ['concept = dog', 'concept', '=', 'dog', ['dog']],
    ['is-a', 'concept', 'is-a', 'bird', ['bird', 'dodo']],
    ['descendent-of', 'concept', 'descendent-of', 'bird', ['dodo']],
    ['is-not-a', 'concept', 'is-not-a', 'animal', ['rock']],
    ['generalizes', 'concept', 'generalizes', 'dog', ['animal', 'mammal', 'dog']],
    ['in', 'concept', 'in', 'dog, cat', ['dog', 'cat']],
    ['not-in', 'concept', 'not-in', 'animal,mammal,dog,cat,whale,bird', ['dodo', 'rock']],
    ['regex of the whole code', 'code', 'regex', 'd.*', ['dog', 'dodo']],
    ['a property', 'legs', '=', '4', ['dog', 'cat']],
    ['exists', 'legs', 'exists', 'true', ['dog', 'cat', 'bird']],
    ['exists not', 'definition', 'exists', 'false', ['animal', 'mammal', 'cat', 'whale', 'bird', 'dodo', 'rock']],
    ['parent', 'parent', '=', 'mammal', ['dog', 'cat', 'whale']],
    ['child', 'child', '=', 'dodo', ['bird']],
  ])('filters by %s', async (_name, property, op, value, codes) => {
    expect(expanded(await composed(include({ filter: [{ property, op, value }] })))).toEqual(codes);
  });

  test('all filters of an include hold, and all sets it imports', async () => {
    expect(expanded(await composed(include({ filter: [{ property: 'legs', op: '=', value: '4' }, { property: 'code', op: 'regex', value: 'c.*' }] })))).toEqual(['cat']);
    expect(expanded(await composed(include({ valueSet: [PETS], filter: [{ property: 'legs', op: 'exists', value: 'true' }] })))).toEqual(['dog', 'cat']);
    expect(expanded(await composed({ include: [{ valueSet: [`${PETS}|1`] }], exclude: [{ valueSet: [PETS] }] }))).toEqual([]);
  });

  test('expands HL7\'s value sets, and what an element is bound to', async () => {
    const genders = ['male', 'female', 'other', 'unknown'];
    expect(expanded(await get('ValueSet/$expand', { url: `${HL7}/ValueSet/administrative-gender` }))).toEqual(genders);
    expect(expanded(await get('ValueSet/$expand', { context: 'Patient.gender' }))).toEqual(genders);
    expect(expanded(await get('ValueSet/$expand', { context: `${HL7}/StructureDefinition/Patient#Patient.gender` }))).toEqual(genders);
    expect(expanded(await get('ValueSet/$expand', { url: `${HL7}/ValueSet/currencies` }))).toHaveLength(182);
    expect(expanded(await get('ValueSet/$expand', { url: 'http://terminology.hl7.org/ValueSet/v3-ActEncounterCode' }))).toContain('AMB');
  });

  test('takes a ValueSet as the body', async () => {
    const body = { resourceType: 'ValueSet', status: 'draft', compose: include({ concept: [{ code: 'cat' }, { code: 'wolf' }] }) };
    const answer = await server.send('POST', 'ValueSet/$expand', { token: server.tokens.supplier, body });
    expect(expanded(answer)).toEqual(['cat']);
  });

  test('lists the codes of a system that is not held', async () => {
    const compose = { include: [{ system: 'http://snomed.info/sct', concept: [{ code: '1', display: 'One' }, { code: '2' }] }], exclude: [{ system: 'http://snomed.info/sct', concept: [{ code: '2' }] }] };
    expect(valid(await composed(compose)).expansion.contains).toEqual([{ system: 'http://snomed.info/sct', code: '1', display: 'One' }]);
  });

  test.each([
    ['an unknown set', { url: 'http://example.org/ValueSet/none' }, 404, 'not-found', /not known/],
    ['an unknown version', { url: `${PETS}|9` }, 404, 'not-found', /not known/],
    ['sets that import each other', { url: 'http://example.org/ValueSet/loop-a' }, 422, 'invalid', /loop-a -> .*loop-b -> .*loop-a/],
    ['no set', {}, 400, 'value', /url, context or valueSet/],
    ['a count below 0', { url: PETS, count: '-1' }, 400, 'value', /count/],
    ['a context without binding', { context: 'Patient.birthDate' }, 400, 'value', /bound/],
    ['a system that is not here', { url: 'http://snomed.info/sct?fhir_vs' }, 404, 'not-found', /terminology load/],
    ['LOINC, which is not here', { url: 'http://loinc.org/vs' }, 404, 'not-found', /loinc.*terminology load/],
  ])('refuses %s', async (_name, query: any, status, code, text) => {
    expectRefusal(await get('ValueSet/$expand', query), status, { code, text });
  });

  test('refuses filters that can\'t be told, and patterns without end', async () => {
    expectRefusal(await composed(include({ filter: [{ property: 'colour', op: '=', value: 'x' }] })), 422, { code: 'not-supported', text: /colour/ });
    expectRefusal(await composed(include({ filter: [{ property: 'code', op: 'regex', value: '(' }] })), 422, { code: 'not-supported', text: /regular expression/ });
    const long = { resourceType: 'CodeSystem', id: 'long', url: 'urn:long', status: 'active', content: 'complete', concept: [{ code: `${'a'.repeat(40)}b` }] };
    expect((await put(long)).status).toBe(201);
    expectRefusal(await composed({ include: [{ system: 'urn:long', filter: [{ property: 'code', op: 'regex', value: '(a|a)*c' }] }] }), 422, { code: 'too-costly', text: /too long/ });
  });

  test('refuses more than one answer holds, and gives it in pages', async () => {
    const many = head('CodeSystem', 'many', { content: 'complete', concept: Array.from({ length: 10_001 }, (_, n) => ({ code: `c${n}` })) });
    expect((await put(many)).status).toBe(201);
    const compose = { include: [{ system: 'http://example.org/CodeSystem/many' }] };
    expectRefusal(await composed(compose), 422, { code: 'too-costly', text: /10001.*count and offset/ });
    expect(expanded(await composed(compose, [{ name: 'offset', valueInteger: 10_000 }, { name: 'count', valueInteger: 5 }]))).toEqual(['c10000']);
  });

  test('keeps to the versions asked for', async () => {
    const second = { ...animals, id: 'animals-2', version: '2', concept: [{ code: 'dog', display: 'Dog of 2' }] };
    const all = [['url', PETS], ['filter', 'dog']] as [string, string][];
    expect((await put(second)).status).toBe(201);
    try {
      const display = async (...pairs: [string, string][]) => valid(await get('ValueSet/$expand', [...all, ...pairs])).expansion.contains?.[0]?.display;
      expect(await display()).toBeUndefined();
      expect(await display(['system-version', `${ANIMALS}|1`])).toBe('Dog');
      expect(outputs(await get('CodeSystem/$lookup', { system: ANIMALS, code: 'dog' }))).toMatchObject({ version: '2', display: 'Dog of 2' });
      expect(outputs(await get('CodeSystem/$lookup', { system: ANIMALS, code: 'dog', version: '1' }))).toMatchObject({ version: '1', display: 'Dog' });
      expect(expanded(await get('ValueSet/$expand', [['url', PETS], ['exclude-system', ANIMALS]]))).toEqual([]);
    } finally {
      await server.send('DELETE', 'CodeSystem/animals-2', { token: server.tokens.admin });
    }
    expect(expanded(await get('ValueSet/$expand', all))).toEqual(['dog']);
  });

  test('follows a write at once', async () => {
    const set = head('ValueSet', 'changing', { compose: include({ concept: [{ code: 'dog' }] }) });
    const now = async () => expanded(await get('ValueSet/$expand', { url: 'http://example.org/ValueSet/changing' }));
    await put(set);
    expect(await now()).toEqual(['dog']);
    await put({ ...set, compose: include({ concept: [{ code: 'cat' }] }) });
    expect(await now()).toEqual(['cat']);
    await put({ ...set, id: 'changing-draft', version: '9', status: 'draft', compose: include({ concept: [{ code: 'rock' }] }) });
    expect(await now()).toEqual(['cat']);
  });
});

describe('ValueSet/$validate-code', () => {
  const url = 'http://example.org/ValueSet/pets';

  test.each([
    ['a code', { url, system: ANIMALS, code: 'dog' }, { result: true, display: 'Dog' }],
    ['a code without its system', { url, code: 'dog' }, { result: true }],
    ['an excluded code', { url, system: ANIMALS, code: 'whale' }, { result: false, message: expect.stringMatching(/whale.*pets/) }],
    ['another code of the system', { url, system: ANIMALS, code: 'bird' }, { result: false }],
    ['another system', { url, system: 'urn:other', code: 'dog' }, { result: false }],
    ['the set\'s own display', { url, system: ANIMALS, code: 'rock', display: 'rock' }, { result: true, display: 'Rock' }],
    ['a wrong display', { url, system: ANIMALS, code: 'dog', display: 'Cat' }, { result: false, display: 'Dog' }],
    ['a set of a binding', { context: 'Patient.gender', code: 'male' }, { result: true }],
    ['a code that is none of a binding', { context: 'Patient.gender', code: 'm' }, { result: false }],
    ['a set of HL7\'s', { url: `${HL7}/ValueSet/currencies`, system: 'urn:iso:std:iso:4217', code: 'GBQ' }, { result: false }],
  ])('judges %s', async (_name, query: any, expected) => {
    expect(outputs(await get('ValueSet/$validate-code', query))).toMatchObject(expected);
  });

  test('takes an instance, codings, concepts and a set in the body', async () => {
    expect(outputs(await get('ValueSet/pets/$validate-code', { system: ANIMALS, code: 'cat' }))).toMatchObject({ result: true });
    const coding = (code: string) => ({ system: ANIMALS, code });
    const judge = async (...parameters: object[]) => outputs(await post('ValueSet/$validate-code', parameters));
    expect(await judge({ name: 'url', valueUri: url }, { name: 'coding', valueCoding: coding('cat') })).toMatchObject({ result: true });
    expect(await judge({ name: 'url', valueUri: url }, { name: 'codeableConcept', valueCodeableConcept: { coding: [coding('whale'), coding('cat')] } })).toMatchObject({ result: true });
    expect(await judge({ name: 'url', valueUri: url }, { name: 'codeableConcept', valueCodeableConcept: { coding: [coding('whale'), coding('bird')] } })).toMatchObject({ result: false, message: expect.stringMatching(/whale.*bird/) });
    expect(await judge({ name: 'valueSet', resource: { resourceType: 'ValueSet', status: 'draft', compose: include({}) } }, { name: 'coding', valueCoding: coding('bird') })).toMatchObject({ result: true });
  });

  test('refuses what it can\'t tell, and says how it could', async () => {
    expectRefusal(await get('ValueSet/$validate-code', { url: 'http://snomed.info/sct?fhir_vs=isa/73211009', system: 'http://snomed.info/sct', code: '1' }), 422, { code: 'not-supported', text: /TERMINOLOGY_URL is not set/ });
    expectRefusal(await get('ValueSet/$validate-code', { url: 'http://example.org/ValueSet/none', code: 'x' }), 404, { code: 'not-found' });
    expectRefusal(await get('ValueSet/nobody/$validate-code', { code: 'x' }), 404, { code: 'not-found' });
    expectRefusal(await get('ValueSet/$validate-code', { code: 'x' }), 400, { text: /url, context or valueSet/ });
  });
});

describe('ConceptMap/$translate', () => {
  const translate = async (query: Record<string, string>) => {
    const { parameter } = valid(await get('ConceptMap/$translate', query));
    return { result: parameter[0].valueBoolean, matches: parameter.filter(({ name }: any) => name === 'match').map(({ part }: any) => [part[0].valueCode, part.find(({ name }: any) => name === 'concept')?.valueCoding.code]) };
  };

  test('gives the codes a map names, exactly shaped', async () => {
    expect(valid(await get('ConceptMap/$translate', { url: COLOURS, system: 'urn:en', code: 'red' })).parameter).toEqual([
      { name: 'result', valueBoolean: true },
      { name: 'match', part: [{ name: 'equivalence', valueCode: 'equivalent' }, { name: 'concept', valueCoding: { system: 'urn:de', code: 'rot', display: 'Rot' } }, { name: 'source', valueUri: COLOURS }] },
    ]);
  });

  test.each([
    ['a narrower code', { url: COLOURS, system: 'urn:en', code: 'crimson' }, true, [['wider', 'rot']]],
    ['an unmatched code', { url: COLOURS, system: 'urn:en', code: 'mauve' }, false, [['unmatched', undefined]]],
    ['the other way round', { url: COLOURS, system: 'urn:de', code: 'rot', reverse: 'true' }, true, [['equivalent', 'red'], ['narrower', 'crimson']]],
    ['a code the map lacks, fixed', { url: COLOURS, system: 'urn:en', code: 'pink' }, true, [['inexact', 'bunt']]],
    ['a code the map lacks, as it is', { url: COLOURS, system: 'urn:provided', code: 'pink' }, true, [['equal', 'pink']]],
    ['another system', { url: COLOURS, system: 'urn:fr', code: 'rouge' }, false, []],
    ['another target', { url: COLOURS, system: 'urn:en', code: 'red', targetsystem: 'urn:fr' }, false, []],
    ['without a map', { system: 'urn:en', code: 'red', target: 'http://example.org/ValueSet/de' }, true, [['equivalent', 'rot']]],
    ['without a map, to another set', { system: 'urn:en', code: 'red', target: 'http://example.org/ValueSet/fr' }, false, []],
    ['by our own map', { system: 'https://fhir.nhs.uk/spine-category-status-1', code: 'A', targetsystem: 'https://fhir.nhs.uk/spine-chargeable-status-1' }, true, [['wider', 'N']]],
    ['by HL7\'s', { url: `${HL7}/ConceptMap/101`, system: `${HL7}/address-use`, code: 'home' }, true, [['equivalent', 'H']]],
  ])('translates %s', async (_name, query: any, result, matches) => {
    expect(await translate(query)).toEqual({ result, matches });
  });

  test('takes an instance, a coding, a concept, dependencies and a map in the body', async () => {
    const red = { system: 'urn:en', code: 'red' };
    expect(outputs(await post('ConceptMap/colours/$translate', [{ name: 'coding', valueCoding: red }])).result).toBe(true);
    expect(outputs(await post('ConceptMap/$translate', [{ name: 'conceptMap', resource: colours }, { name: 'codeableConcept', valueCodeableConcept: { coding: [red] } }])).result).toBe(true);
    const dark = { name: 'dependency', part: [{ name: 'element', valueUri: 'urn:shade' }, { name: 'concept', valueCodeableConcept: { coding: [{ code: 'dark' }] } }] };
    const { parameter } = valid(await post('ConceptMap/colours/$translate', [{ name: 'coding', valueCoding: { ...red, code: 'green' } }, dark]));
    expect(parameter.filter(({ name }: any) => name === 'match').map(({ part }: any) => part[1].valueCoding.code)).toEqual(['dunkel']);
  });

  test('refuses unknown maps, too little, and maps that lead in a circle', async () => {
    expectRefusal(await get('ConceptMap/$translate', { url: 'urn:none', system: 'urn:en', code: 'red' }), 404, { code: 'not-found' });
    expectRefusal(await get('ConceptMap/$translate', { url: COLOURS, code: 'red' }), 400, { text: /system/ });
    expectRefusal(await get('ConceptMap/$translate', { url: COLOURS, system: 'urn:elsewhere', code: 'x' }), 422, { text: /without end/ });
  });
});

describe('who may', () => {
  test.each(['admin', 'ovm', 'supplier', 'homeOffice'] as const)('%s asks', async (role) => {
    expect((await get('CodeSystem/$lookup', { system: ANIMALS, code: 'dog' }, server.tokens[role])).status).toBe(200);
    expect((await get('ValueSet/$expand', { url: 'http://example.org/ValueSet/pets' }, server.tokens[role])).status).toBe(200);
  });

  test.each(['ovm', 'supplier', 'homeOffice'] as const)('%s writes none', async (role) => {
    for (const resource of [animals, pets, colours] as any[])
      expectRefusal(await server.send('PUT', `${resource.resourceType}/${resource.id}`, { token: server.tokens[role], body: resource }), 403);
  });

  test('nobody without a token', async () => {
    expectRefusal(await server.send('GET', `ValueSet/$expand?url=${HL7}/ValueSet/administrative-gender`), 401);
  });
});

describe('another terminology server', () => {
  let other: Server;
  let asking: TestServer;
  const asked: { url: string; body: any }[] = [];
  let reply: (url: string) => object | undefined = () => undefined;
  beforeAll(async () => {
    other = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        asked.push({ url: request.url ?? '', body: JSON.parse(Buffer.concat(chunks).toString('utf8')) });
        const answer = reply(request.url ?? '');
        if (answer) response.writeHead(200, { 'content-type': 'application/fhir+json' }).end(JSON.stringify(answer));
        else response.writeHead(404).end();
      });
    });
    await new Promise<void>((resolve) => { other.listen(0, '127.0.0.1', resolve); });
    asking = await startServer({ TERMINOLOGY_URL: `http://127.0.0.1:${(other.address() as AddressInfo).port}/r4/` });
  });
  afterAll(async () => {
    await asking.close();
    other.closeAllConnections();
    await new Promise((resolve) => other.close(resolve));
  });
  const ask = (path: string) => asking.send('GET', path, { token: asking.tokens.supplier });
  const SNOMED = 'http://snomed.info/sct';

  test('is asked for what is not here, and only for that', async () => {
    reply = (url) => (url.endsWith('$expand')
      ? { resourceType: 'ValueSet', status: 'active', expansion: { timestamp: '2026-01-01', contains: [{ system: SNOMED, code: '1' }] } }
      : { resourceType: 'Parameters', parameter: [{ name: 'result', valueBoolean: true }, { name: 'display', valueString: 'Diabetes' }] });
    const set = encodeURIComponent(`${SNOMED}?fhir_vs=isa/73211009`);
    expect(outputs(await ask(`ValueSet/$validate-code?url=${set}&system=${SNOMED}&code=73211009`))).toEqual({ result: true, display: 'Diabetes' });
    expect(asked.at(-1)).toMatchObject({ url: '/r4/ValueSet/$validate-code', body: { parameter: [{ name: 'valueSet', resource: { compose: { include: [{ system: SNOMED }] } } }, { name: 'code', valueCode: '73211009' }, { name: 'system', valueUri: SNOMED }] } });
    expect(outputs(await ask(`CodeSystem/$validate-code?url=${SNOMED}&code=73211009`))).toMatchObject({ result: true });
    expect(expanded(await ask(`ValueSet/$expand?url=${set}&filter=dia`))).toEqual(['1']);
    expect(asked).toHaveLength(3);
    expect(outputs(await ask(`CodeSystem/$validate-code?url=${HL7}/administrative-gender&code=male`))).toMatchObject({ result: true });
    expect(asked).toHaveLength(3);
  });

  test('that does not know either is named', async () => {
    reply = () => undefined;
    expectRefusal(await ask(`CodeSystem/$validate-code?url=${SNOMED}&code=1`), 404, { text: /127\.0\.0\.1.*does not know it either/ });
  });
});
