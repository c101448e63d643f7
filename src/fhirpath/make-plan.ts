// Expression -> plan: resolves every name against FHIR's types, and drops what can't apply to the type at hand.
// https://hl7.org/fhir/R4/fhirpath.html
import { PathError, UnsupportedError, type Expression } from './expression.js';
import type { TypeModel } from './model.js';
import { comparable, isOpen, isPrimitive, NOTHING, type Nodes, type Step, type Value } from './plan.js';
import { compare, concat, couldBeMany, count, equals, hasValue, isDistinct, isText, sum, typesOf } from './plan-values.js';
import { resolveType, typeName } from './type-names.js';

/** The node that bare names start at. */
interface Focus {
  readonly scope: number;
  readonly type: string;
}

type Call = Extract<Expression, { kind: 'call' }>;

/** `type`: of the input node. Throws PathError (a name FHIR does not know) or UnsupportedError. */
export function makePlan(expression: Expression, type: string, model: TypeModel): Nodes {
  return new Planner(type, model, false).nodes(expression, { scope: 0, type });
}

/** As makePlan, for one value. What a search may leave out is unsupported here: extensions of primitives, resolving, resources of any type. */
export function makeTest(expression: Expression, type: string, model: TypeModel): Value {
  if (isPrimitive(type)) throw new UnsupportedError('a primitive to start at');
  return new Planner(type, model, true).value(expression, { scope: 0, type });
}

class Planner {
  private scopes = 0;
  /** How many loops lie around. */
  private depth = 0;

  constructor(
    private readonly inputType: string,
    private readonly model: TypeModel,
    private readonly exact: boolean,
  ) {}

  nodes(expression: Expression, focus: Focus): Nodes {
    switch (expression.kind) {
      case 'this':
        return startAt(focus);
      case 'variable':
        return this.variable(expression.name);
      case 'member':
        return expression.of ? this.child(this.nodes(expression.of, focus), expression.name) : this.root(expression.name, focus);
      case 'index':
        return this.nth(this.nodes(expression.of, focus), expression.at);
      case 'type':
        return expression.operator === 'as' ? this.ofType(this.nodes(expression.of, focus), expression.type) : valueNodes(this.value(expression, focus));
      case 'operator':
        return expression.operator === '|' ? this.union(expression.left, expression.right, focus) : valueNodes(this.value(expression, focus));
      case 'literal':
        return expression.value === null ? NOTHING : valueNodes(this.value(expression, focus));
      case 'call':
        return this.callNodes(expression, focus) ?? valueNodes(this.value(expression, focus));
      default:
        throw new UnsupportedError(`a ${expression.kind}`);
    }
  }

  value(expression: Expression, focus: Focus): Value {
    if (expression.kind === 'literal') return { op: 'literal', value: expression.value };
    if (expression.kind === 'variable' && expression.name === 'ucum') return { op: 'literal', value: 'http://unitsofmeasure.org' };
    if (expression.kind === 'type' && expression.operator === 'is') return this.is(expression.of, expression.type, focus);
    if (expression.kind === 'call') return this.callValue(expression, focus) ?? { op: 'single', of: this.nodes(expression, focus) };
    if (expression.kind !== 'operator' || expression.operator === '|') return { op: 'single', of: this.nodes(expression, focus) };
    return this.operator(expression, focus);
  }

  private operator(expression: Extract<Expression, { kind: 'operator' }>, focus: Focus): Value {
    const { operator } = expression;
    const left = this.value(expression.left, focus);
    if (operator === 'in') return this.in(left, this.nodes(expression.right, focus));
    const right = this.value(expression.right, focus);
    switch (operator) {
      case 'and':
      case 'or':
      case 'xor':
      case 'implies':
        return { op: 'logic', operator, left, right };
      case '=':
        return equals(left, right);
      case '!=':
        return { op: 'not', of: equals(left, right) };
      case '<':
      case '<=':
      case '>':
      case '>=':
        return compare(operator, left, right);
      case '+':
        return sum(left, right);
      case '&':
        return concat(left, right);
      default:
        throw new UnsupportedError(`the operator ${operator}`);
    }
  }

  private in(item: Value, list: Nodes): Value {
    if (!comparable(typesOf(item), list.types) || couldBeMany(item)) throw new UnsupportedError('in, of more than plain values');
    return { op: 'in', item, list };
  }

  /** Functions that give nodes; undefined for those that give one value. */
  private callNodes(call: Call, focus: Focus): Nodes | undefined {
    const of = (): Nodes => this.subject(call, focus);
    switch (call.name) {
      case 'where':
        return this.filter(of(), argument(call));
      case 'as':
      case 'ofType':
        return this.ofType(of(), typeName(argument(call)));
      case 'first':
        return this.nth(of(), { kind: 'literal', value: 0 });
      case 'extension':
        return this.extension(of(), argument(call));
      case 'trace':
        return of();
      case 'select':
        return this.select(of(), argument(call));
      default:
        return undefined;
    }
  }

  private callValue(call: Call, focus: Focus): Value | undefined {
    const exists = (of: Nodes): Value => ({ op: 'exists', of });
    switch (call.name) {
      case 'exists': {
        const [criteria] = call.args;
        if (!criteria && call.of?.kind === 'call' && call.of.name === 'intersect') return this.meets(call.of, focus);
        const of = this.subject(call, focus);
        return exists(criteria ? this.filter(of, criteria) : of);
      }
      case 'empty':
        return { op: 'not', of: exists(this.subject(call, focus)) };
      case 'count':
        return count(this.subject(call, focus));
      case 'isDistinct':
        return isDistinct(this.subject(call, focus));
      case 'all':
        return this.all(this.subject(call, focus), argument(call));
      case 'hasValue':
        return hasValue(this.subject(call, focus));
      case 'startsWith':
      case 'endsWith':
      case 'contains':
      case 'matches':
        return this.text(call, call.name, focus);
      case 'hasExtension':
        return exists(this.extension(this.subject(call, focus), argument(call)));
      case 'not':
        return { op: 'not', of: call.of ? this.value(call.of, focus) : { op: 'single', of: startAt(focus) } };
      case 'is':
        return this.is(call.of ?? { kind: 'this' }, typeName(argument(call)), focus);
      case 'where':
      case 'as':
      case 'ofType':
      case 'first':
      case 'trace':
      case 'select':
      case 'extension':
        return undefined;
      default:
        throw new UnsupportedError(`the function ${call.name}()`);
    }
  }

  private subject(call: Call, focus: Focus): Nodes {
    return call.of ? this.nodes(call.of, focus) : startAt(focus);
  }

  private variable(name: string): Nodes {
    if (name === 'context' && !this.exact) return startAt({ scope: 0, type: this.inputType });
    if (name !== 'resource') throw new UnsupportedError(`the variable %${name}`);
    const [type = ''] = this.inputType.split('.');
    if (!this.model.isResource(type)) throw new UnsupportedError(`%resource of ${this.inputType}`);
    return { op: 'scope', types: [type], scope: 'resource' };
  }

  /** The first name of a path: an element, or the type that the path is for. A path for another type gives nothing. */
  private root(name: string, focus: Focus): Nodes {
    if (this.model.element(focus.type, name)) return this.child(startAt(focus), name);
    if (this.model.isA(focus.type, name)) return startAt(focus);
    if (this.model.isResource(name)) return NOTHING;
    throw new PathError(`${focus.type} has no element ${name}`);
  }

  private child(of: Nodes, name: string): Nodes {
    if (of.types.length === 0) return NOTHING;
    const steps = new Map<string, readonly Step[]>();
    for (const type of of.types) {
      const known = this.model.element(type, name) !== undefined;
      if (this.exact && (isOpen(type) ? !known : known && isPrimitive(type))) throw new UnsupportedError('a child of a primitive, or of any resource');
      const found = stepsOf(this.model, type, name);
      // A list of the whole resource, once for each item of another: the general road counts its steps.
      if (this.exact && this.depth > 0 && isOfResource(of) && found.some(({ repeats }) => repeats)) throw new UnsupportedError('a list of %resource within a loop');
      if (found.length > 0) steps.set(type, found);
    }
    if (steps.size === 0) throw new PathError(`${of.types.join(' and ')} ${of.types.length === 1 ? 'has' : 'have'} no element ${name}`);
    return { op: 'child', types: unique([...steps.values()].flat().map((step) => step.type)), of, steps };
  }

  private filter(of: Nodes, criteria: Expression): Nodes {
    if (of.types.length === 0) return NOTHING;
    this.scopes += 1;
    const scope = this.scopes;
    const tests = this.tests(of, criteria, scope);
    return { op: 'filter', types: [...tests.keys()], of, scope, tests };
  }

  private select(of: Nodes, part: Expression): Nodes {
    this.scopes += 1;
    const scope = this.scopes;
    this.depth += 1;
    const parts = new Map(of.types.map((type) => [type, this.nodes(part, { scope, type })]));
    this.depth -= 1;
    return { op: 'select', types: unique([...parts.values()].flatMap(({ types }) => types)), of, scope, parts };
  }

  private meets(call: Call, focus: Focus): Value {
    const of = this.subject(call, focus);
    const { depth } = this;
    this.depth = 0; // its code counts steps
    const other = this.nodes(argument(call), focus);
    this.depth = depth;
    if ([...of.types, ...other.types].some((type) => isPrimitive(type) || type.endsWith('Quantity'))) throw new UnsupportedError('intersect() of primitives');
    return { op: 'meets', of, other };
  }

  private all(of: Nodes, criteria: Expression): Value {
    this.scopes += 1;
    const scope = this.scopes;
    return { op: 'all', of, scope, tests: of.types.length === 0 ? new Map() : this.tests(of, criteria, scope) };
  }

  private tests(of: Nodes, criteria: Expression, scope: number): ReadonlyMap<string, Value> {
    const tests = new Map<string, Value>();
    const errors: unknown[] = [];
    this.depth += 1;
    for (const type of of.types) {
      try {
        tests.set(type, this.value(criteria, { scope, type }));
      } catch (error) {
        if (!(error instanceof PathError)) throw error;
        errors.push(error); // a choice: one of its types may well lack the element
      }
    }
    this.depth -= 1;
    if (tests.size === 0) throw errors[0];
    return tests;
  }

  private text(call: Call, name: 'startsWith' | 'endsWith' | 'contains' | 'matches', focus: Focus): Value {
    const of = call.of ? this.value(call.of, focus) : { op: 'single' as const, of: startAt(focus) };
    const given = this.value(argument(call), focus);
    if (!isText(of) || !isText(given)) throw new UnsupportedError(`${name}() of more than a text`);
    return { op: 'text', name: name === 'contains' ? 'includes' : name, of, argument: given };
  }

  private extension(of: Nodes, url: Expression): Nodes {
    return this.filter(this.child(of, 'extension'), { kind: 'operator', operator: '=', left: { kind: 'member', name: 'url' }, right: url });
  }

  private nth(of: Nodes, at: Expression): Nodes {
    if (at.kind !== 'literal' || typeof at.value !== 'number') throw new UnsupportedError('an index that is not a number');
    return { op: 'nth', types: of.types, of, place: at.value };
  }

  private union(left: Expression, right: Expression, focus: Focus): Nodes {
    const parts = [this.nodes(left, focus), this.nodes(right, focus)].filter((part) => part.types.length > 0);
    const [first, second] = parts;
    if (!first || !second) return first ?? NOTHING;
    return { op: 'union', types: unique(parts.flatMap((part) => part.types)), of: parts };
  }

  private ofType(of: Nodes, name: string): Nodes {
    const wanted = this.typeCalled(name);
    const types = of.types.filter((type) => this.model.isA(type, wanted));
    if (types.length > 0) return { op: 'keep', types, of };
    const possible = of.types.some((type) => isOpen(type) && this.model.isA(wanted, type));
    return possible ? { op: 'narrow', types: [wanted], of } : NOTHING;
  }

  private is(of: Expression, name: string, focus: Focus): Value {
    const resolved = of.kind === 'call' && of.name === 'resolve';
    if (resolved && this.exact) throw new UnsupportedError('resolve()');
    const nodes = resolved ? this.subject(of, focus) : this.nodes(of, focus);
    const type = this.exact ? resolveType(name, this.model) : this.typeCalled(name);
    return { op: 'is', of: nodes, type, kinds: nodes.types.filter((one) => this.model.isA(one, type)), resolved };
  }

  /** Some published expressions write `DateTime` where the type is `dateTime`. */
  private typeCalled(name: string): string {
    const plain = name.replace(/^FHIR\./, '');
    if (plain.includes('.')) throw new UnsupportedError(`the type ${name}`);
    const lower = plain.charAt(0).toLowerCase() + plain.slice(1);
    const known = [plain, lower].find((type) => this.model.isResource(type) || this.model.element(type, 'id') !== undefined);
    if (known === undefined) throw new PathError(`there is no type ${name}`);
    return known;
  }
}

function startAt(focus: Focus): Nodes {
  return { op: 'scope', types: [focus.type], scope: focus.scope };
}

function isOfResource(nodes: Nodes): boolean {
  if (nodes.op === 'scope') return nodes.scope === 'resource';
  if (nodes.op === 'union') return nodes.of.some(isOfResource);
  return nodes.op !== 'value' && isOfResource(nodes.of);
}

function stepsOf(model: TypeModel, type: string, name: string): readonly Step[] {
  const element = model.element(type, name);
  if (!element) return [];
  const { repeats } = element;
  return element.types.map((code) => {
    return { member: element.choice ? name + code.charAt(0).toUpperCase() + code.slice(1) : name, type: code, repeats };
  });
}

function valueNodes(value: Value): Nodes {
  const [type = 'boolean'] = typesOf(value);
  return { op: 'value', types: [type], value };
}

function argument(call: Call): Expression {
  const [first, second] = call.args;
  if (!first || second) throw new PathError(`${call.name}() takes one argument`);
  return first;
}

function unique(list: readonly string[]): readonly string[] {
  return [...new Set(list)];
}
