// Any FHIRPath, compiled to closures over collections: the general road, for what generate.ts has no code for.
// https://hl7.org/fhirpath/N1/
import { parseDecimal } from '../fhir/decimal.js';
import { PathError, UnsupportedError, type Expression } from './expression.js';
import type { Surroundings } from './environment.js';
import { PLAIN_FUNCTIONS } from './functions/plain-functions.js';
import { negated } from './functions/existence.js';
import { union } from './functions/subsets.js';
import { booleanItems, EMPTY, integerItems, integerOf, single, stringItems, truthOf, type Item, type Items } from './item.js';
import { LOOPS, type Compiled, type Frame, type Run } from './loops.js';
import type { TypeModel } from './model.js';
import { pushChildren, resourceTypeOf } from './navigate.js';
import { negatedItems, operatorCalled, typeOfOperator } from './operators.js';
import { isOpen } from './plan.js';
import { calendarUnit } from './quantity.js';
import { typeReferredTo } from './refers-to.js';
import { parseTemporal } from './temporal.js';
import { isOfType, resolveType, typeName } from './type-names.js';

export interface CompileOptions {
  /** `as` of several nodes keeps those of the type, as R4's own expressions expect; without it, several are an error. */
  readonly lenientAs: boolean;
}

type Types = readonly string[] | undefined;
type Of<K extends Expression['kind']> = Extract<Expression, { kind: K }>;

const CONSTANTS: Readonly<Record<string, string>> = { ucum: 'http://unitsofmeasure.org', sct: 'http://snomed.info/sct', loinc: 'http://loinc.org' };
const BOOLEAN: Types = ['System.Boolean'];

/**
 * `types`: of the node it starts at; undefined where only the data tells.
 * Throws PathError (a name that the types have not got), UnsupportedError (a function there is no code for).
 */
export function compileExpression(expression: Expression, types: Types, model: TypeModel, options: CompileOptions): Run {
  return new Compiler(model, options).compile(expression, types).run;
}

class Compiler {
  constructor(
    private readonly model: TypeModel,
    private readonly options: CompileOptions,
  ) {}

  /** `focus`: the types of `$this`. */
  readonly compile = (expression: Expression, focus: Types): Compiled => {
    switch (expression.kind) {
      case 'literal':
        return constant(literal(expression));
      case 'temporal':
        return constant(temporal(expression));
      case 'quantity':
        return constant([{ type: 'System.Quantity', value: { value: parseDecimal(expression.value) ?? { digits: 0n, scale: 0 }, unit: expression.calendar ? (calendarUnit(expression.unit) ?? '1') : expression.unit || '1', calendar: expression.calendar } }]);
      case 'this':
        return { run: (frame) => frame.focus, types: focus };
      case 'loop':
        return expression.name === 'index' ? { run: (frame) => integerItems(frame.index), types: ['System.Integer'] } : { run: (frame) => frame.total, types: undefined };
      case 'variable':
        return this.variable(expression.name);
      case 'member':
        return expression.of ? this.child(this.compile(expression.of, focus), expression.name) : this.root(expression.name, focus);
      case 'index':
        return this.index(expression, focus);
      case 'type':
        return expression.operator === 'is' ? this.is(expression.of, expression.type, focus) : this.as(this.compile(expression.of, focus), expression.type);
      case 'sign':
        return this.sign(expression, focus);
      case 'order':
        return this.compile(expression.of, focus);
      case 'operator':
        return this.operator(expression, focus);
      case 'call':
        return this.call(expression, focus);
    }
  };

  private variable(name: string): Compiled {
    const text = CONSTANTS[name] ?? named(name);
    if (text !== undefined) return constant(stringItems(text));
    switch (name) {
      case 'context':
        return { run: ({ world }) => (world.host.context ? resourceItems(world.host.context) : world.start), types: undefined };
      case 'resource':
        return { run: ({ world }) => resourceItems(world.host.resource), types: undefined };
      case 'rootResource':
        return { run: ({ world }) => resourceItems(world.host.rootResource), types: undefined };
      default:
        throw new PathError(`there is no variable %${name}`);
    }
  }

  /** The first name of a path: an element, or the type that the path is for. */
  private root(name: string, focus: Types): Compiled {
    if (!focus) return { run: ({ focus: items, world }) => items.flatMap((item) => rootItems(item, name, world)), types: undefined };
    const start: Compiled = { run: (frame) => frame.focus, types: focus };
    if (focus.some((type) => this.model.element(type, name) !== undefined)) return this.child(start, name);
    if (focus.some((type) => this.model.isA(type, name))) return start;
    return focus.some(isOpen) ? this.root(name, undefined) : this.child(start, name);
  }

  private child(of: Compiled, name: string): Compiled {
    const { model } = this;
    const types = of.types && childTypes(of.types, name, model);
    const { run: parent } = of;
    const run: Run = (frame) => {
      const found: Item[] = [];
      for (const item of parent(frame)) {
        if (item.type === 'System.TypeInfo') found.push(...stringItems((item.value as Readonly<Record<string, string>>)[name]));
        else pushChildren(item, name, model, found);
      }
      frame.world.steps.take(found.length);
      return found;
    };
    return { run, types };
  }

  private index(expression: Of<'index'>, focus: Types): Compiled {
    const of = this.compile(expression.of, focus);
    const at = this.compile(expression.at, focus);
    const run: Run = (frame) => {
      const place = integerOf(at.run(frame), 'an index');
      const item = place === undefined ? undefined : of.run(frame)[place];
      return item ? [item] : EMPTY;
    };
    return { run, types: of.types };
  }

  private sign({ negative, of }: Of<'sign'>, focus: Types): Compiled {
    const { run, types } = this.compile(of, focus);
    return { run: (frame) => (negative ? negatedItems(run(frame)) : negatedItems(negatedItems(run(frame)))), types };
  }

  private operator({ operator, left, right }: Of<'operator'>, focus: Types): Compiled {
    const [a, b] = [this.compile(left, focus), this.compile(right, focus)];
    const [first, second] = [a.run, b.run];
    if (operator === '|') return { run: (frame) => union(first(frame), second(frame)), types: joined(a.types, b.types) };
    if (operator === 'and' || operator === 'or' || operator === 'implies') return { run: logic(operator, first, second), types: BOOLEAN };
    const run = operatorCalled(operator);
    const type = typeOfOperator(operator);
    return { run: (frame) => run(first(frame), second(frame)), types: type === undefined ? undefined : [type] };
  }

  private call(call: Of<'call'>, focus: Types): Compiled {
    const input: Compiled = call.of ? this.compile(call.of, focus) : { run: (frame) => frame.focus, types: focus };
    if (call.name === 'is') return this.is(call.of ?? { kind: 'this' }, typeName(argument(call)), focus);
    if (call.name === 'as') return this.as(input, typeName(argument(call)));
    if (call.name === 'ofType') return this.ofType(input, typeName(argument(call)));
    const loop = Object.hasOwn(LOOPS, call.name) ? LOOPS[call.name] : undefined;
    if (loop && !(call.name === 'trace' && call.args.length < 2)) {
      checkArguments(call, loop.takes);
      return loop.compile(input, call.args, focus, this.compile);
    }
    return this.plain(call, input, focus);
  }

  private plain(call: Of<'call'>, input: Compiled, focus: Types): Compiled {
    const row = Object.hasOwn(PLAIN_FUNCTIONS, call.name) ? PLAIN_FUNCTIONS[call.name] : undefined;
    if (!row) throw new UnsupportedError(`the function ${call.name}()`);
    checkArguments(call, row.takes);
    const args = call.args.map((arg) => this.compile(arg, focus).run);
    const { run: subject } = input;
    const types = row.gives === undefined ? undefined : row.gives === 'input' ? input.types : [row.gives];
    return { run: (frame) => row.run(subject(frame), args.map((arg) => arg(frame)), frame.world), types };
  }

  /** After `resolve()` the reference itself may tell, where what it leads to is not at hand. */
  private is(of: Expression, name: string, focus: Types): Compiled {
    const { model } = this;
    const type = resolveType(name, model);
    const { run: subject } = this.compile(of, focus);
    const reference = of.kind === 'call' && of.name === 'resolve' ? this.compile(of.of ?? { kind: 'this' }, focus).run : undefined;
    const run: Run = (frame) => {
      const item = single(subject(frame), 'is');
      if (item) return booleanItems(isOfType(item, type, model));
      const from = reference && single(reference(frame), 'is');
      const told = from && typeReferredTo(from.value, frame.world.host.rootResource);
      return booleanItems(told === undefined ? undefined : model.isA(told, type));
    };
    return { run, types: BOOLEAN };
  }

  private as(of: Compiled, name: string): Compiled {
    const kept = this.ofType(of, name);
    if (this.options.lenientAs) return kept;
    const { run: subject } = of;
    const { run } = kept;
    return {
      ...kept,
      run: (frame) => {
        single(subject(frame), 'as');
        return run(frame);
      },
    };
  }

  private ofType(of: Compiled, name: string): Compiled {
    const { model } = this;
    const type = resolveType(name, model);
    const { run: subject } = of;
    const types = of.types?.some(isOpen) ? [type] : of.types?.filter((one) => isOfType({ type: one, value: undefined }, type, model));
    return { run: (frame) => subject(frame).filter((item) => isOfType(item, type, model)), types: types?.length === 0 ? [type] : types };
  }
}

function constant(items: Items): Compiled {
  return { run: () => items, types: items.map(({ type }) => type) };
}

function literal({ value, written }: Of<'literal'>): Items {
  if (value === null) return EMPTY;
  if (typeof value === 'boolean') return booleanItems(value);
  if (typeof value === 'string') return stringItems(value);
  const decimal = written === undefined ? undefined : parseDecimal(written.replace(/^0+(?=\d)/, ''));
  return decimal ? [{ type: 'System.Decimal', value: decimal }] : integerItems(value);
}

function temporal({ type, text }: Of<'temporal'>): Items {
  const value = parseTemporal(text, type);
  if (!value) throw new PathError(`@${text} is no ${type} of the calendar`);
  return [{ type: `System.${type}`, value }];
}

/** `vs-name` and `ext-name` are HL7's value sets and extensions. https://hl7.org/fhir/R4/fhirpath.html#vars */
function named(name: string): string | undefined {
  if (name.startsWith('vs-')) return `http://hl7.org/fhir/ValueSet/${name.slice(3)}`;
  return name.startsWith('ext-') ? `http://hl7.org/fhir/StructureDefinition/${name.slice(4)}` : undefined;
}

function resourceItems(value: object): Items {
  return [{ type: resourceTypeOf(value, 'Resource'), value }];
}

function rootItems(item: Item, name: string, { model }: Surroundings): Items {
  if (model.element(item.type, name) === undefined && model.isA(item.type, name)) return [item];
  const found: Item[] = [];
  pushChildren(item, name, model, found);
  return found;
}

/** Undefined where a resource of any type may stand: only the data tells what it has. */
function childTypes(types: readonly string[], name: string, model: TypeModel): Types {
  if (types.length === 0) return types;
  if (types.some((type) => isOpen(type) || type.startsWith('System.'))) return undefined;
  const elements = types.map((type) => model.element(type, name)).filter((element) => element !== undefined);
  if (elements.length === 0) throw new PathError(`${types.length > 5 ? 'none of the types' : types.join(' and ')} ${types.length === 1 ? 'has no' : 'have an'} element ${name}`);
  return [...new Set(elements.flatMap((element) => element.types))];
}

function joined(a: Types, b: Types): Types {
  return a && b && [...new Set([...a, ...b])];
}

/** Looks at the right side only where the left leaves it open. */
function logic(operator: 'and' | 'or' | 'implies', left: Run, right: Run): Run {
  const settles = operator === 'or';
  return (frame: Frame) => {
    const truth = truthOf(left(frame), operator);
    const first = operator === 'implies' ? negated(truth) : truth;
    const done = operator === 'implies' || settles;
    if (first === done) return booleanItems(done);
    const second = truthOf(right(frame), operator);
    if (second === done) return booleanItems(done);
    return booleanItems(first === undefined || second === undefined ? undefined : !done);
  };
}

function argument(call: Of<'call'>): Expression {
  const [first, second] = call.args;
  if (!first || second) throw new PathError(`${call.name}() takes one argument`);
  return first;
}

function checkArguments({ name, args }: Of<'call'>, [fewest, most]: readonly [number, number]): void {
  if (args.length < fewest || args.length > most) throw new PathError(`${name}() takes ${fewest === most ? fewest : `${fewest} to ${most}`} argument${most === 1 ? '' : 's'}`);
}
