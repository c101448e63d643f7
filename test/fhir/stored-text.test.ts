import fc from 'fast-check';
import { minify } from '../../src/fhir/json-minify.js';
import { memberDocument, readJson } from '../../src/fhir/json-text.js';
import { storedText, type Edits } from '../../src/fhir/stored-text.js';
import { jsonText } from './json-arbitraries.js';

const AT = Date.UTC(2026, 10, 21, 12);
const META = '"meta":{"versionId":"3","lastUpdated":"2026-11-21T12:00:00.000Z"';

function stored(text: string, edits?: Edits): string {
  return storedText(readJson(text), { id: 'x1', versionId: 3, lastUpdated: AT, ...(edits && { edits }) });
}

/** What minify does, told by a regular expression. */
function naive(text: string): string {
  return text.replace(/("(?:[^"\\]|\\.)*")|[ \t\r\n]+/gs, '$1');
}

describe('white space', () => {
  test('goes between tokens and stays in strings; nothing else changes', () => {
    fc.assert(fc.property(jsonText, (text) => {
      expect(minify(text, 0, text.length)).toBe(naive(text));
      expect(JSON.parse(minify(text, 0, text.length))).toEqual(JSON.parse(text));
    }), { numRuns: 500 });
  });

  test('the same for texts of two-byte characters and for long strings', () => {
    const value = { a: 'x y '.repeat(40_000), b: ['–', '\\" ', '\\\\'], 'c d': '😀 é' };
    for (const text of [JSON.stringify(value, null, 8), JSON.stringify({ ...value, b: ['-'] }, null, '\t')]) expect(minify(text, 0, text.length)).toBe(JSON.stringify(JSON.parse(text)));
  });
});

describe('the stored text', () => {
  test('begins with resourceType, id and meta, whatever the order was', () => {
    expect(stored('{ "active": true, "id": "mine", "name" : [ { "text": "A  B" } ], "resourceType" : "Patient" }')).toBe(
      `{"resourceType":"Patient","id":"x1",${META}},"active":true,"name":[{"text":"A  B"}]}`,
    );
    expect(stored('{"resourceType":"Basic"}')).toBe(`{"resourceType":"Basic","id":"x1",${META}}}`);
  });

  test('the client\'s id is replaced however it is written, and _id stays', () => {
    expect(stored('{"resourceType":"Basic","\\u0069d":"mine","_id":{"extension":[]}}')).toBe(`{"resourceType":"Basic","id":"x1",${META}},"_id":{"extension":[]}}`);
  });

  test('the client\'s meta is merged: versionId and lastUpdated are the server\'s, the rest is kept as written', () => {
    const meta = '{ "lastUpdated":"2001-01-01T00:00:00Z", "tag":[ {"code":"\\u0061"} ],"versionId":"9" , "_source":{"id":"s"},"profile":["p"] }';
    expect(stored(`{"resourceType":"Basic","code":{},"meta":${meta}}`)).toBe(
      `{"resourceType":"Basic","id":"x1",${META},"tag":[{"code":"\\u0061"}],"_source":{"id":"s"},"profile":["p"]},"code":{}}`,
    );
    expect(stored('{"resourceType":"Basic","meta":{}}')).toBe(`{"resourceType":"Basic","id":"x1",${META}}}`);
  });

  test('digits and escapes stay as written', () => {
    const kept = '"a":1.00,"b":1.0E+2,"c":0.10000000000000000001,"d":"\\u00e9\\/\\n – é"';
    expect(stored(`{"resourceType":"Basic",${kept}}`)).toContain(kept);
  });

  test('parses to what was sent, but for id and meta', () => {
    fc.assert(fc.property(jsonText, jsonText, (one, other) => {
      const text = ` { "one" : ${one} , "resourceType":"Basic","id":"a","other":${other}\n} `;
      const { id, meta, ...rest } = JSON.parse(stored(text)) as Record<string, unknown>;
      expect({ id, meta }).toEqual({ id: 'x1', meta: { versionId: '3', lastUpdated: '2026-11-21T12:00:00.000Z' } });
      expect(rest).toEqual({ resourceType: 'Basic', one: JSON.parse(one), other: JSON.parse(other) });
      expect(stored(text)).toBe(naive(stored(text)));
    }));
  });

  test('of an entry is of that entry alone', () => {
    const bundle = readJson('{"entry":[{"resource":{"resourceType":"A","x":1}},{"resource": {"resourceType":"B" ,"y":1.0}}]}');
    expect(storedText(memberDocument(bundle, 'entry', 1)!, { id: 'b', versionId: '1', lastUpdated: AT })).toBe(
      '{"resourceType":"B","id":"b","meta":{"versionId":"1","lastUpdated":"2026-11-21T12:00:00.000Z"},"y":1.0}',
    );
  });
});

describe('edits', () => {
  const text = '{"resourceType":"Claim", "status":"draft", "created":"2026", "total":{"value":1.00}}';

  test('members are replaced where they stand, dropped, and added at the end', () => {
    expect(stored(text, { set: { status: 'active', created: undefined, extra: { a: 1 }, absent: undefined }, texts: { total: '{"value":2.00}', more: '[1.0]' } })).toBe(
      `{"resourceType":"Claim","id":"x1",${META}},"status":"active","total":{"value":2.00},"extra":{"a":1},"more":[1.0]}`,
    );
  });

  test('meta can be set, id and resourceType cannot', () => {
    expect(stored('{"resourceType":"Claim","meta":{"profile":["p"]}}', { set: { id: 'z', resourceType: 'Z', meta: { versionId: '7', security: [] } } })).toBe(
      `{"resourceType":"Claim","id":"x1",${META},"security":[]}}`,
    );
    expect(stored('{"resourceType":"Claim","meta":{"profile":["p"]}}', { set: { meta: undefined } })).toBe(`{"resourceType":"Claim","id":"x1",${META}}}`);
  });

  test('keep the digits of the items of a list that stay in it', () => {
    const text = '{"resourceType":"Basic","extension":[ {"url":"a", "valueDecimal":1.50}, {"url":"b","valueDecimal":2.0} ]}';
    const [a, b] = [{ url: 'a', valueDecimal: 1.5 }, { url: 'b', valueDecimal: 2 }];
    expect(stored(text, { set: { extension: [b, { url: 'c', valueDecimal: 3.5 }, a] } })).toBe(
      `{"resourceType":"Basic","id":"x1",${META}},"extension":[{"url":"b","valueDecimal":2.0},{"url":"c","valueDecimal":3.5},{"url":"a","valueDecimal":1.50}]}`,
    );
    expect(stored(text, { set: { extension: [] } })).toBe(`{"resourceType":"Basic","id":"x1",${META}},"extension":[]}`);
  });

  const links = new Map([['urn:uuid:1', 'Patient/p"1'], ['Patient?identifier=a|b', 'Patient/2']]);

  test.each([
    ['{"subject": {"reference" : "urn:uuid:1"}}', '{"subject":{"reference":"Patient/p\\"1"}}'],
    ['{"subject":{"reference":"Patient?identifier=a|b"}}', '{"subject":{"reference":"Patient/2"}}'],
    ['{"subject":{"\\u0072eference":"urn:uuid\\u003a1"}}', '{"subject":{"\\u0072eference":"Patient/p\\"1"}}'],
    ['{"valueUri":"urn:uuid:1","valueString":"urn:uuid:1","value":"urn:uuid:1"}', '{"valueUri":"Patient/p\\"1","valueString":"urn:uuid:1","value":"urn:uuid:1"}'],
    ['{"reference":"urn:uuid:12","display":"urn:uuid:1"}', '{"reference":"urn:uuid:12","display":"urn:uuid:1"}'],
    ['{"reference":"urn:uuid:1","–":"é – 😀 "}', '{"reference":"Patient/p\\"1","–":"é – 😀 "}'],
    ['{"anotherUri": [ "x", "urn:uuid:1" ]}', '{"anotherUri":["x","Patient/p\\"1"]}'],
  ])('links in %s', (inner, expected) => {
    const names = new Set(['anotherUri']);
    expect(stored(`{"resourceType":"Basic","a":${inner}}`, { strings: links, names })).toBe(`{"resourceType":"Basic","id":"x1",${META}},"a":${expected}}`);
  });

  test('a name that is not asked for is left alone', () => {
    expect(stored('{"resourceType":"Basic","anotherUri":["urn:uuid:1"]}', { strings: links })).toContain('["urn:uuid:1"]');
  });

  test('links in a narrative are those of href and src; other text and escapes stay', () => {
    const div = (one: string, two: string): string => `{"resourceType":"Basic","text":{"div":"<div>urn:uuid:1 \\u00e9 <a  href=\\"${one}\\">x</a><img src='${two}' alt=\\"urn:uuid:1\\"/></div>"}}`;
    const expected = JSON.parse(div('Patient/p&quot;1', 'Patient/p&quot;1')) as { text: unknown };
    const result = stored(div('urn:uuid:1', 'urn:uuid:1'), { strings: links });
    expect((JSON.parse(result) as { text: unknown }).text).toEqual(expected.text);
    expect(result).toContain('urn:uuid:1 \\u00e9');
    expect(stored(div('urn:uuid:2', '#urn:uuid:1'), { strings: links })).toContain('urn:uuid:2');
  });

  test('a function is asked with name and text, and may read JSON itself', () => {
    const asked: string[] = [];
    const strings = (name: string, old: string): string | undefined => {
      asked.push(`${name} ${old}`);
      readJson(`{"noise":"${'x'.repeat(500)}"}`);
      return old.startsWith('urn:') ? `${name}/1` : undefined;
    };
    expect(stored('{"resourceType":"Basic","url":"urn:a","b":{"reference":"Patient/1"},"uri":"urn:c","text":{"div":"<a href=\\"urn:d\\"/>"}}', { strings })).toBe(
      `{"resourceType":"Basic","id":"x1",${META}},"url":"url/1","b":{"reference":"Patient/1"},"uri":"uri/1","text":{"div":"<a href=\\"href/1\\"/>"}}`,
    );
    expect(asked).toEqual(['url urn:a', 'reference Patient/1', 'uri urn:c', 'href urn:d']);
  });

  test('links and members change together, in meta too', () => {
    expect(stored('{ "meta": {"extension":[{"valueUri":"urn:uuid:1"}]}, "resourceType":"Basic","a":{"reference":"urn:uuid:1"},"b":1,"c":{"reference":"urn:uuid:1"}}', { strings: new Map([['urn:uuid:1', 'P/1']]), set: { b: 2 } })).toBe(
      `{"resourceType":"Basic","id":"x1",${META},"extension":[{"valueUri":"P/1"}]},"a":{"reference":"P/1"},"b":2,"c":{"reference":"P/1"}}`,
    );
  });
});
