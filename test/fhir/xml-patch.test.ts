// The engine of XML Patch on HL7's own cases, which follow Appendix A of RFC 5261 on documents that are no resources.
import type { FhirError } from '../../src/fhir/errors.js';
import { parseXml, xmlText, type XmlElement } from '../../src/xml/xml-node.js';
import { applyXmlPatch, readXmlPatch } from '../../src/xml/xml-patch.js';

const DOC = 'xmlns="http://hl7.org/fhir"';

function patched(target: string, operation: string): string {
  const document = parseXml(target);
  applyXmlPatch(document, readXmlPatch(`<patch ${DOC}>${operation}</patch>`));
  return document.children.map((child) => xmlText(child)).join('');
}

const canonical = (xml: string): string => xmlText(rootOf(parseXml(xml)));
function rootOf(document: XmlElement): XmlElement {
  const root = document.children.find((child) => child.kind === 'element');
  if (!root) throw new Error('no root');
  return root;
}

test.each([
  ['removes an element', `<doc ${DOC}><foo>test</foo></doc>`, '<remove sel="f:doc/f:foo"/>', `<doc ${DOC}/>`],
  ['removes the first of two', `<doc ${DOC}><foo>test</foo><foo>test1</foo></doc>`, '<remove sel="f:doc/f:foo[1]"/>', `<doc ${DOC}><foo>test1</foo></doc>`],
  ['removes the last', `<doc ${DOC}><foo>a</foo><foo>b</foo></doc>`, '<remove sel="/f:doc/f:foo[last()]"/>', `<doc ${DOC}><foo>a</foo></doc>`],
  ['removes by an attribute', `<doc ${DOC}><foo t="1">test</foo><foo t="2">test1</foo></doc>`, `<remove sel="f:doc/f:foo[@t='2']"/>`, `<doc ${DOC}><foo t="1">test</foo></doc>`],
  ['removes an attribute', `<doc ${DOC}><foo t="1">test</foo><foo t="2">test1</foo></doc>`, `<remove sel="f:doc/f:foo[@t='1']/@t"/>`, `<doc ${DOC}><foo>test</foo><foo t="2">test1</foo></doc>`],
  ['removes text', `<doc ${DOC}><foo t="2">test1</foo></doc>`, `<remove sel="f:doc/f:foo[@t='2']/text()"/>`, `<doc ${DOC}><foo t="2"/></doc>`],
  ['removes a comment', `<doc ${DOC}><foo a="1">x</foo><!-- comment --></doc>`, '<remove sel="f:doc/comment()[1]"/>', `<doc ${DOC}><foo a="1">x</foo></doc>`],
  ['adds a child', `<doc ${DOC}><note>x</note></doc>`, '<add sel="f:doc"><foo id="ert4773">This is a new child</foo></add>', `<doc ${DOC}><note>x</note><foo id="ert4773">This is a new child</foo></doc>`],
  ['adds several', `<doc ${DOC}/>`, '<add sel="doc"><a/><b/></add>', `<doc ${DOC}><a/><b/></doc>`],
  ['adds a child in front', `<doc ${DOC}><note>x</note></doc>`, '<add sel="f:doc" pos="prepend"><foo/></add>', `<doc ${DOC}><foo/><note>x</note></doc>`],
  ['adds before', `<doc ${DOC}><a/><b/></doc>`, '<add sel="f:doc/f:b" pos="before"><foo/></add>', `<doc ${DOC}><a/><foo/><b/></doc>`],
  ['adds after', `<doc ${DOC}><a/><b/></doc>`, '<add sel="f:doc/f:a" pos="after"><foo/></add>', `<doc ${DOC}><a/><foo/><b/></doc>`],
  ['adds text', `<doc ${DOC}/>`, '<add sel="f:doc">This is new text</add>', `<doc ${DOC}>This is new text</doc>`],
  ['adds an attribute', `<doc ${DOC}/>`, '<add sel="f:doc" type="@user">Attribute text</add>', `<doc ${DOC} user="Attribute text"/>`],
  ['adds another namespace', `<doc ${DOC}/>`, '<add sel="f:doc"><div xmlns="http://www.w3.org/1999/xhtml">some html</div></add>', `<doc ${DOC}><div xmlns="http://www.w3.org/1999/xhtml">some html</div></doc>`],
  ['adds a comment', `<doc ${DOC}><foo id="x">x</foo></doc>`, `<add sel="f:doc/f:foo[@id='x']" pos="before"><!-- comment --></add>`, `<doc ${DOC}><!-- comment --><foo id="x">x</foo></doc>`],
  ['takes a declaration of a namespace, which changes nothing', `<doc ${DOC}><foo/></doc>`, '<add sel="f:doc" type="namespace::pref">urn:ns:xxx</add>', `<doc ${DOC}><foo/></doc>`],
  ['replaces an element', `<doc ${DOC}><foo a="1">x</foo></doc>`, `<replace sel="f:doc/f:foo[@a='1']"><bar a="2"/></replace>`, `<doc ${DOC}><bar a="2"/></doc>`],
  ['replaces an attribute', `<doc a="test" ${DOC}><foo a="1">x</foo></doc>`, '<replace sel="f:doc/@a">new value</replace>', `<doc a="new value" ${DOC}><foo a="1">x</foo></doc>`],
  ['replaces a comment', `<doc ${DOC}><!-- comment --></doc>`, '<replace sel="f:doc/comment()[1]"><!-- This is the new content --></replace>', `<doc ${DOC}><!-- This is the new content --></doc>`],
  ['replaces text', `<doc ${DOC}><foo a="1">x</foo></doc>`, '<replace sel="f:doc/f:foo/text()[1]">y &amp; z</replace>', `<doc ${DOC}><foo a="1">y &amp; z</foo></doc>`],
  ['selects by a child, its value, and both', `<doc ${DOC}><a><k v="1"/></a><a><k v="2"/><l/></a></doc>`, `<remove sel="//f:a[f:k/@v='2' and f:l and not(@x) or false]"/>`, `<doc ${DOC}><a><k v="1"/></a></doc>`],
  ['selects by text and functions', `<doc ${DOC}><a>one</a><a>two</a></doc>`, `<remove sel="f:doc/f:a[starts-with(., 't')][contains(string(), 'wo')][position()=1][. != 'one']"/>`, `<doc ${DOC}><a>one</a></doc>`],
  ['selects upwards', `<doc ${DOC}><a><k v="1"/></a><a><k v="2"/></a></doc>`, `<remove sel="//f:k[@v='2']/.."/>`, `<doc ${DOC}><a><k v="1"/></a></doc>`],
])('%s', (_what, target, operation, expected) => {
  expect(canonical(patched(target, operation))).toBe(canonical(expected));
});

test.each([
  ['nothing at the place', `<doc ${DOC}/>`, '<remove sel="f:doc/f:foo"/>', /Operation 1 .*nothing at this place/],
  ['another namespace', '<doc xmlns="http://hl7.org/fhir1"><foo/></doc>', '<remove sel="f:doc/f:foo"/>', /nothing at this place/],
  ['several', `<doc ${DOC}><foo/><foo/></doc>`, '<remove sel="f:doc/f:foo"/>', /2 nodes are at this place/],
  ['the root', `<doc ${DOC}/>`, '<remove sel="f:doc"/>', /send a DELETE/],
  ['a sibling of the root', `<doc ${DOC}/>`, '<add sel="f:doc" pos="after"><a/></add>', /beside the resource/],
  ['an attribute that is there', `<doc ${DOC} a="1"/>`, '<add sel="f:doc" type="@a">2</add>', /replace it/],
  ['two for one', `<doc ${DOC}><a/></doc>`, '<replace sel="f:doc/f:a"><b/><c/></replace>', /must hold one element, and holds 2/],
  ['an element for a value', `<doc ${DOC} a="1"/>`, '<replace sel="f:doc/@a"><b/></replace>', /must be text/],
  ['a child of an attribute', `<doc ${DOC} a="1"/>`, '<add sel="f:doc/@a"><b/></add>', /only an element can be added to/],
  ['no path', `<doc ${DOC} a="1"/>`, '<remove sel="1 = 1"/>', /no path to a node/],
])('%s is refused (422)', (_what, target, operation, words) => {
  const attempt = (): string => patched(target, operation);
  expect(attempt).toThrow(words);
  expect(attempt).toThrow(expect.objectContaining({ status: 422 }) as FhirError);
});

test.each([
  ['', /holds no operation/],
  ['<test sel="f:doc"/>', /must be add, replace, remove/],
  ['<remove/>', /must have a sel/],
  ['<remove sel="f:doc" pos="after"/>', /attribute pos/],
  ['<add sel="f:doc" pos="first"/>', /must have a pos out of prepend, before, after/],
  ['<add sel="f:doc" type="user"/>', /must have a type such as @value/],
  ['<remove sel="x:doc"/>', /nothing declares the prefix x/],
  ['<remove sel="f:doc["/>', /can not be read as an XPath: it ends too soon/],
  ['<remove sel="f:doc/"/>', /it ends too soon/],
  ['<remove sel="f:doc]"/>', /is not expected/],
  ['<remove sel="ancestor::f:doc"/>', /the axis ancestor:: is not taken/],
  ['<remove sel="f:doc/processing-instruction()"/>', /processing-instruction\(\) is not taken/],
  ['<remove sel="f:doc[$x]"/>', /is not understood/],
  [`<remove sel="${'('.repeat(100)}"/>`, /nested more than/],
  ['text', /no text beside them/],
  ['<remove sel="f:doc">', /not well-formed/],
])('%s is no patch (400)', (operation, words) => {
  const attempt = (): unknown => readXmlPatch(`<patch ${DOC}>${operation}</patch>`);
  expect(attempt).toThrow(words);
  expect(attempt).toThrow(expect.objectContaining({ status: 400 }) as FhirError);
});

test('a DOCTYPE in a patch is refused', () => {
  expect(() => readXmlPatch('<!DOCTYPE diff [<!ENTITY x "y">]><diff><remove sel="f:doc"/></diff>')).toThrow(/DOCTYPE/);
});

test('a path that looks at everything for everything is refused', () => {
  const many = `<doc ${DOC}>${'<a><b/></a>'.repeat(5000)}</doc>`;
  expect(() => patched(many, '<remove sel="//*[//*//*]//*[//*]"/>')).toThrow(/more than the server takes/);
});
