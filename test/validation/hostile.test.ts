// Resources made to hold the server up: each is answered, and within seconds where a quadratic or exponential check would take minutes.
import type { JsonObject, Resource } from '../../src/fhir/resource.js';
import { validator } from './examples.js';

const LONGEST_MS = 8000;

function answerTo(resource: Resource): string[] {
  const start = performance.now();
  const issues = validator.validate(resource);
  expect(performance.now() - start).toBeLessThan(LONGEST_MS);
  return issues.map(({ code }) => code);
}

function nested(depth: number, wrap: (inner: JsonObject) => JsonObject, leaf: JsonObject): JsonObject {
  let value = leaf;
  for (let i = 0; i < depth; i++) value = wrap(value);
  return value;
}

const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const inDiv = (content: string): Resource => ({ resourceType: 'Patient', text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${content}</div>` } });
const questionnaire = (item: JsonObject[]): Resource => ({ resourceType: 'Questionnaire', status: 'draft', item });

test.each<[string, () => Resource]>([
  ['a million names', () => ({ resourceType: 'Patient', name: times(1_000_000, () => ({ family: 'x' })) })],
  ['a million given names', () => ({ resourceType: 'Patient', name: [{ given: times(1_000_000, () => 'x') }] })],
  ['100,000 linkIds, which must differ', () => questionnaire(times(100_000, (i) => ({ linkId: String(i), type: 'string' })))],
  ['100,000 fullUrls, which must differ', () => ({ resourceType: 'Bundle', type: 'collection', entry: times(100_000, (i) => ({ fullUrl: `http://example.org/Patient/${i}`, resource: { resourceType: 'Patient' } })) })],
  ['50,000 contained resources, each named', () => ({
    resourceType: 'Patient', contained: times(50_000, (i) => ({ resourceType: 'Practitioner', id: `p${i}` })), generalPractitioner: times(50_000, (i) => ({ reference: `#p${i}` })),
  })],
  ['100,000 known extensions', () => ({ resourceType: 'Patient', extension: times(100_000, () => ({ url: 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace', valueAddress: { city: 'x' } })) })],
  ['a narrative of 100,000 elements within each other', () => inDiv(`${'<p>'.repeat(100_000)}x${'</p>'.repeat(100_000)}`)],
  ['a narrative of 100,000 comments', () => inDiv(`${'<!---->'.repeat(100_000)}x&amp;`)],
])('%s are right', (_, make) => {
  expect(answerTo(make())).toEqual([]);
});

test.each<[string, () => Resource, string]>([
  ['10,000 items within each other', () => questionnaire([nested(10_000, (item) => ({ linkId: 'x', type: 'group', item: [item] }), { linkId: 'x', type: 'string' })]), 'too-costly'],
  ['10,000 extensions within each other', () => ({ resourceType: 'Patient', extension: [nested(10_000, (extension) => ({ url: 'x', extension: [extension] }), { url: 'x', valueString: 'x' })] }), 'too-costly'],
  ['a million references to nothing', () => ({ resourceType: 'Patient', generalPractitioner: times(1_000_000, (i) => ({ reference: `#${i}` })) }), 'invariant'],
  ['300,000 elements that are not closed', () => inDiv('<p>'.repeat(300_000)), 'structure'],
  ['100,000 attributes', () => inDiv(`<p ${'title="x" '.repeat(100_000)}>x</p>`), 'structure'],
  ['200,000 comments that do not end', () => inDiv('<!--'.repeat(200_000)), 'structure'],
  ['a million times <', () => inDiv('<'.repeat(1_000_000)), 'structure'],
  ['a language of 200,000 parts', () => ({ resourceType: 'Patient', language: `en${'-abcde'.repeat(200_000)}!` }), 'code-invalid'],
  ['a MIME type of 200,000 parameters', () => ({ resourceType: 'Binary', contentType: `a/b${';a=b'.repeat(200_000)}!"` }), 'code-invalid'],
  ['an entity within entities', () => ({ resourceType: 'Patient', text: { status: 'generated', div: '<!DOCTYPE a [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><div>&c;</div>' } }), 'structure'],
])('%s are refused', (_, make, code) => {
  expect(answerTo(make())[0]).toBe(code);
});

test('members called __proto__ are unknown members', () => {
  const resource = JSON.parse('{"resourceType":"Patient","__proto__":{"contained":[1]},"name":[{"family":"x","__proto__":{"given":["x"]}}]}') as Resource;
  expect(answerTo(resource)).toEqual(['structure', 'structure']);
});

test('a path that a published pattern could take years over', () => {
  const path = `${'a.'.repeat(3000)}!`;
  const resource: Resource = { resourceType: 'StructureDefinition', url: 'http://example.org', name: 'Name', status: 'draft', kind: 'resource', abstract: false, type: 'Patient', baseDefinition: 'http://example.org',
    differential: { element: [{ id: 'Patient', path: 'Patient' }, ...times(50, (i) => ({ id: `a${i}`, path }))] } };
  expect(answerTo(resource)).toContain('invariant');
});
