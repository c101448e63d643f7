import fc from 'fast-check';
import { loadDefinitions } from '../../src/definitions/load.js';
import { compilePath, pathSource } from '../../src/fhirpath/compile-path.js';
import { PathError } from '../../src/fhirpath/expression.js';
import type { TypeModel } from '../../src/fhirpath/model.js';

const model = loadDefinitions({ profiles: false });

function evaluate(expression: string, type: string, node: object, resource?: object): [string, unknown][] {
  const found: [string, unknown][] = [];
  const refuse = (text: string, _: string, reason: string): never => {
    throw new Error(`${text} falls back: ${reason}`);
  };
  compilePath(expression, type, model, refuse)(node, (nodeType, value) => found.push([nodeType, value]), resource);
  return found;
}

describe('paths', () => {
  const patient = { resourceType: 'Patient', id: 'p', name: [{ given: ['Ann', 'Bo'] }, { family: 'Low' }, { given: ['Cy'] }], active: true };

  test('give each node with its type, in document order', () => {
    expect(evaluate('Patient.name.given', 'Patient', patient)).toEqual([['string', 'Ann'], ['string', 'Bo'], ['string', 'Cy']]);
    expect(evaluate('Patient.active', 'Patient', patient)).toEqual([['boolean', true]]);
  });

  test('may start at a base type of the resource', () => {
    expect(evaluate('Resource.id', 'Patient', patient)).toEqual([['id', 'p']]);
  });

  test('may start at an element, as the parts of composites do', () => {
    expect(evaluate('value.as(Quantity) | value.as(Range)', 'UsageContext', { valueRange: { low: {} } })).toEqual([['Range', { low: {} }]]);
    expect(evaluate('start', 'MolecularSequence.variant', { start: 3 })).toEqual([['integer', 3]]);
  });

  test('name backbones by their path', () => {
    expect(evaluate('Observation.component', 'Observation', { component: [{}] })).toEqual([['Observation.component', {}]]);
  });

  test('follow a contentReference', () => {
    const nested = { item: [{ item: [{ linkId: '1.1' }] }] };
    expect(evaluate('Questionnaire.item.item.linkId', 'Questionnaire', nested)).toEqual([['string', '1.1']]);
  });

  test('a resource inside tells its own type', () => {
    const bundle = { entry: [{ resource: { resourceType: 'Composition' } }, { resource: { resourceType: 'Patient', birthDate: '2001' } }] };
    expect(evaluate('Bundle.entry[0].resource', 'Bundle', bundle)).toEqual([['Composition', { resourceType: 'Composition' }]]);
    expect(evaluate('Bundle.entry.resource.ofType(Patient).birthDate', 'Bundle', bundle)).toEqual([['date', '2001']]);
    expect(evaluate('Bundle.entry.where(resource is Composition).fullUrl.exists()', 'Bundle', bundle)).toEqual([['boolean', false]]);
  });
});

describe('choices', () => {
  test('without a type give each under its own', () => {
    expect(evaluate('Observation.value', 'Observation', { valueQuantity: { value: 1 } })).toEqual([['Quantity', { value: 1 }]]);
    expect(evaluate('Observation.value', 'Observation', { valueDateTime: '2001' })).toEqual([['dateTime', '2001']]);
  });

  test.each(['(Observation.value as Quantity)', 'Observation.value.as(Quantity)', 'Observation.value.ofType(Quantity)', 'Observation.value.ofType(FHIR.Quantity)'])('%s keeps that type', (expression) => {
    expect(evaluate(expression, 'Observation', { valueQuantity: { value: 1 }, valueString: 'x' })).toEqual([['Quantity', { value: 1 }]]);
  });

  test('a path goes on through those that have the element', () => {
    expect(evaluate('Observation.value.text', 'Observation', { valueCodeableConcept: { text: 'high' }, valueString: 'x' })).toEqual([['string', 'high']]);
  });

  test('a type written DateTime is dateTime', () => {
    expect(evaluate('value.as(DateTime) | value.as(Period)', 'Observation', { valueDateTime: '2001' })).toEqual([['dateTime', '2001']]);
  });

  test('of several nodes `as` keeps each of the type', () => {
    const group = { characteristic: [{ valueBoolean: true }, { valueCodeableConcept: { text: 'a' } }, { valueCodeableConcept: { text: 'b' } }] };
    expect(evaluate('(Group.characteristic.value as CodeableConcept).text', 'Group', group)).toEqual([['string', 'a'], ['string', 'b']]);
  });
});

describe('unions', () => {
  test('drop the parts that are for other types', () => {
    const expression = 'AllergyIntolerance.code | Condition.code | (MedicationStatement.medication as CodeableConcept)';
    expect(evaluate(expression, 'Condition', { code: { text: 'x' } })).toEqual([['CodeableConcept', { text: 'x' }]]);
    expect(evaluate(expression, 'MedicationStatement', { medicationCodeableConcept: {} })).toEqual([['CodeableConcept', {}]]);
    expect(evaluate(expression, 'Patient', { code: {} })).toEqual([]);
  });
});

describe('where', () => {
  const person = { telecom: [{ system: 'phone', value: '1' }, { system: 'email', value: 'a@b' }, { value: '2' }] };

  test.each([
    ["Patient.telecom.where(system='phone').value", ['1']],
    ["Patient.telecom.where(system != 'phone').value", ['a@b']],
    ["Patient.telecom.where(system='phone' or value='2').value", ['1', '2']],
    ['Patient.telecom.where(system.empty()).value', ['2']],
    ['Patient.telecom.where(system.exists().not()).value', ['2']],
    ["Patient.telecom.where($this.system='phone' implies value='2').value", ['a@b', '2']],
    ["Patient.telecom.where(system='phone' xor value='1').value", []],
    ["Patient.telecom.exists(system='fax')", [false]],
    ['Patient.telecom[1].value', ['a@b']],
    ['Patient.telecom[9].value', []],
    ["Patient.telecom.where(system.exists()).first().value", ['1']],
    ['Patient.telecom.where(value).value', ['1', 'a@b', '2']],
    ['Patient.telecom.where(system = {}).value', []],
  ])('%s', (expression, values) => {
    expect(evaluate(expression, 'Patient', person).map(([, value]) => value)).toEqual(values);
  });

  test('a comparison with several values is not true', () => {
    expect(evaluate("Patient.where(telecom.value = '1').telecom.value", 'Patient', person)).toEqual([]);
  });

  test('a test inside a test sees its own node', () => {
    const claim = { item: [{ sequence: 1, detail: [{ sequence: 1 }, { sequence: 2 }] }, { sequence: 2, detail: [{ sequence: 3 }] }] };
    expect(evaluate('Claim.item.where(detail.where(sequence = 3).exists()).sequence', 'Claim', claim)).toEqual([['positiveInt', 2]]);
  });
});

describe('booleans', () => {
  const expression = 'Patient.deceased.exists() and Patient.deceased != false';
  test.each([[{}, false], [{ deceasedBoolean: false }, false], [{ deceasedBoolean: true }, true], [{ deceasedDateTime: '2015' }, true]])('deceased of %j is %s', (patient, dead) => {
    expect(evaluate(expression, 'Patient', patient)).toEqual([['boolean', dead]]);
  });
});

describe('extensions', () => {
  const extension = [{ url: 'http://a.example', valueString: 'x' }, { url: 'http://b.example', valueCode: 'y' }];

  test('are found by url', () => {
    expect(evaluate("Patient.extension('http://b.example').value", 'Patient', { extension })).toEqual([['code', 'y']]);
    expect(evaluate("Patient.name.extension('http://a.example').value.ofType(string)", 'Patient', { name: [{ extension }] })).toEqual([['string', 'x']]);
  });

  test('hasExtension asks for one', () => {
    const response = { item: [{ extension, linkId: '1' }, { linkId: '2' }] };
    expect(evaluate("QuestionnaireResponse.item.where(hasExtension('http://a.example')).linkId", 'QuestionnaireResponse', response)).toEqual([['string', '1']]);
  });
});

describe('resolve() is T', () => {
  const contained = [{ resourceType: 'Patient', id: 'in' }, { resourceType: 'Group', id: 'g' }];
  test.each([
    [{ reference: 'Patient/1' }, true],
    [{ reference: 'Group/1' }, false],
    [{ reference: 'https://any.example/fhir/Patient/1' }, true],
    [{ reference: 'Patient/1/_history/2' }, true],
    [{ reference: 'https://any.example/Patient/Group/1' }, false],
    [{ reference: '#in' }, true],
    [{ reference: '#g' }, false],
    [{ reference: '#none' }, false],
    [{ reference: 'urn:uuid:3f0e4e4e-0000-4000-8000-000000000000', type: 'Patient' }, true],
    [{ reference: 'urn:uuid:3f0e4e4e-0000-4000-8000-000000000000' }, false],
    [{ type: 'Patient', identifier: { value: 'x' } }, true],
    [{ reference: 'Patient' }, false],
    [{ display: 'Ann' }, false],
    [{ reference: 7 }, false],
  ])('%j: %s', (subject, isPatient) => {
    expect(evaluate('Observation.subject.where(resolve() is Patient)', 'Observation', { subject, contained })).toEqual(isPatient ? [['Reference', subject]] : []);
  });

  test('a part of a composite finds contained resources in the resource it is given', () => {
    const who = { who: { reference: '#in' } };
    expect(evaluate('who.where(resolve() is Patient)', 'AuditEvent.agent', who, { contained })).toHaveLength(1);
    expect(evaluate('who.where(resolve() is Patient)', 'AuditEvent.agent', who)).toHaveLength(0);
  });
});

test('%resource is what the node lies in', () => {
  const sequence = { referenceSeq: { chromosome: { text: '1' } }, variant: [{}] };
  expect(evaluate('%resource.referenceSeq.chromosome', 'MolecularSequence.variant', sequence.variant[0] ?? {}, sequence)).toEqual([['CodeableConcept', { text: '1' }]]);
});

describe('what makes no sense is refused', () => {
  test.each([
    ['Patient.nmae', 'Patient has no element nmae'],
    ['nmae', 'Patient has no element nmae'],
    ['Patient.name.where(usse = 1)', 'HumanName has no element usse'],
    ['Patient.name.', 'is not FHIRPath'],
    ['Patient.deceased.as(Datum)', 'there is no type Datum'],
    ['Patient.name.where()', 'where() takes one argument'],
    ['Patient.constructor', 'Patient has no element constructor'],
    ['Patient.__proto__', 'Patient has no element __proto__'],
  ])('%s', (expression, words) => {
    expect(() => compilePath(expression, 'Patient', model)).toThrow(PathError);
    expect(() => compilePath(expression, 'Patient', model)).toThrow(words);
  });
});

describe('generated code', () => {
  test('holds text only as JSON', () => {
    const evil = '"); globalThis.broken = true; ("';
    const quoted = evil.replaceAll("'", "\\'");
    expect(evaluate(`Patient.telecom.where(value = '${quoted}').value`, 'Patient', { telecom: [{ value: evil }] })).toEqual([['string', evil]]);
    expect(globalThis).not.toHaveProperty('broken');
  });

  test('takes no member name that is not a plain word, whatever the type model says', () => {
    const open: TypeModel = { element: () => ({ types: ['string'], choice: false, repeats: false }), isA: () => true, isResource: () => true };
    expect(() => pathSource('`a; globalThis.broken = true`', 'Patient', open)).toThrow('is no name of an element');
  });

  test('never throws, whatever the data', () => {
    const paths = ['Patient', 'Observation', 'Bundle', 'Claim', 'Appointment'].flatMap((type) => {
      return [...model.searchParameters(type).values()].flatMap(({ expression }) => (expression === undefined ? [] : [compilePath(expression, type, model)]));
    });
    const members = ['name', 'telecom', 'subject', 'deceasedBoolean', 'valueQuantity', 'component', 'entry', 'item', 'participant', 'meta', 'contained', 'extension', 'patient', 'resource', 'actor', 'reference'];
    const { node } = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof({ depthSize: 'small' }, fc.constantFrom(null, '', 'x', 0, 1.5, true, [], {}), fc.array(tie('node'), { maxLength: 3 }), fc.dictionary(fc.constantFrom(...members), tie('node'), { maxKeys: 6 })),
    }));
    fc.assert(fc.property(fc.dictionary(fc.constantFrom(...members), node, { minKeys: 3 }), (resource) => {
      for (const path of paths) path(resource, (_, value) => expect(value).not.toBeNull());
    }), { numRuns: 300 });
  });
});

describe('what search has no fast code for', () => {
  const run = (expression: string, node: object): { found: [string, unknown][]; told: string[] } => {
    const found: [string, unknown][] = [];
    const told: string[] = [];
    compilePath(expression, 'Patient', model, (text, type, reason) => told.push(`${type}: ${text}: ${reason}`))(node, (type, value) => found.push([type, value]));
    return { found, told };
  };

  test('goes the general road', () => {
    const { found, told } = run('Patient.name.given.last()', { resourceType: 'Patient', name: [{ given: ['Ann', 'Bo'] }] });
    expect(found).toEqual([['string', 'Bo']]);
    expect(told).toEqual([]);
  });

  test('is interpreted where that has none either, and told', () => {
    const { found, told } = run('Patient.multipleBirth.sum()', { resourceType: 'Patient', multipleBirthInteger: 3 });
    expect(found).toEqual([['integer', 3]]);
    expect(told).toEqual(['Patient: Patient.multipleBirth.sum(): the function sum()']);
  });

  test('compares dates by their meaning, not by their text', () => {
    expect(run('Patient.where(birthDate = @2001-01).name', { resourceType: 'Patient', birthDate: '2001-01', name: [{ text: 'A' }] })).toMatchObject({ found: [['HumanName', { text: 'A' }]], told: [] });
  });

  test('resolves as the compiler does', () => {
    const node = { resourceType: 'Patient', generalPractitioner: [{ reference: 'Organization/1' }, { reference: 'Practitioner/1' }] };
    expect(run('Patient.generalPractitioner.where(resolve() is Practitioner).tail() | Patient.generalPractitioner.where(resolve() is Practitioner)', node).found).toEqual([['Reference', { reference: 'Practitioner/1' }]]);
  });

  test('gives nothing where the data does not fit', () => {
    expect(run('Patient.name.given.single()', { resourceType: 'Patient', name: [{ given: ['Ann', 'Bo'] }] }).found).toEqual([]);
  });

  test('leaves its input as it was', () => {
    const node = Object.freeze({ resourceType: 'Patient', name: Object.freeze([Object.freeze({ text: 'A' })]) });
    expect(run('Patient.name.tail() | Patient.name.text', node).found).toEqual([['string', 'A']]);
  });
});
