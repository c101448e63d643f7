// Text -> Expression: by our own parser, or that of fhirpath.js for what ours can't read. https://github.com/HL7/fhirpath.js
import { createRequire } from 'node:module';
import { PathError, UnsupportedError, type Expression } from './expression.js';
import { readExpression } from './read-expression.js';
import { unquote } from './unquote.js';

interface ParseNode {
  readonly type: string;
  readonly text?: string;
  readonly delimitedText?: string;
  readonly direction?: 'asc' | 'desc';
  readonly children?: readonly ParseNode[];
}

const load = createRequire(import.meta.url);

/** Throws PathError where the text is no FHIRPath, UnsupportedError where it uses what this compiler has no form for. */
export function parse(text: string): Expression {
  return readExpression(text) ?? parseSlowly(text);
}

/** By the parser of fhirpath.js, which tells what is wrong, and where. Not the whole of fhirpath.js: with its UCUM tables that takes 40 ms and 4 MB more. */
export function parseSlowly(text: string): Expression {
  const { parse: parseTree } = load('fhirpath/src/parser/index.js') as { parse: (text: string) => ParseNode };
  try {
    return convert(only(only(parseTree(text))));
  } catch (error) {
    if (error instanceof UnsupportedError || error instanceof PathError) throw error;
    throw new PathError(`"${text}" is not FHIRPath: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function convert(node: ParseNode): Expression {
  switch (node.type) {
    case 'TermExpression':
    case 'ParenthesizedTerm':
    case 'InvocationTerm':
      return convert(only(node));
    case 'LiteralTerm':
      return literal(only(node));
    case 'ExternalConstantTerm':
      return { kind: 'variable', name: unquote(node.delimitedText ?? node.text ?? '', "'") };
    case 'InvocationExpression': {
      const [of, invocation] = pair(node);
      return invoke(invocation, convert(of));
    }
    case 'IndexerExpression': {
      const [of, at] = pair(node);
      return { kind: 'index', of: convert(of), at: convert(at) };
    }
    case 'TypeExpression': {
      const [of, type] = pair(node);
      return { kind: 'type', operator: node.text === 'is' ? 'is' : 'as', of: convert(of), type: type.text ?? '' };
    }
    case 'PolarityExpression':
      return { kind: 'sign', negative: node.text === '-', of: convert(only(node)) };
    case 'SortDirectionArgument':
      return sortArgument(node);
    case 'UnionExpression':
    case 'EqualityExpression':
    case 'InequalityExpression':
    case 'MembershipExpression':
    case 'MultiplicativeExpression':
    case 'AdditiveExpression':
    case 'AndExpression':
    case 'OrExpression':
    case 'ImpliesExpression': {
      const [left, right] = pair(node);
      return { kind: 'operator', operator: node.text ?? '', left: convert(left), right: convert(right) };
    }
    default:
      return invoke(node);
  }
}

function invoke(node: ParseNode, of?: Expression): Expression {
  const subject = of && { of };
  switch (node.type) {
    case 'MemberInvocation':
      return { kind: 'member', ...subject, name: unquote(node.text ?? '', '`') };
    case 'FunctionInvocation': {
      const called = only(node);
      if (unquote(called.text ?? '', '`') === 'sort') return { kind: 'call', ...subject, name: 'sort', args: (called.children ?? []).map(convert) };
      const [name, params] = called.children ?? [];
      return { kind: 'call', ...subject, name: unquote(name?.text ?? '', '`'), args: (params?.children ?? []).map(convert) };
    }
    case 'ThisInvocation':
      return { kind: 'this' };
    case 'IndexInvocation':
      return { kind: 'loop', name: 'index' };
    case 'TotalInvocation':
      return { kind: 'loop', name: 'total' };
    default:
      throw new UnsupportedError(node.type);
  }
}

function literal(node: ParseNode): Expression {
  const text = node.text ?? '';
  switch (node.type) {
    case 'NullLiteral':
      return { kind: 'literal', value: null };
    case 'BooleanLiteral':
      return { kind: 'literal', value: text === 'true' };
    case 'NumberLiteral':
      return { kind: 'literal', value: Number(text), ...(text.includes('.') && { written: text }) };
    case 'StringLiteral':
      return { kind: 'literal', value: unquote(text, "'") };
    case 'DateLiteral':
      return { kind: 'temporal', type: 'Date', text: text.slice(1) };
    case 'DateTimeLiteral':
      return { kind: 'temporal', type: 'DateTime', text: text.slice(1) };
    case 'TimeLiteral':
      return { kind: 'temporal', type: 'Time', text: text.slice(2) };
    case 'QuantityLiteral':
      return quantity(text);
    default:
      throw new UnsupportedError(node.type);
  }
}

/** The parser gives a quantity's text without white space: `3days`, `1.5'mg'`. */
function quantity(text: string): Expression {
  const [value = ''] = /^[0-9.]+/.exec(text) ?? [];
  const unit = text.slice(value.length);
  return { kind: 'quantity', value, unit: unquote(unit, "'"), calendar: !unit.startsWith("'") };
}

/** `sort(-name)` turns the order round too, whatever the type of name. */
function sortArgument(node: ParseNode): Expression {
  const of = convert(only(node));
  const descending = node.direction === 'desc';
  return of.kind === 'sign' && of.negative ? { kind: 'order', descending: !descending, of: of.of } : { kind: 'order', descending, of };
}

function only(node: ParseNode): ParseNode {
  const [child] = node.children ?? [];
  if (!child) throw new UnsupportedError(node.type);
  return child;
}

function pair(node: ParseNode): readonly [ParseNode, ParseNode] {
  const [left, right] = node.children ?? [];
  if (!left || !right) throw new UnsupportedError(node.type);
  return [left, right];
}
