import { PathError, UnsupportedError } from '../../src/fhirpath/expression.js';
import { parse } from '../../src/fhirpath/parse.js';

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
