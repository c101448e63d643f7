// JSON to XML and back gives the same JSON: over HL7's examples and our own definitions, with values of any kind in them.
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { JsonNumber, parseTree, treeText, type JsonTree } from '../../src/fhir/json-tree.js';
import { loadDefinitions } from '../../src/definitions/load.js';
import { exactJson } from '../../src/fhir/exact-json.js';
import { createXml } from '../../src/xml/xml.js';
import { exampleNames } from '../validation/examples.js';
import { numberText } from './json-arbitraries.js';

const definitions = loadDefinitions();
const xml = createXml(definitions);
const texts = [
  ...exampleNames.map((name) => readFileSync(join(__dirname, '../validation/examples', `${name}.json`), 'utf8')),
  ...definitions.conformanceResources.map((resource) => exactJson(resource)),
];

/** The same JSON with members in the order of their names, no white space, and no nulls at the end of a list, which say nothing. */
function canonical(tree: JsonTree): string {
  if (Array.isArray(tree)) return `[${tree.slice(0, tree.findLastIndex((item) => item !== null) + 1).map(canonical).join(',')}]`;
  if (!(tree instanceof Map)) return treeText(tree);
  return `{${[...tree].sort(([one], [other]) => (one < other ? -1 : 1)).map(([key, value]) => `${JSON.stringify(key)}:${canonical(value)}`).join(',')}}`;
}

function there(json: string, pretty = false): string {
  const { text } = xml.read(xml.write(json, { pretty }));
  return canonical(parseTree(text));
}

test('of every example and definition', () => {
  expect(texts.length).toBeGreaterThan(100);
  for (const text of texts) {
    expect(there(text)).toBe(canonical(parseTree(text)));
    expect(there(text, true)).toBe(canonical(parseTree(text)));
  }
});

/** Strings that XML can hold: of the controls, tabs and line ends alone. */
const held = fc.array(fc.oneof(fc.constantFrom('&', '<', '>', '"', "'", '\t', '\n', '\r', ' ', ']]>', '<!--', '&amp;', '😀', '\u2028', '\u0085'), fc.string({ unit: 'grapheme', maxLength: 4 })), { maxLength: 6 }).map((parts) => parts.join(''));

/** The tree with its strings and numbers changed and its members turned about; narratives and types stay. */
function changed(tree: JsonTree, strings: readonly string[], numbers: readonly string[]): JsonTree {
  let count = 0;
  const next = <T>(list: readonly T[], otherwise: T): T => (list.length === 0 ? otherwise : (list[count++ % list.length] ?? otherwise));
  const change = (value: JsonTree, key: string): JsonTree => {
    if (Array.isArray(value)) return value.map((item) => change(item, key));
    if (value instanceof Map) return new Map([...value].reverse().map(([name, inner]) => [name, change(inner, name)]));
    if (value instanceof JsonNumber) return new JsonNumber(next(numbers, value.text));
    return typeof value === 'string' && key !== 'div' && key !== 'resourceType' ? next(strings, value) : value;
  };
  return change(tree, '');
}

test('of any strings, numbers as they are written, and members in any order', () => {
  fc.assert(fc.property(fc.constantFrom(...texts), fc.array(held, { maxLength: 8 }), fc.array(numberText, { maxLength: 8 }), (text, strings, numbers) => {
    const json = treeText(changed(parseTree(text), strings, numbers));
    expect(there(json)).toBe(canonical(parseTree(json)));
  }), { numRuns: 300 });
});

test('a value with extensions alone, in a list and by itself', () => {
  const json = '{"resourceType":"Patient","_birthDate":{"extension":[{"url":"a","valueCode":"x"}]},"name":[{"_given":[{"id":"1"},null],"given":[null,"B"]},{"_given":[{"id":"2"}]}]}';
  expect(there(json)).toBe(canonical(parseTree(json)));
});

test('characters that XML can not hold are replaced in what is written', () => {
  expect(xml.write('{"resourceType":"OperationOutcome","issue":[{"diagnostics":"a\\u0001b\\uffff"}]}')).toContain('<diagnostics value="a\ufffdb\ufffd"/>');
});
