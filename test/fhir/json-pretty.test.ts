// Laying JSON text out changes white space alone.
import fc from 'fast-check';
import { minify } from '../../src/fhir/json-minify.js';
import { prettyJson } from '../../src/fhir/json-pretty.js';

test('members and items stand on lines of their own, numbers and strings as they are written', () => {
  expect(prettyJson('{"a":1.00,"b":[{"c":"x, {y}: \\"z\\""},2e0],"d":{},"e":[]}')).toBe(`{
  "a": 1.00,
  "b": [
    {
      "c": "x, {y}: \\"z\\""
    },
    2e0
  ],
  "d": {},
  "e": []
}`);
});

test('without its white space the text is what it was', () => {
  fc.assert(fc.property(fc.json(), (json) => {
    const text = JSON.stringify(JSON.parse(json));
    const pretty = prettyJson(text);
    expect(minify(pretty, 0, pretty.length)).toBe(text);
  }));
});
