// FHIRPath Patch on the text of a resource: one test per kind of operation, place and value.
import { loadDefinitions } from '../../src/definitions/load.js';
import { FhirError } from '../../src/fhir/errors.js';
import { readJson } from '../../src/fhir/json-text.js';
import { parseTree, treeText } from '../../src/fhir/json-tree.js';
import { applyFhirpathPatch } from '../../src/interactions/fhirpath-patch.js';
import { readPatchOperations } from '../../src/interactions/patch-operations.js';

const definitions = loadDefinitions({ profiles: false });

type Part = Record<string, unknown>;
const part = (name: string, value: Part): Part => ({ name, ...value });
const text = (name: string, value: string): Part => ({ name, valueString: value });
const number = (name: string, value: number): Part => ({ name, valueInteger: value });
const operation = (type: string, path: string, ...parts: Part[]): Part => ({ name: 'operation', part: [{ name: 'type', valueCode: type }, text('path', path), ...parts] });
const add = (path: string, name: string, value: Part): Part => operation('add', path, text('name', name), part('value', value));
const insert = (path: string, index: number, value: Part): Part => operation('insert', path, number('index', index), part('value', value));
const replace = (path: string, value: Part): Part => operation('replace', path, part('value', value));
const remove = (path: string): Part => operation('delete', path);
const move = (path: string, source: number, destination: number): Part => operation('move', path, number('source', source), number('destination', destination));

function applyText(document: string, parameters: string): string {
  return treeText(applyFhirpathPatch(parseTree(document), readPatchOperations(readJson(parameters)), definitions));
}
const apply = (resource: object, ...parameter: Part[]): unknown => JSON.parse(applyText(JSON.stringify(resource), JSON.stringify({ resourceType: 'Parameters', parameter })));
const patient = (more: object = {}) => ({ resourceType: 'Patient', id: 'p', ...more });
const observation = (more: object = {}) => ({ resourceType: 'Observation', status: 'final', code: { text: 'c' }, ...more });
const extension = [{ url: 'http://example.org/x', valueString: 'x' }];

test.each<[string, object, Part[], object]>([
  ['adds a primitive', patient(), [add('Patient', 'birthDate', { valueDate: '1930-01-01' })], patient({ birthDate: '1930-01-01' })],
  ['adds a complex value', patient(), [add('Patient', 'maritalStatus', { valueCodeableConcept: { text: 'married' } })], patient({ maritalStatus: { text: 'married' } })],
  ['adds the first of a list', patient(), [add('Patient', 'name', { valueHumanName: { family: 'A' } })], patient({ name: [{ family: 'A' }] })],
  ['adds to the end of a list', patient({ name: [{ family: 'A' }] }), [add('Patient', 'name', { valueHumanName: { family: 'B' } })], patient({ name: [{ family: 'A' }, { family: 'B' }] })],
  ['adds a backbone by its parts, their lists gathered', patient(), [add('Patient', 'contact', { part: [part('name', { valueHumanName: { family: 'A' } }), part('telecom', { valueContactPoint: { value: '1' } }), part('telecom', { valueContactPoint: { value: '2' } })] })], patient({ contact: [{ name: { family: 'A' }, telecom: [{ value: '1' }, { value: '2' }] }] })],
  ['adds backbones inside each other', { resourceType: 'Questionnaire', status: 'draft' }, [add('Questionnaire', 'item', { part: [text('linkId', '1'), part('type', { valueCode: 'group' }), part('item', { part: [text('linkId', '1.1'), part('type', { valueCode: 'string' })] })] })], { resourceType: 'Questionnaire', status: 'draft', item: [{ linkId: '1', type: 'group', item: [{ linkId: '1.1', type: 'string' }] }] }],
  ['adds a choice by the name of FHIRPath', observation(), [add('Observation', 'value', { valueQuantity: { value: 1 } })], observation({ valueQuantity: { value: 1 } })],
  ['adds a choice by the name of the definition', observation(), [add('Observation', 'value[x]', { valueString: 's' })], observation({ valueString: 's' })],
  ['adds a choice by the name of the JSON', observation(), [add('Observation', 'valueString', { valueString: 's' })], observation({ valueString: 's' })],
  ['adds a choice inside parts', observation(), [add('Observation', 'component', { part: [part('code', { valueCodeableConcept: { text: 'c' } }), part('value', { valueDateTime: '2026' })] })], observation({ component: [{ code: { text: 'c' }, valueDateTime: '2026' }] })],
  ['adds an extension, whose type Parameters does not take', patient(), [add('Patient', 'extension', { part: [part('url', { valueUri: 'http://example.org/x' }), part('value', { valueString: 'x' })] })], patient({ extension })],
  ['adds an extension to a primitive', patient({ birthDate: '1930' }), [add('Patient.birthDate', 'extension', { part: [part('url', { valueUri: 'http://example.org/x' }), part('value', { valueString: 'x' })] })], patient({ birthDate: '1930', _birthDate: { extension } })],
  ['adds an extension to a primitive of a list', patient({ name: [{ given: ['A', 'B'] }] }), [add('Patient.name[0].given[1]', 'extension', { part: [part('url', { valueUri: 'http://example.org/x' }), part('value', { valueString: 'x' })] })], patient({ name: [{ given: ['A', 'B'], _given: [null, { extension }] }] })],
  ['adds a primitive that has an extension and no value', patient(), [add('Patient', 'birthDate', { _valueDate: { extension } })], patient({ _birthDate: { extension } })],
  ['adds a contained resource', patient(), [add('Patient', 'contained', { resource: { resourceType: 'Basic', id: 'b', code: { text: 'c' } } })], patient({ contained: [{ resourceType: 'Basic', id: 'b', code: { text: 'c' } }] })],
  ['adds inside a contained resource', patient({ contained: [{ resourceType: 'Organization', id: 'o' }] }), [add('Patient.contained[0]', 'name', { valueString: 'Acme' })], patient({ contained: [{ resourceType: 'Organization', id: 'o', name: 'Acme' }] })],
  ['inserts before an item', patient({ name: [{ family: 'A' }, { family: 'C' }] }), [insert('Patient.name', 1, { valueHumanName: { family: 'B' } })], patient({ name: [{ family: 'A' }, { family: 'B' }, { family: 'C' }] })],
  ['inserts at the end', patient({ name: [{ family: 'A' }] }), [insert('Patient.name', 1, { valueHumanName: { family: 'B' } })], patient({ name: [{ family: 'A' }, { family: 'B' }] })],
  ['inserts into a list that is not there yet', patient(), [insert('Patient.name', 0, { valueHumanName: { family: 'A' } })], patient({ name: [{ family: 'A' }] })],
  ['inserts a primitive, and the extensions stay with theirs', patient({ name: [{ given: ['A', 'C'], _given: [null, { extension }] }] }), [insert('Patient.name.given', 1, { valueString: 'B' })], patient({ name: [{ given: ['A', 'B', 'C'], _given: [null, null, { extension }] }] })],
  ['replaces a primitive', patient({ birthDate: '1920-01-01' }), [replace('Patient.birthDate', { valueDate: '1930-01-01' })], patient({ birthDate: '1930-01-01' })],
  ['replaces an element found by its content', patient({ name: [{ use: 'usual', family: 'A' }, { use: 'official', family: 'B' }] }), [replace('Patient.name.where(use = \'official\').family', { valueString: 'C' })], patient({ name: [{ use: 'usual', family: 'A' }, { use: 'official', family: 'C' }] })],
  ['replaces a complex value with its id', patient({ maritalStatus: { id: '1', text: 'married' } }), [replace('Patient.maritalStatus', { valueCodeableConcept: { id: '2', text: 'not married' } })], patient({ maritalStatus: { id: '2', text: 'not married' } })],
  ['replaces a choice by another type of it', observation({ valueString: 's', _valueString: { extension } }), [replace('Observation.value', { valueBoolean: true })], observation({ valueBoolean: true })],
  ['replaces a narrative by a string', patient({ text: { status: 'generated', div: '<div/>' } }), [replace('Patient.text.div', { valueString: '<div>x</div>' })], patient({ text: { status: 'generated', div: '<div>x</div>' } })],
  ['takes a string for a code, and stores what the element is', patient({ gender: 'male' }), [replace('Patient.gender', { valueString: 'female' })], patient({ gender: 'female' })],
  ['deletes a primitive with its extensions', patient({ birthDate: '1930', _birthDate: { extension } }), [remove('Patient.birthDate')], patient()],
  ['deletes an item, and the extensions of the others stay with them', patient({ name: [{ given: ['A', 'B'], _given: [null, { extension }] }] }), [remove('Patient.name[0].given[0]')], patient({ name: [{ given: ['B'], _given: [{ extension }] }] })],
  ['deletes the last item and its list', patient({ name: [{ family: 'A' }] }), [remove('Patient.name')], patient()],
  ['deletes what has nothing else with it', patient({ contact: [{ name: { text: 'a name' } }, { gender: 'male' }] }), [remove('Patient.contact[0].name.text')], patient({ contact: [{ gender: 'male' }] })],
  ['deletes the extension of a primitive and keeps its value', patient({ birthDate: '1930', _birthDate: { extension } }), [remove('Patient.birthDate.extension[0]')], patient({ birthDate: '1930' })],
  ['deletes a primitive that had an extension only', patient({ active: true, _birthDate: { extension } }), [remove('Patient.birthDate.extension')], patient({ active: true })],
  ['deletes what is not there', patient(), [remove('Patient.birthDate')], patient()],
  ['moves up', patient({ name: ['A', 'B', 'C', 'D'].map((family) => ({ family })) }), [move('Patient.name', 3, 1)], patient({ name: ['A', 'D', 'B', 'C'].map((family) => ({ family })) })],
  ['moves down', patient({ name: ['A', 'B', 'C', 'D'].map((family) => ({ family })) }), [move('Patient.name', 0, 3)], patient({ name: ['B', 'C', 'D', 'A'].map((family) => ({ family })) })],
  ['moves a primitive with its extension', patient({ name: [{ given: ['A', 'B'], _given: [null, { extension }] }] }), [move('Patient.name.given', 1, 0)], patient({ name: [{ given: ['B', 'A'], _given: [{ extension }, null] }] })],
  ['does one after the other', patient({ contact: [{ name: { text: 'a' } }] }), [add('Patient.contact[0]', 'gender', { valueCode: 'male' }), add('Patient', 'contact', { part: [part('gender', { valueCode: 'female' })] }), move('Patient.contact', 1, 0)], patient({ contact: [{ gender: 'female' }, { name: { text: 'a' }, gender: 'male' }] })],
])('%s', (_name, before, operations, after) => {
  expect(apply(before, ...operations)).toEqual(after);
});

function refusal(work: () => unknown): FhirError {
  try {
    work();
  } catch (error) {
    if (error instanceof FhirError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

test.each<[string, object, Part, RegExp]>([
  ['nothing at the path', patient(), replace('Patient.birthDate', { valueDate: '1930' }), /nothing at this path/],
  ['nothing to add to', patient(), add('Patient.name.where(use = \'official\').period', 'end', { valueDateTime: '2021' }), /nothing at this path/],
  ['two elements to replace', patient({ name: [{ family: 'A' }, { family: 'B' }] }), replace('Patient.name', { valueHumanName: { family: 'C' } }), /2 elements/],
  ['two elements to delete', patient({ name: [{ family: 'A' }, { family: 'B' }] }), remove('Patient.name'), /2 elements/],
  ['an element that is there already', patient({ birthDate: '1930' }), add('Patient', 'birthDate', { valueDate: '1931' }), /birthDate already/],
  ['another type of a choice that is there already', observation({ valueString: 's' }), add('Observation', 'value', { valueBoolean: true }), /valueString already/],
  ['an element that there is not', patient(), add('Patient', 'colour', { valueString: 'red' }), /no element colour/],
  ['a value of another type', patient(), add('Patient', 'birthDate', { valueBoolean: true }), /takes date, not boolean/],
  ['a complex value for a primitive', patient(), add('Patient', 'gender', { valueCodeableConcept: { text: 'm' } }), /takes code, not CodeableConcept/],
  ['a type that a choice has not', observation(), add('Observation', 'value', { valueAddress: { city: 'x' } }), /not Address/],
  ['parts for a choice', observation(), add('Observation', 'value', { part: [text('unit', 'x')] }), /needs a value\[x\]/],
  ['parts for a primitive', patient(), add('Patient', 'birthDate', { part: [] }), /missing/],
  ['parts that name an element twice', patient(), add('Patient', 'contact', { part: [part('gender', { valueCode: 'male' }), part('gender', { valueCode: 'female' })] }), /gender already/],
  ['two values', patient(), add('Patient', 'birthDate', { valueDate: '1930', valueString: '1930' }), /one value/],
  ['null', patient(), add('Patient', 'birthDate', { valueDate: null }), /null/],
  ['an index past the end', patient({ name: [{ family: 'A' }] }), insert('Patient.name', 2, { valueHumanName: { family: 'B' } }), /0 to 1/],
  ['a source past the end', patient({ name: [{ family: 'A' }] }), move('Patient.name', 1, 0), /below 1/],
  ['a destination past the end', patient({ name: [{ family: 'A' }] }), move('Patient.name', 0, 1), /below 1/],
  ['insert into what is no list', patient({ birthDate: '1930' }), insert('Patient.birthDate', 0, { valueDate: '1930' }), /no list/],
  ['insert into what could be no list', patient(), insert('Patient.birthDate', 0, { valueDate: '1930' }), /no list/],
  ['insert into a choice of items', patient({ name: [{ use: 'usual' }, { use: 'official' }] }), insert('Patient.name.where(use = \'official\')', 0, { valueHumanName: { family: 'B' } }), /one whole list/],
  ['insert into lists of several elements', patient({ name: [{ given: ['A'] }, { given: ['B'] }] }), insert('Patient.name.given', 0, { valueString: 'C' }), /one whole list/],
  ['the whole resource deleted', patient(), remove('Patient'), /DELETE/],
  ['the whole resource replaced', patient(), replace('Patient', { resource: patient() }), /PUT/],
  ['a path that is no FHIRPath', patient(), remove('Patient..name'), /Patient\.\.name\) fails/],
  ['a name that all objects of JavaScript have', patient(), remove('Patient.__proto__'), /not define/],
  ['something added to it', patient(), add('Patient.constructor', 'x', { valueString: 'x' }), /not define/],
  ['its name for what is added', patient(), add('Patient', '__proto__', { valueString: 'x' }), /no element __proto__/],
  ['a path out of the resource', patient({ managingOrganization: { reference: 'Organization/1' } }), replace('Patient.managingOrganization.resolve().name', { valueString: 'x' }), /resolve\(\) can not/],
])('422: %s', (_name, resource, one, words) => {
  const { status, issues } = refusal(() => apply(resource, one));
  expect({ status, text: issues[0]!.text, expression: issues[0]!.expression }).toEqual({ status: 422, text: expect.stringMatching(words), expression: 'Parameters.parameter[0]' });
});

test.each<[string, Part]>([
  ['another parameter', { name: 'operations', part: [] }],
  ['no parts', { name: 'operation' }],
  ['no type', { name: 'operation', part: [text('path', 'Patient')] }],
  ['a type of another kind', operation('test', 'Patient')],
  ['no path', { name: 'operation', part: [{ name: 'type', valueCode: 'delete' }] }],
  ['no value', operation('replace', 'Patient.active')],
  ['no name', operation('add', 'Patient', part('value', { valueBoolean: true }))],
  ['no index', operation('insert', 'Patient.name', part('value', { valueHumanName: {} }))],
  ['an index below 0', insert('Patient.name', -1, { valueHumanName: {} })],
  ['an index that is no integer', operation('insert', 'Patient.name', part('index', { valueString: '1' }), part('value', { valueHumanName: {} }))],
  ['the same part twice', operation('delete', 'Patient.name', text('path', 'Patient'))],
  ['a part of another operation', operation('delete', 'Patient.name', number('index', 0))],
])('400: %s', (_name, parameter) => {
  expect(refusal(() => apply(patient(), parameter)).status).toBe(400);
});

test('numbers keep their digits: those of the resource and those of the patch', () => {
  const before = '{"resourceType":"Observation","component":[{"valueQuantity":{"value":1.00}}]}';
  const patch = '{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"add"},{"name":"path","valueString":"Observation"},{"name":"name","valueString":"value"},{"name":"value","valueQuantity":{"value":2.500}}]}]}';
  expect(applyText(before, patch)).toBe('{"resourceType":"Observation","component":[{"valueQuantity":{"value":1.00}}],"valueQuantity":{"value":2.500}}');
});

test('Parameters without an operation change nothing', () => {
  expect(apply(patient({ active: true }))).toEqual(patient({ active: true }));
  expect(applyText('{"resourceType":"Patient"}', '{"resourceType":"Parameters"}')).toBe('{"resourceType":"Patient"}');
});

