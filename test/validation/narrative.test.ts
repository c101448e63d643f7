// What a narrative may hold, and what is refused whatever it is hidden in.
import { validator } from './examples.js';

function wordsOf(div: string): string | undefined {
  const issues = validator.validate({ resourceType: 'Patient', text: { status: 'generated', div } });
  for (const { expression } of issues) expect(expression).toBe('Patient.text.div');
  expect(issues.length).toBeLessThan(2);
  return issues[0]?.text.replace('Patient.text.div: ', '');
}

const XMLNS = 'xmlns="http://www.w3.org/1999/xhtml"';
const within = (content: string): string => `<div ${XMLNS}>${content}</div>`;

test.each([
  within('text'), within('<p>a</p><br/><hr />'), within('<b title="x">a</b>'), within("<p class='a' id=\"b\">x</p>"), within('<!-- a & b --><p>x</p>'),
  within('a &amp; b &lt; c &#160; &#xa0;'), within('<a href="https://example.org/?a=1&amp;b=2">x</a>'), within('<img src="data:image/png;base64,AAAA" alt="x"/>'),
  within('<table border="1"><tbody><tr><td colspan="2">x</td></tr></tbody></table>'), within(`<div ${XMLNS} style="color: red">x</div>`), `\n <div ${XMLNS} >x</div >\n`,
])('%s is right', (div) => {
  expect(wordsOf(div)).toBeUndefined();
});

test.each([
  ['x', 'the narrative must be one <div> element'],
  ['<p>x</p>', 'the narrative must be one <div> element'],
  ['<!DOCTYPE x [<!ENTITY a "b">]><div>x</div>', 'the narrative must be one <div> element'],
  [`${within('x')}<p>y</p>`, 'nothing may stand after'],
  [`${within('x')}y`, 'nothing may stand after'],
  [within('<p>x'), 'the element <p> must be closed by </p>'],
  [within('<b><i>x</b></i>'), 'the element <i> must be closed by </i>'],
  [`<div ${XMLNS}>x`, 'the element <div> is not closed'],
  [within('a < b'), 'is no tag: write < as &lt;'],
  [within('<p title=x>y</p>'), 'attributes are written name="value"'],
  [within('<p title="a<b">y</p>'), 'attributes are written name="value"'],
  [within('<p title>y</p>'), 'attributes are written name="value"'],
  [within('<p id="a" id="b">y</p>'), 'the attribute id stands twice'],
  [within('<!-- a -- b -->x'), 'a comment must end with -->'],
  [within('a & b'), 'write & as &amp;'],
  [within('a&nbsp;b'), '&nbsp; as &#160;'],
  [within('<p title="a&copy;b">x</p>'), 'is no character reference of XML'],
])('%s is not well-formed', (div, words) => {
  expect(wordsOf(div)).toContain(words);
});

test.each([
  ['<div>x</div>', 'the div must say its namespace'],
  ['<div xmlns="http://example.org">x</div>', 'must be http://www.w3.org/1999/xhtml'],
  [within('<script>alert(1)</script>'), 'the element <script> is not allowed'],
  [within('<SCRIPT>alert(1)</SCRIPT>'), 'the element <SCRIPT> is not allowed'],
  [within('<x:script xmlns:x="http://www.w3.org/1999/xhtml">a</x:script>'), 'the element <x:script> is not allowed'],
  [within('<iframe src="https://example.org"/>'), 'the element <iframe> is not allowed'],
  [within('<form>x</form>'), 'the element <form> is not allowed'],
  [within('<object/>'), 'the element <object> is not allowed'],
  [within('<style>p{}</style>'), 'the element <style> is not allowed'],
  [within('<link/>'), 'the element <link> is not allowed'],
  [within('<svg/>'), 'the element <svg> is not allowed'],
  [within('<p onclick="alert(1)">x</p>'), 'the attribute onclick is not allowed in <p>'],
  [within('<p onClick="alert(1)">x</p>'), 'the attribute onClick is not allowed in <p>'],
  [within('<p href="x">x</p>'), 'the attribute href is not allowed in <p>'],
  [within('<a href="javascript:alert(1)">x</a>'), 'must lead to a page or image'],
  [within('<a href=" JaVa&#115;cript:alert(1)">x</a>'), 'must lead to a page or image'],
  [within('<a href="java&#9;script:alert(1)">x</a>'), 'must lead to a page or image'],
  [within('<a href="java&#x0a;script:alert(1)">x</a>'), 'must lead to a page or image'],
  [within('<a href="data:text/html,x">x</a>'), 'must lead to a page or image'],
  [within('<img src="data:image/svg+xml;base64,AA"/>'), 'must lead to a page or image'],
  [within('<p style="width: expression(alert(1))">x</p>'), 'the style of a narrative'],
  [within('<p style="background: url(javascript:alert(1))">x</p>'), 'the style of a narrative'],
  [within('<p style="@im\\port url(x)">x</p>'), 'the style of a narrative'],
  [within('<![CDATA[<script>x</script>]]>'), 'must not have DOCTYPE, ENTITY or CDATA'],
  [within('<?xml-stylesheet href="x"?>x'), 'must not have processing instructions'],
])('%s is not allowed', (div, words) => {
  expect(wordsOf(div)).toMatch(/^txt-1: /);
  expect(wordsOf(div)).toContain(words);
});

test.each([within(''), within(' \n '), within('<p> </p>'), `<div ${XMLNS}/>`])('%s says nothing', (div) => {
  expect(wordsOf(div)).toBe('txt-2: the narrative must have some text or an image');
});
