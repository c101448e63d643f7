// The part of XPath that selects nodes in an XML Patch: steps, attributes, text, and predicates. https://www.rfc-editor.org/rfc/rfc5261#section-4.1
import type { TreeWork } from '../fhir/tree-work.js';
import { stringValue, type XmlElement, type XmlNode } from './xml-node.js';
import type { Expression, Step } from './xpath-parser.js';

type Value = readonly XmlNode[] | string | number | boolean;

/** What a node weighs in the work of a patch: a list of candidates is made of it, and filtered. */
const LOOKED_AT = 20;

interface Focus {
  readonly node: XmlNode;
  /** From 1. */
  readonly position: number;
  readonly size: number;
}

/** The nodes that an expression selects in a document, in order; undefined where it gives no nodes. */
export function select(document: XmlElement, expression: Expression, work: TreeWork): readonly XmlNode[] | undefined {
  const value = evaluate(expression, { node: document, position: 1, size: 1 }, work);
  return typeof value === 'object' ? value : undefined;
}

function evaluate(expression: Expression, focus: Focus, work: TreeWork): Value {
  switch (expression.kind) {
    case 'literal': return expression.value;
    case 'path': return walk(expression.absolute ? [documentOf(focus.node)] : [focus.node], expression.steps, work);
    case 'or': return expression.terms.some((term) => truth(evaluate(term, focus, work)));
    case 'and': return expression.terms.every((term) => truth(evaluate(term, focus, work)));
    case 'equals': return equal(evaluate(expression.left, focus, work), evaluate(expression.right, focus, work), expression.negated, work);
    case 'call': return FUNCTIONS[expression.name](expression.args.map((arg) => evaluate(arg, focus, work)), focus);
  }
}

const FUNCTIONS: Readonly<Record<Extract<Expression, { kind: 'call' }>['name'], (args: readonly Value[], focus: Focus) => Value>> = {
  position: (_args, { position }) => position,
  last: (_args, { size }) => size,
  not: ([value = false]) => !truth(value),
  count: ([value = '']) => (typeof value === 'object' ? value.length : 0),
  string: ([value], { node }) => text(value ?? [node]),
  'normalize-space': ([value], { node }) => text(value ?? [node]).trim().replace(/\s+/g, ' '),
  contains: ([value = '', part = '']) => text(value).includes(text(part)),
  'starts-with': ([value = '', part = '']) => text(value).startsWith(text(part)),
};

function walk(from: readonly XmlNode[], steps: readonly Step[], work: TreeWork): readonly XmlNode[] {
  let nodes = from;
  for (const step of steps) {
    const found = new Set<XmlNode>();
    for (const node of nodes) for (const one of taken(node, step, work)) found.add(one);
    nodes = [...found];
  }
  return nodes;
}

function taken(node: XmlNode, { axis, test, predicates }: Step, work: TreeWork): readonly XmlNode[] {
  const candidates = onAxis(node, axis);
  work.spend((candidates.length + 1) * LOOKED_AT);
  let nodes = candidates.filter((one) => passes(one, test));
  for (const predicate of predicates) {
    const size = nodes.length;
    nodes = nodes.filter((one, index) => {
      const value = evaluate(predicate, { node: one, position: index + 1, size }, work);
      return typeof value === 'number' ? value === index + 1 : truth(value);
    });
  }
  return nodes;
}

function onAxis(node: XmlNode, axis: Step['axis']): readonly XmlNode[] {
  if (axis === 'self') return [node];
  if (axis === 'parent') return node.parent ? [node.parent] : [];
  if (node.kind !== 'element') return axis === 'descendant' ? [node] : [];
  if (axis === 'attribute') return node.attributes;
  return axis === 'child' ? node.children : [node, ...descendants(node)];
}

function descendants(node: XmlElement): XmlNode[] {
  return node.children.flatMap((child) => (child.kind === 'element' ? [child, ...descendants(child)] : [child]));
}

function passes(node: XmlNode, test: Step['test']): boolean {
  if (test.kind === 'node') return true;
  if (test.kind !== 'name') return node.kind === test.kind;
  if (node.kind !== 'element' && node.kind !== 'attribute') return false;
  return (test.local === '*' || test.local === node.local) && (test.uri === undefined || test.uri === node.uri);
}

function documentOf(node: XmlNode): XmlNode {
  let at = node;
  while (at.parent) at = at.parent;
  return at;
}

const truth = (value: Value): boolean => (typeof value === 'object' ? value.length > 0 : Boolean(value));

function text(value: Value): string {
  if (typeof value !== 'object') return String(value);
  const [first] = value;
  return first ? stringValue(first) : '';
}

/** https://www.w3.org/TR/1999/REC-xpath-19991116/#booleans */
function equal(left: Value, right: Value, negated: boolean, work: TreeWork): boolean {
  if (typeof left !== 'object' && typeof right === 'object') return equal(right, left, negated, work);
  if (typeof left !== 'object') return same(left, right) !== negated;
  if (typeof right === 'boolean') return (truth(left) === right) !== negated;
  const rights = typeof right === 'object' ? right.map(stringValue) : [right];
  work.spend(left.length * rights.length);
  return left.some((node) => rights.some((one) => same(stringValue(node), one) !== negated));
}

function same(left: Value, right: Value): boolean {
  if (typeof left === 'boolean' || typeof right === 'boolean') return truth(left) === truth(right);
  if (typeof left === 'number' || typeof right === 'number') return Number(text(left)) === Number(text(right));
  return text(left) === text(right);
}
