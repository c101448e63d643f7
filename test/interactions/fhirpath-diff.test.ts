// $diff's patches: applied to one resource they give the other, whatever differs.
import fc from 'fast-check';
import { readJson } from '../../src/fhir/json-text.js';
import { parseTree, treeText, type JsonMembers, type JsonTree } from '../../src/fhir/json-tree.js';
import type { JsonValue } from '../../src/fhir/resource.js';
import { fhirpathDiff } from '../../src/interactions/fhirpath-diff.js';
import { applyFhirpathPatch } from '../../src/interactions/fhirpath-patch.js';
import { readPatchOperations } from '../../src/interactions/patch-operations.js';
import { definitions, example, exampleNames } from '../validation/examples.js';

const tree = (text: string): JsonMembers => parseTree(text) as JsonMembers;
const patchOf = (from: string, to: string): any[] => JSON.parse(treeText([...fhirpathDiff(tree(from), tree(to), new Set(['id', 'meta']), definitions)]));
/** A patch may have 200 operations: longer ones are several, in order. */
function applied(from: string, to: string): JsonTree {
  const operations = fhirpathDiff(tree(from), tree(to), new Set(['id', 'meta']), definitions);
  let result: JsonTree = tree(from);
  for (let start = 0; start < operations.length; start += 200) {
    const patch = new Map<string, JsonTree>([['resourceType', 'Parameters'], ['parameter', operations.slice(start, start + 200)]]);
    result = applyFhirpathPatch(result, readPatchOperations(readJson(treeText(patch))), definitions);
  }
  return result;
}

/** Members in one order, without what is not compared. */
function sorted(value: JsonTree): JsonTree {
  if (Array.isArray(value)) return value.map(sorted);
  if (!(value instanceof Map)) return value;
  return new Map([...value].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, one]) => [name, name.startsWith('_') && Array.isArray(one) ? untrailed(sorted(one) as JsonTree[]) : sorted(one)]));
}
/** Nulls at the end of a list of extensions say nothing. */
const untrailed = (items: JsonTree[]): JsonTree[] => (items.at(-1) === null ? untrailed(items.slice(0, -1)) : items);
const content = (value: JsonTree): string => {
  const members = sorted(value) as JsonMembers;
  for (const name of ['id', 'meta']) members.delete(name);
  return treeText(members);
};
const holds = (from: string, to: string): void => { expect(content(applied(from, to))).toBe(content(tree(to))); };

const patient = (rest: object): string => JSON.stringify({ resourceType: 'Patient', id: 'p', ...rest });

test('says what is added, changed, taken away and put in between', () => {
  expect(patchOf(patient({ gender: 'male', birthDate: '1980-01-01', name: [{ family: 'A' }, { family: 'C' }] }), patient({ gender: 'female', active: true, name: [{ family: 'A' }, { family: 'B' }, { family: 'C' }] }))).toEqual([
    { name: 'operation', part: [{ name: 'type', valueCode: 'delete' }, { name: 'path', valueString: 'Patient.birthDate' }] },
    { name: 'operation', part: [{ name: 'type', valueCode: 'replace' }, { name: 'path', valueString: 'Patient.gender' }, { name: 'value', valueCode: 'female' }] },
    { name: 'operation', part: [{ name: 'type', valueCode: 'add' }, { name: 'path', valueString: 'Patient' }, { name: 'name', valueString: 'active' }, { name: 'value', valueBoolean: true }] },
    { name: 'operation', part: [{ name: 'type', valueCode: 'insert' }, { name: 'path', valueString: 'Patient.name' }, { name: 'index', valueInteger: 1 }, { name: 'value', valueHumanName: { family: 'B' } }] },
  ]);
});

test('of what is the same there is nothing to say', () => {
  expect(patchOf(patient({ name: [{ family: 'A', given: ['B'] }] }), patient({ name: [{ given: ['B'], family: 'A' }] }))).toEqual([]);
});

test.each([
  ['a choice of another type', { deceasedBoolean: true }, { deceasedDateTime: '2026' }], ['a decimal with its places', { extension: [{ url: 'u', valueDecimal: 1 }] }, { extension: [{ url: 'u', valueDecimal: 2 }] }],
  ['an extension of a primitive', { birthDate: '1980', _birthDate: { extension: [{ url: 'u', valueString: 'a' }] } }, { birthDate: '1980', _birthDate: { extension: [{ url: 'u', valueString: 'b' }] } }],
  ['a primitive that becomes an extension', { birthDate: '1980' }, { _birthDate: { extension: [{ url: 'u', valueString: 'b' }] } }], ['a list that ends', { name: [{ family: 'A' }] }, {}], ['a list that begins', {}, { name: [{ family: 'A' }, { text: 'B' }] }],
  ['an element with nothing in common', { maritalStatus: { text: 'a' } }, { maritalStatus: { coding: [{ code: 'M' }] } }], ['a backbone', { contact: [{ name: { family: 'A' } }] }, { contact: [{ name: { family: 'A' }, telecom: [{ value: '1' }] }, { gender: 'male' }] }],
  ['a narrative', { text: { status: 'generated', div: '<div>a</div>' } }, { text: { status: 'generated', div: '<div>b</div>' } }], ['a contained resource', { contained: [{ resourceType: 'Organization', id: 'o', name: 'a' }] }, { contained: [{ resourceType: 'Organization', id: 'o', name: 'b' }, { resourceType: 'Group', id: 'g' }] }],
  ['strings of which some have extensions alone', { name: [{ given: ['a', 'b'] }] }, { name: [{ given: ['a', null, 'c'], _given: [null, { id: 'x' }, null] }] }],
])('%s', (_what, from, to) => {
  holds(patient(from), patient(to));
  holds(patient(to), patient(from));
});

test('decimals keep their places', () => {
  const [from, to] = ['{"resourceType":"Observation","status":"final","valueQuantity":{"value":1.0}}', '{"resourceType":"Observation","status":"final","valueQuantity":{"value":1.00}}'];
  expect(treeText(applied(from, to))).toBe(to);
});

describe('any example becomes any other of its type', () => {
  const byType = new Map<string, string[]>();
  for (const name of exampleNames) {
    const resource = example(name);
    byType.set(resource.resourceType, [...(byType.get(resource.resourceType) ?? []), JSON.stringify(resource)]);
  }
  const same = [...byType].filter(([, list]) => list.length > 1);
  test.each(same)('%s', (_type, list) => { for (const from of list) for (const to of list) holds(from, to); });

  /** Takes members and items away, or doubles items, here and there. */
  function worn(value: JsonValue, wear: () => boolean, depth = 0): JsonValue {
    if (Array.isArray(value)) {
      const kept = value.flatMap((item) => (wear() ? (wear() ? [] : [item, item]) : [worn(item, wear, depth + 1)]));
      return kept.length > 0 ? kept : value;
    }
    if (typeof value !== 'object' || value === null) return typeof value === 'string' && wear() && depth > 0 && !/^<div/.test(value) ? `${value}x` : value;
    // A primitive and its extension stay together.
    const isFirm = (name: string): boolean => ['resourceType', 'url', 'div'].includes(name) || name.startsWith('_') || `_${name}` in value;
    const kept = Object.entries(value).filter(([name]) => isFirm(name) || !wear());
    const left = kept.length > 0 ? kept : Object.entries(value);
    return Object.fromEntries(left.map(([name, one]) => [name, isFirm(name) || one === undefined ? one : worn(one, wear, depth + 1)]));
  }

  test('and what is worn what it was', () => {
    fc.assert(fc.property(fc.constantFrom(...exampleNames), fc.infiniteStream(fc.integer({ min: 0, max: 11 })), (name, stream) => {
      const resource = example(name);
      const wear = (): boolean => stream.next().value === 0;
      const other = worn(resource, wear);
      holds(JSON.stringify(resource), JSON.stringify(other));
      holds(JSON.stringify(other), JSON.stringify(resource));
    }), { numRuns: 150 });
  });
});
