import { loadDefinitions } from '../../src/definitions/load.js';
import { PathError, UnsupportedError, type Expression } from '../../src/fhirpath/expression.js';
import { parse, parseSlowly } from '../../src/fhirpath/parse.js';
import { readExpression } from '../../src/fhirpath/read-expression.js';

describe('parse', () => {
  test('a path with a test', () => {
    expect(parse("telecom.where(system = 'phone')[0]")).toEqual({
      kind: 'index',
      of: {
        kind: 'call',
        of: { kind: 'member', name: 'telecom' },
        name: 'where',
        args: [{ kind: 'operator', operator: '=', left: { kind: 'member', name: 'system' }, right: { kind: 'literal', value: 'phone' } }],
      },
      at: { kind: 'literal', value: 0 },
    });
  });

  test('`as` binds more tightly than the union', () => {
    expect(parse('a | b as Quantity')).toEqual({
      kind: 'operator',
      operator: '|',
      left: { kind: 'member', name: 'a' },
      right: { kind: 'type', operator: 'as', of: { kind: 'member', name: 'b' }, type: 'Quantity' },
    });
  });

  test.each([
    ["'it\\'s'", "it's"], ["'\\u00e9\\n'", 'é\n'], ["'a\\\\b'", 'a\\b'], ['true', true], ['15', 15], ['{}', null],
  ])('the literal %s', (text, value) => {
    expect(parse(text)).toEqual({ kind: 'literal', value });
  });

  test('names in back-quotes and variables', () => {
    expect(parse('%resource.`a b`')).toEqual({ kind: 'member', of: { kind: 'variable', name: 'resource' }, name: 'a b' });
  });

  test('tells text that is no FHIRPath from FHIRPath it has no form for', () => {
    expect(() => parse('a.where(')).toThrow(PathError);
    for (const text of ['5L', "Quantity { value: 5 }"]) expect(() => parse(text)).toThrow(UnsupportedError);
  });

  test.each([
    ['1.50', { kind: 'literal', value: 1.5, written: '1.50' }],
    ['@2015-01', { kind: 'temporal', type: 'Date', text: '2015-01' }],
    ['@2015T', { kind: 'temporal', type: 'DateTime', text: '2015T' }],
    ['@T10:30', { kind: 'temporal', type: 'Time', text: '10:30' }],
    ["4.0 'kg'", { kind: 'quantity', value: '4.0', unit: 'kg', calendar: false }],
    ['3 days', { kind: 'quantity', value: '3', unit: 'days', calendar: true }],
    ['$index', { kind: 'loop', name: 'index' }],
    ['-a', { kind: 'sign', negative: true, of: { kind: 'member', name: 'a' } }],
    ['a in b', { kind: 'operator', operator: 'in', left: { kind: 'member', name: 'a' }, right: { kind: 'member', name: 'b' } }],
    ['sort(a desc, -b)', { kind: 'call', name: 'sort', args: [{ kind: 'order', descending: true, of: { kind: 'member', name: 'a' } }, { kind: 'order', descending: true, of: { kind: 'member', name: 'b' } }] }],
  ])('%s', (text, expression) => {
    expect(parse(text)).toEqual(expression);
  });
});

describe('our parser', () => {
  const model = loadDefinitions({ profiles: false });
  const parameters = model.resourceTypes.flatMap((type) => [...model.searchParameters(type).values()].map(({ expression = '{}' }) => expression));
  const rules = model.resourceTypes.flatMap((type) => (model.type(type)?.constraints ?? []).map(({ expression }) => expression));
  const others = ['-1.abs() + +2', 'a or b and c xor d implies e', '1 | 1 is Integer', 'a.is(FHIR.`Patient`) and b is FHIR.Patient', "4 'mg' <= 3 days", 'a /* b */ + c // d', "%`a-b` = %'c'", 'repeat(contains).in.as.is', "'it\\'s \\u00e9 \\\\'", 'x.sort(a desc, -b, c asc)', '@2015T < @2015-02-04T14:34:28.1+10:00.value', '@T14:34.is(Time)', '{}.empty()', 'a[0][1].b[$index]', '- - 1', 'a in b contains c', 'a & b - c * d mod e'];

  test('reads what that of fhirpath.js reads', () => {
    const texts = new Set([...parameters, ...rules, ...others]);
    for (const text of texts) expect([text, withoutQuotes(readExpression(text))]).toEqual([text, withoutQuotes(parseSlowly(text))]);
    expect(texts.size).toBeGreaterThan(900);
  });

  test.each(['a b', 'a.', '(a', 'a)', '1 +', "'a", '`a', 'a..b', 'a.and', '[1]', '', '%', 'a is', 'f(,)', 'a # b', 'Quantity { value: 1 }', `${'('.repeat(300)}1${')'.repeat(300)}`])('leaves %.30j alone', (text) => {
    expect(readExpression(text)).toBeUndefined();
  });
});

/** That parser keeps the quotes of the name of a type. */
function withoutQuotes(expression: Expression | undefined): unknown {
  return JSON.parse(JSON.stringify(expression).replaceAll('`', ''));
}
