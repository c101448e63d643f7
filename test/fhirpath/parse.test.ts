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
    ["'it\\'s'", "it's"], ["'\\u00e9\\n'", 'é\n'], ["'a\\\\b'", 'a\\b'], ['true', true], ['1.5', 1.5], ['{}', null],
  ])('the literal %s', (text, value) => {
    expect(parse(text)).toEqual({ kind: 'literal', value });
  });

  test('names in back-quotes and variables', () => {
    expect(parse('%resource.`a b`')).toEqual({ kind: 'member', of: { kind: 'variable', name: 'resource' }, name: 'a b' });
  });

  test('tells text that is no FHIRPath from FHIRPath it has no form for', () => {
    expect(() => parse('a.where(')).toThrow(PathError);
    for (const text of ['a + b', 'a > b', '-a', '@2015', "4 'kg'", '$index', 'a in b']) expect(() => parse(text)).toThrow(UnsupportedError);
  });
});
