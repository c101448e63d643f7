import fc from 'fast-check';
import { FhirError } from '../../src/fhir/errors.js';
import { findFault } from '../../src/fhir/json-fault.js';
import { memberDocument, positionOf, readJson, readJsonValue, requireResource } from '../../src/fhir/json-text.js';
import { jsonText, mutated, numberText } from './json-arbitraries.js';

function refusal(text: string, maxDepth?: number): FhirError {
  try {
    readJsonValue(text, maxDepth === undefined ? {} : { maxDepth });
  } catch (error) {
    if (error instanceof FhirError) return error;
    throw error;
  }
  throw new Error(`Not refused: ${text}`);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('reading', () => {
  test('a byte order mark is taken off', () => {
    expect(readJson('\ufeff{"a":1}').text).toBe('{"a":1}');
  });

  test('members are told with their ranges, blanks and escapes in keys notwithstanding', () => {
    const document = readJson(' { "a" : [1, 2] , "\\u0062c":{"d":"}"}\n, "e" :null } ');
    expect(document.members.map(({ key, start, valueStart, valueEnd }) => [key, document.text[start], document.text.slice(valueStart, valueEnd)])).toEqual([
      ['a', '"', '[1, 2]'], ['bc', '"', '{"d":"}"}'], ['e', '"', 'null'],
    ]);
    expect(document.text.slice(document.start, document.end)).toMatch(/^\{.*\}$/s);
    expect(readJson('{}').members).toEqual([]);
    expect(readJson('{ }').members).toEqual([]);
  });

  test('a root that is no object is no resource, an object without a resourceType neither', () => {
    for (const text of ['[]', '1', 'null', '"a"', 'true']) expect(() => readJson(text)).toThrow(/must be a JSON object/);
    expect(readJsonValue('[1]')).toEqual([1]);
    expect(() => requireResource(readJson('{"resourceType":1}'))).toThrow(FhirError);
    expect(() => requireResource(readJson('{"resourceType":""}'))).toThrow(FhirError);
    expect(requireResource(readJson('{"resourceType":"Patient"}')).resourceType).toBe('Patient');
  });

  test('what is JSON is read as JSON.parse reads it', () => {
    fc.assert(fc.property(jsonText, (text) => {
      expect(readJsonValue(text)).toEqual(JSON.parse(text));
      expect(findFault(text)).toBeUndefined();
    }));
  });

  test('a text is malformed exactly where JSON.parse refuses it', () => {
    fc.assert(fc.property(mutated(jsonText), (text) => {
      const valid = isJson(text);
      expect(findFault(text) === undefined).toBe(valid);
      if (!valid) expect(refusal(text).issues[0]).toMatchObject({ code: expect.any(String), line: expect.any(Number), column: expect.any(Number) });
    }), { numRuns: 1000 });
  });

  test('any text at all is read or refused with 400', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...Array.from('{}[]",:\\ \n\t0u19.eE-tfnd8c£–\ud83d\u0000')) }), (text) => {
      if (!isJson(text)) expect(refusal(text).status).toBe(400);
      expect(findFault(text) === undefined).toBe(isJson(text));
    }), { numRuns: 2000 });
  });
});

describe('refusals', () => {
  test.each([
    ['{"a":1,\n  "b" 2}', 2, 7, /a colon after the name of a member, but is "2"/],
    ['{"a":tru}', 1, 6, /should be a value/],
    ['{"a":"x\n"}', 1, 8, /control character/],
    ['{"a":"\\q"}', 1, 7, /escapes of JSON/],
    ['{"a":"x', 1, 8, /a quote that ends the string, but is the end of the body/],
    ['{"a":01}', 1, 7, /a comma or }/],
    ['[1 2]', 1, 4, /a comma or \]/],
    ['{"a":1,}', 1, 8, /the quoted name of a member/],
    ['{} x', 1, 4, /nothing after the end/],
    ['', 1, 1, /a value, but is the end of the body/],
  ])('%j is malformed at line %i, column %i', (text, line, column, words) => {
    const { status, issues } = refusal(text);
    expect(status).toBe(400);
    expect(issues[0]).toMatchObject({ code: 'structure', line, column, text: expect.stringMatching(words) });
  });

  test.each([
    ['{"resourceType":"Patient","id":"1","\\u0069d":"2"}', 'Patient.id', 36],
    ['{"resourceType":"Patient","name":[{"given":["a"]},{"given":["a"],"given":["b"]}]}', 'Patient.name[1].given', 66],
    ['{"a":{},"a":{}}', 'a', 9],
    ['[{"odd key":1,"odd key":2}]', '[0].`odd key`', 15],
  ])('%s names a member twice', (text, expression, column) => {
    expect(refusal(text).issues[0]).toMatchObject({ code: 'structure', expression, line: 1, column, text: expect.stringContaining('two members') });
  });

  test('a duplicate is found among many members, and keys that only look alike pass', () => {
    const keys = Array.from({ length: 200 }, (_, at) => `"key${at}":0`).join(',');
    expect(readJson(`{${keys}}`).members).toHaveLength(200);
    expect(refusal(`{${keys},"key7":1}`).issues[0]).toMatchObject({ expression: 'key7' });
    expect(readJson('{"abcd1efgh":1,"abcd2efgh":2}').value).toEqual({ abcd1efgh: 1, abcd2efgh: 2 });
  });

  test('a duplicate is found after thousands of members and of objects', () => {
    const keys = Array.from({ length: 10_000 }, (_, at) => `"key${at}":0`).join(',');
    expect(refusal(`{${keys},"key9999":1}`).issues[0]).toMatchObject({ expression: 'key9999' });
    expect(refusal(`{"a":[${'{"b":1},'.repeat(10_000)}{"c":1,"c":2}]}`).issues[0]).toMatchObject({ expression: 'a[10000].c' });
  });

  test('a duplicate key is found wherever it stands, and only then', () => {
    const key = fc.constantFrom('"a"', '"b"', '"\\u0061"', '"id"', '"\\u0069\\u0064"', '"longer key"', '"longer\\u0020key"', '"–"', '"é"', '""');
    fc.assert(fc.property(fc.array(key, { maxLength: 6 }), fc.integer({ min: 0, max: 5 }), (keys, depth) => {
      const text = '{"x":['.repeat(depth) + `{${keys.map((name) => `${name}:1`).join(',')}}` + ']}'.repeat(depth);
      const distinct = new Set(keys.map((name) => JSON.parse(name) as string)).size === keys.length;
      if (distinct) expect(readJsonValue(text)).toBeDefined();
      else expect(refusal(text).issues[0]!.text).toMatch(/two members/);
    }));
  });

  test('__proto__ is no element, however it is written', () => {
    for (const key of ['__proto__', '\\u005f_proto__']) {
      expect(refusal(`{"resourceType":"Patient","name":[{"${key}":1}]}`).issues[0]).toMatchObject({ code: 'structure', expression: 'Patient.name[0].__proto__' });
    }
    expect(readJsonValue('{"a":"__proto__"}')).toEqual({ a: '__proto__' });
  });

  test.each(['"\\u0000"', '"x\\u0000"', '"\\ud800"', '"\\ud800\\u0041"', '"\\udc00"', '"\\udc00\\ud800"', '"\ud800"', '"a\udc00b"', '"\\\\\\u0000"'])('%j cannot be stored', (string) => {
    expect(refusal(`{"a":[${string}]}`)).toMatchObject({ status: 400, issues: [{ code: 'value', expression: 'a[0]' }] });
  });

  test.each(['"\\\\u0000"', '"\\ud83d\\ude00"', '"😀"', '"\\uD83D\\uDE00"', '"\\u0001"', '"\\\\\\ud83d\\ude00"'])('%s can be stored', (string) => {
    expect(readJsonValue(`[${string}]`)).toEqual([JSON.parse(string)]);
  });

  test.each(['1e400', '-1e400', '1e-400', '0.5e-500', '400 nines', '1,000 places'])('the number %s cannot be held', (name) => {
    const number = name.replace('400 nines', '9'.repeat(400)).replace('1,000 places', `1.${'1'.repeat(1000)}`);
    expect(refusal(`{"a":{"b":${number}}}`)).toMatchObject({ status: 400, issues: [{ code: 'value', expression: 'a.b' }] });
  });

  test.each(['1e300', '0e-400', '0.0', '-0', '1e-300', '250 nines'])('the number %s is held', (name) => {
    const number = name.replace('250 nines', '9'.repeat(250));
    expect(readJsonValue(`[${number}]`)).toEqual([Number(number)]);
  });

  test('nesting stops at the limit, and a hundred thousand brackets do no harm', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(readJsonValue(nested(100))).toBeDefined();
    expect(refusal(nested(101)).issues[0]).toMatchObject({ code: 'too-long', line: 1, column: 101 });
    expect(refusal(nested(100_000)).issues[0]).toMatchObject({ code: 'too-long' });
    expect(refusal('{"a":'.repeat(100_000)).issues[0]).toMatchObject({ code: 'too-long' });
    expect(refusal(nested(4), 3).issues[0]).toMatchObject({ column: 4 });
    expect(readJsonValue('[[],[],{}]', { maxDepth: 2 })).toEqual([[], [], {}]);
  });
});

describe('numbers as written', () => {
  test('digits that a double drops are told exactly; zeros at the end are no loss', () => {
    const document = readJson('{"resourceType":"Claim","item":[{"net":{"value":0.10000000000000000001}},{"net":{"value":1.00}}],"total":{"value":12345678901234567890}}');
    expect(document.exactDecimal('item[0].net.value')).toBe('0.10000000000000000001');
    expect(document.exactDecimal('Claim.item[1].net.value')).toBeUndefined();
    expect(document.exactDecimal('total.value')).toBe('12345678901234567890');
    expect(readJson('{"a":1.10}').exactDecimal('a')).toBeUndefined();
    expect(document.writtenNumber('Claim.item[1].net.value')).toBe('1.00');
    expect(document.writtenNumber('item[2].net.value')).toBeUndefined();
    expect(document.writtenNumber('item')).toBeUndefined();
  });

  test('every number is told as written, and as inexact exactly where its double prints another value', () => {
    const same = (a: string, b: string): boolean => scaled(a) === scaled(b);
    fc.assert(fc.property(fc.array(numberText, { maxLength: 5 }), (numbers) => {
      const document = readJson(`{"n":[${numbers.join(', ')}],"o":{${numbers.map((number, at) => `"m${at}": ${number}`).join()}}}`);
      numbers.forEach((number, at) => {
        expect(document.writtenNumber(`n[${at}]`)).toBe(number);
        expect(document.exactDecimal(`o.m${at}`)).toBe(same(number, String(Number(number))) ? undefined : number);
      });
    }));
  });
});

/** The value times 10^400 as an integer: another way to compare decimals than the code's. */
function scaled(text: string): bigint {
  const [, whole = '', fraction = '', exponent = '0'] = /^(-?\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text)!;
  return BigInt(whole + fraction) * 10n ** BigInt(400 + Number(exponent) - fraction.length);
}

describe('resources inside', () => {
  const bundle = readJson(`{"resourceType":"Bundle", "type":"batch", "entry":[
    {"request":{"method":"GET","url":"Patient/1"}},
    {"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient", "extension":[{"resource":{}}], "id":"1" },"request":{"method":"POST"}},
    {"resource":{}},
    {"resource":{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Claim","total":{"value":1.50}}}]}}
  ], "total": 7}`);

  test('each is a document over the same text and the same tree', () => {
    const entries = bundle.value.entry as { resource: object }[];
    const patient = memberDocument(bundle, 'entry', 1)!;
    expect(patient.text).toBe(bundle.text);
    expect(patient.value).toBe(entries[1]!.resource);
    expect(JSON.parse(patient.text.slice(patient.start, patient.end))).toEqual(patient.value);
    expect(patient.members.map(({ key, valueStart, valueEnd }) => [key, patient.text.slice(valueStart, valueEnd)])).toEqual([
      ['resourceType', '"Patient"'], ['extension', '[{"resource":{}}]'], ['id', '"1"'],
    ]);
    expect(memberDocument(bundle, 'entry', 2)!.members).toEqual([]);
    expect(bundle.members.map(({ key }) => key)).toEqual(['resourceType', 'type', 'entry', 'total']);
  });

  test('an entry without a resource has none, nor has an entry that is not there', () => {
    for (const index of [0, 4, -1]) expect(memberDocument(bundle, 'entry', index)).toBeUndefined();
    expect(memberDocument(bundle, 'parameter', 0)).toBeUndefined();
    expect(memberDocument(readJson('{"entry":{"0":{"resource":{}}}}'), 'entry', 0)).toBeUndefined();
    const odd = readJson('{"entry":[{"resource":[{}]},{"resource":null},{"resource":"a"},3,null,[{"resource":{}}]]}');
    for (let index = 0; index < 6; index++) expect(memberDocument(odd, 'entry', index)).toBeUndefined();
  });

  test('a member whose key has the hash of `resource` is not taken for one', () => {
    const document = readJson('{"entry":[{"resource":{"a":1},"EKFTrakf":{"b":2}},{"EKFTrakf":{"b":2}}]}');
    expect(memberDocument(document, 'entry', 0)!.members.map(({ key }) => key)).toEqual(['a']);
    expect(memberDocument(document, 'entry', 1)).toBeUndefined();
  });

  test('a Bundle inside a Bundle has its own entries, and numbers know their document', () => {
    const inner = memberDocument(bundle, 'entry', 3)!;
    const claim = memberDocument(inner, 'entry', 0)!;
    expect(claim.value.resourceType).toBe('Claim');
    expect(claim.writtenNumber('Claim.total.value')).toBe('1.50');
    expect(inner.writtenNumber('entry[0].resource.total.value')).toBe('1.50');
    expect(memberDocument(bundle, 'entry', 1)!.writtenNumber('total')).toBeUndefined();
  });

  test('Parameters hold them too', () => {
    const parameters = readJson('{"resourceType":"Parameters","parameter":[{"name":"a","valueString":"b"},{"name":"resource","resource":{"resourceType":"Patient"}}]}');
    expect(memberDocument(parameters, 'parameter', 1)!.value).toEqual({ resourceType: 'Patient' });
    expect(memberDocument(parameters, 'parameter', 0)).toBeUndefined();
  });
});

describe('positions', () => {
  const document = readJson('{\n  "resourceType": "Patient",\n  "name": [{"given": ["a",\n    "b"]}],\n  "deceasedBoolean": true\n}');

  test.each([
    ['Patient.name[0].given[1]', 4, 5],
    ['name[0].given', 3, 13],
    ['Patient.resourceType[0]', 2, 3],
    ['Patient.deceased', 5, 3],
    ['Patient', 1, 1],
  ])('%s is at line %i, column %i', (path, line, column) => {
    expect(positionOf(document, path)).toEqual({ line, column });
  });

  test('what is not there has none', () => {
    for (const path of ['Patient.name[1]', 'Patient.nam', 'name[0].given[0].x', 'deceasedBoolean[1]']) expect(positionOf(document, path)).toBeUndefined();
  });
});
