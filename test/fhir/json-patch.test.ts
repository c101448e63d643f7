// JSON Patch as RFC 6902 has it, appendix A among it, on trees whose numbers keep their digits.
import fc from 'fast-check';
import { FhirError } from '../../src/fhir/errors.js';
import { applyJsonPatch, readJsonPatch } from '../../src/fhir/json-patch.js';
import { parsePointer } from '../../src/fhir/json-pointer.js';
import { copyTree, parseTree, sameTree, treeText } from '../../src/fhir/json-tree.js';

const apply = (document: string, patch: unknown): string =>
  treeText(applyJsonPatch(parseTree(document), readJsonPatch(typeof patch === 'string' ? patch : JSON.stringify(patch))));

function refusal(work: () => unknown): { status: number; text: string; expression: string | undefined } {
  try {
    work();
  } catch (error) {
    if (!(error instanceof FhirError)) throw error;
    return { status: error.status, text: error.issues[0]!.text, expression: error.issues[0]!.expression };
  }
  throw new Error('it was not refused');
}

/** Appendix A of the RFC, and the cases its readers get wrong: name, document, patch, outcome. */
test.each<[string, string, unknown[], string]>([
  ['A.1 adding an object member', '{"foo":"bar"}', [{ op: 'add', path: '/baz', value: 'qux' }], '{"foo":"bar","baz":"qux"}'],
  ['A.2 adding an array element', '{"foo":["bar","baz"]}', [{ op: 'add', path: '/foo/1', value: 'qux' }], '{"foo":["bar","qux","baz"]}'],
  ['A.3 removing an object member', '{"baz":"qux","foo":"bar"}', [{ op: 'remove', path: '/baz' }], '{"foo":"bar"}'],
  ['A.4 removing an array element', '{"foo":["bar","qux","baz"]}', [{ op: 'remove', path: '/foo/1' }], '{"foo":["bar","baz"]}'],
  ['A.5 replacing a value', '{"baz":"qux","foo":"bar"}', [{ op: 'replace', path: '/baz', value: 'boo' }], '{"baz":"boo","foo":"bar"}'],
  ['A.6 moving a value', '{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}', [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }], '{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}'],
  ['A.7 moving an array element', '{"foo":["all","grass","cows","eat"]}', [{ op: 'move', from: '/foo/1', path: '/foo/3' }], '{"foo":["all","cows","eat","grass"]}'],
  ['A.8 testing a value', '{"baz":"qux","foo":["a",2,"c"]}', [{ op: 'test', path: '/baz', value: 'qux' }, { op: 'test', path: '/foo/1', value: 2 }], '{"baz":"qux","foo":["a",2,"c"]}'],
  ['A.10 adding a nested member object', '{"foo":"bar"}', [{ op: 'add', path: '/child', value: { grandchild: {} } }], '{"foo":"bar","child":{"grandchild":{}}}'],
  ['A.11 ignoring unrecognised members', '{"foo":"bar"}', [{ op: 'add', path: '/baz', value: 'qux', xyz: 123 }], '{"foo":"bar","baz":"qux"}'],
  ['A.14 ~ escape ordering', '{"/":9,"~1":10}', [{ op: 'test', path: '/~01', value: 10 }], '{"/":9,"~1":10}'],
  ['A.16 adding an array value', '{"foo":["bar"]}', [{ op: 'add', path: '/foo/-', value: ['abc', 'def'] }], '{"foo":["bar",["abc","def"]]}'],
  ['an added member replaces the one there', '{"a":1,"b":2}', [{ op: 'add', path: '/a', value: null }], '{"a":null,"b":2}'],
  ['the index after the last adds at the end', '{"a":[1]}', [{ op: 'add', path: '/a/1', value: 2 }], '{"a":[1,2]}'],
  ['the empty pointer is the whole', '{"a":1}', [{ op: 'replace', path: '', value: { b: 2 } }, { op: 'test', path: '', value: { b: 2 } }], '{"b":2}'],
  ['the empty name is a member', '{"":1}', [{ op: 'replace', path: '/', value: 2 }], '{"":2}'],
  ['digits name a member of an object', '{"a":{"0":1}}', [{ op: 'replace', path: '/a/0', value: 2 }], '{"a":{"0":2}}'],
  ['moving to the same place changes nothing', '{"a":{"b":1}}', [{ op: 'move', from: '/a', path: '/a' }], '{"a":{"b":1}}'],
  ['a name that begins like another is not inside it', '{"a":1,"ab":{"c":2}}', [{ op: 'move', from: '/a', path: '/ab/a' }], '{"ab":{"c":2,"a":1}}'],
  ['a copy has a life of its own', '{"a":{"b":1}}', [{ op: 'copy', from: '/a', path: '/c' }, { op: 'replace', path: '/c/b', value: 2 }], '{"a":{"b":1},"c":{"b":2}}'],
  ['members are tested in any order', '{"a":{"x":1,"y":[true,null]}}', [{ op: 'test', path: '/a', value: { y: [true, null], x: 1 } }], '{"a":{"x":1,"y":[true,null]}}'],
  ['what a removal leaves empty goes too', '{"a":{"b":[{"c":1}]},"d":1}', [{ op: 'remove', path: '/a/b/0/c' }], '{"d":1}'],
  ['what is filled again stays', '{"a":[1]}', [{ op: 'remove', path: '/a/0' }, { op: 'add', path: '/a/-', value: 2 }], '{"a":[2]}'],
  ['what the client adds empty stays, for validation to refuse', '{"d":1}', [{ op: 'add', path: '/a', value: [] }], '{"d":1,"a":[]}'],
])('%s', (_name, document, patch, outcome) => {
  expect(apply(document, patch)).toBe(outcome);
});

test.each<[string, string, unknown[], string]>([
  ['A.9 a test that fails', '{"baz":"qux"}', [{ op: 'test', path: '/baz', value: 'bar' }], '/baz'],
  ['A.12 adding to a parent that is not there', '{"foo":"bar"}', [{ op: 'add', path: '/baz/bat', value: 'qux' }], '/baz/bat'],
  ['A.15 a string is no number', '{"/":9,"~1":10}', [{ op: 'test', path: '/~01', value: '10' }], '/~01'],
  ['removing what is not there', '{"a":1}', [{ op: 'remove', path: '/b' }], '/b'],
  ['replacing what is not there', '{"a":1}', [{ op: 'replace', path: '/b', value: 1 }], '/b'],
  ['testing what is not there, for null', '{"a":1}', [{ op: 'test', path: '/b', value: null }], '/b'],
  ['copying what is not there', '{"a":1}', [{ op: 'copy', from: '/b', path: '/c' }], '/b'],
  ['moving what is not there', '{"a":1}', [{ op: 'move', from: '/b', path: '/b' }], '/b'],
  ['moving into itself', '{"a":{"b":{}}}', [{ op: 'move', from: '/a', path: '/a/b/c' }], '/a/b/c'],
  ['moving the whole into itself', '{"a":1}', [{ op: 'move', from: '', path: '/b' }], '/b'],
  ['an index past the end', '{"a":[1]}', [{ op: 'add', path: '/a/2', value: 2 }], '/a/2'],
  ['an index with a leading zero', '{"a":[1,2]}', [{ op: 'replace', path: '/a/01', value: 2 }], '/a/01'],
  ['an index with a sign', '{"a":[1,2]}', [{ op: 'remove', path: '/a/-1' }], '/a/-1'],
  ['the end of a list, where an item is needed', '{"a":[1,2]}', [{ op: 'remove', path: '/a/-' }], '/a/-'],
  ['a name in a list', '{"a":[1]}', [{ op: 'add', path: '/a/length', value: 2 }], '/a/length'],
  ['a member of a string', '{"a":"text"}', [{ op: 'test', path: '/a/length', value: 4 }], '/a/length'],
  ['a name that all objects of JavaScript have', '{"a":{}}', [{ op: 'test', path: '/a/toString', value: 1 }], '/a/toString'],
  ['removing the whole', '{"a":1}', [{ op: 'remove', path: '' }], 'the root'],
])('422, with the place in words: %s', (_name, document, patch, place) => {
  const refused = refusal(() => apply(document, patch));
  expect(refused.status).toBe(422);
  expect(refused.text).toContain(`at ${place}:`);
});

test.each([
  ['no array', '{"op":"remove","path":"/a"}'],
  ['an operation that is no object', '["remove"]'],
  ['no op', '[{"path":"/a"}]'],
  ['an op of another kind', '[{"op":"frobnicate","path":"/a"}]'],
  ['no path', '[{"op":"remove"}]'],
  ['a path without a slash', '[{"op":"remove","path":"a"}]'],
  ['a path with a wrong escape', '[{"op":"remove","path":"/a~2"}]'],
  ['a path that is no string', '[{"op":"remove","path":1}]'],
  ['no value', '[{"op":"add","path":"/a"}]'],
  ['no from', '[{"op":"copy","path":"/a"}]'],
  ['two ops in one (A.13)', '[{"op":"add","path":"/baz","value":"qux","op":"remove"}]'],
  ['text that is no JSON', '[{"op":'],
  ['too many operations', JSON.stringify(Array.from({ length: 1001 }, () => ({ op: 'test', path: '', value: 1 })))],
])('400, before anything is read: %s', (_name, patch) => {
  expect(refusal(() => readJsonPatch(patch)).status).toBe(400);
});

test('an error names the element by its FHIRPath', () => {
  expect(refusal(() => apply('{"resourceType":"Patient","name":[{"given":["A"]}]}', [{ op: 'remove', path: '/name/0/given/1' }])).expression).toBe('Patient.name[0].given[1]');
});

test('numbers keep their digits: those of the resource and those of the patch', () => {
  const patched = apply('{"a":1.00,"b":[1e2,-0.0],"c":12345678901234567890.10}', '[{"op":"add","path":"/d","value":{"e":2.50}},{"op":"copy","from":"/b","path":"/f"},{"op":"replace","path":"/a","value":3.000}]');
  expect(patched).toBe('{"a":3.000,"b":[1e2,-0.0],"c":12345678901234567890.10,"d":{"e":2.50},"f":[1e2,-0.0]}');
});

test('numbers are tested by value, beyond what a double holds', () => {
  expect(apply('{"a":1.00}', '[{"op":"test","path":"/a","value":1.0}]')).toBe('{"a":1.00}');
  expect(refusal(() => apply('{"a":9007199254740993}', '[{"op":"test","path":"/a","value":9007199254740992}]')).status).toBe(422);
});

test('__proto__ is a member like any other, and reaches no prototype', () => {
  expect(apply('{"a":1}', '[{"op":"add","path":"/constructor","value":{"b":1}}]')).toBe('{"a":1,"constructor":{"b":1}}');
  expect(apply('{"a":1}', '[{"op":"add","path":"/__proto__","value":{"polluted":1}}]')).toBe('{"a":1,"__proto__":{"polluted":1}}');
  expect(refusal(() => apply('{"a":1}', '[{"op":"add","path":"/__proto__/polluted","value":1}]')).status).toBe(422);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

test('a patch can be applied twice: it does not share its values with what it changed', () => {
  const patch = readJsonPatch('[{"op":"add","path":"/a","value":{"b":[]}},{"op":"add","path":"/a/b/-","value":1}]');
  const once = treeText(applyJsonPatch(parseTree('{}'), patch));
  expect(treeText(applyJsonPatch(parseTree('{}'), patch))).toBe(once);
});

test('copies that double a resource again and again are stopped', () => {
  const doubling = Array.from({ length: 40 }, (_, index) => ({ op: 'copy', from: '', path: `/c${index}` }));
  expect(refusal(() => apply(`{"a":"${'x'.repeat(1000)}"}`, doubling))).toMatchObject({ status: 422, text: expect.stringContaining('PUT') });
});

test('nesting deeper than a body may be is refused', () => {
  const deepening = Array.from({ length: 60 }, (_, index) => ({ op: 'add', path: `${'/a'.repeat(2 * index)}/a`, value: { a: {} } }));
  expect(refusal(() => apply('{}', deepening)).status).toBe(400);
});

test.each([['', []], ['/', ['']], ['/a~1b/m~0n', ['a/b', 'm~n']], ['/~01', ['~1']], ['/c%d/ ', ['c%d', ' ']]])('pointer %j', (text, tokens) => {
  expect(parsePointer(text)).toEqual(tokens);
});

const json = fc.jsonValue({ maxDepth: 5 });

test('any JSON is read and written as it was, white space taken out', () => {
  fc.assert(fc.property(json, (value) => {
    expect(treeText(parseTree(JSON.stringify(value, null, 2)))).toBe(JSON.stringify(value));
  }));
});

test('a tree is the same as its copy, and as itself with other digits', () => {
  fc.assert(fc.property(json, (value) => {
    const tree = parseTree(JSON.stringify(value));
    expect(sameTree(tree, copyTree(tree))).toBe(true);
  }));
  expect(sameTree(parseTree('{"a":[1.0,1e1]}'), parseTree('{"a":[1.00,10]}'))).toBe(true);
  expect(sameTree(parseTree('{"a":1}'), parseTree('{"b":1}'))).toBe(false);
});

test('an added member is there, and its removal leaves what was before', () => {
  fc.assert(fc.property(fc.dictionary(fc.string(), json, { minKeys: 1 }), fc.string(), json, (object, name, value) => {
    const before = JSON.stringify(object);
    // A member __proto__, at whatever depth, is refused.
    fc.pre(!Object.hasOwn(object, name) && name !== '__proto__' && !JSON.stringify([object, value]).includes('"__proto__":'));
    const path = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    expect(apply(before, [{ op: 'add', path, value }, { op: 'test', path, value: JSON.parse(JSON.stringify(value)) }, { op: 'remove', path }])).toBe(before);
  }));
});
