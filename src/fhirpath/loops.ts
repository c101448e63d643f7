// Functions that evaluate an argument once for each item: where, select, all, repeat, aggregate, iif, sort.
// https://hl7.org/fhirpath/N1/#filtering-and-projection
import type { Surroundings } from './environment.js';
import { compareItems, Seen } from './equality.js';
import { EvaluationError, type Expression } from './expression.js';
import { booleanItems, EMPTY, single, truthOf, type Item, type Items } from './item.js';

/** What an expression sees while it runs. */
export interface Frame {
  /** `$this`. */
  readonly focus: Items;
  readonly index: number | undefined;
  readonly total: Items;
  readonly world: Surroundings;
}

export type Run = (frame: Frame) => Items;

/** `types`: of the items it can give; undefined where only the data tells. */
export interface Compiled {
  readonly run: Run;
  readonly types: readonly string[] | undefined;
}

type Types = Compiled['types'];
type Compile = (expression: Expression, focus: Types) => Compiled;

interface Loop {
  readonly takes: readonly [number, number];
  readonly compile: (input: Compiled, args: readonly Expression[], focus: Types, compile: Compile) => Compiled;
}

const BOOLEAN: Types = ['System.Boolean'];
/** `repeat` of an expression that makes ever new values would not end. */
const MOST_REPEATED = 1_000_000;
const THIS: Expression = { kind: 'this' };

export const LOOPS: Readonly<Record<string, Loop>> = {
  where: { takes: [1, 1], compile: (input, [test = THIS], _, compile) => ({ run: filtered(input.run, compile(test, input.types).run), types: input.types }) },
  exists: { takes: [0, 1], compile: (input, [test], _, compile) => exists(input, test && compile(test, input.types).run) },
  all: { takes: [1, 1], compile: (input, [test = THIS], _, compile) => ({ run: all(input.run, compile(test, input.types).run), types: BOOLEAN }) },
  select: { takes: [1, 1], compile: (input, [part = THIS], _, compile) => select(input.run, compile(part, input.types)) },
  trace: { takes: [1, 2], compile: (input, [, part = THIS], _, compile) => (compile(part, input.types), input) },
  repeat: { takes: [1, 1], compile: (input, [part = THIS], _, compile) => ({ run: repeated(input.run, compile(part, undefined).run), types: undefined }) },
  aggregate: { takes: [1, 2], compile: (input, [step = THIS, start], focus, compile) => ({ run: aggregated(input.run, compile(step, input.types).run, start && compile(start, focus).run), types: undefined }) },
  iif: { takes: [2, 3], compile: (input, [test = THIS, then = THIS, otherwise], _, compile) => iif(input, compile(test, input.types).run, compile(then, input.types), otherwise && compile(otherwise, input.types)) },
  sort: { takes: [0, 9], compile: (input, keys, _, compile) => ({ run: sorted(input.run, (keys.length === 0 ? [THIS] : keys).map((key) => ({ run: compile(key, input.types).run, descending: key.kind === 'order' && key.descending }))), types: input.types }) },
};

function inLoop(frame: Frame, item: Item, index: number): Frame {
  frame.world.steps.take(1);
  return { focus: [item], index, total: frame.total, world: frame.world };
}

function filtered(input: Run, test: Run): Run {
  return (frame) => input(frame).filter((item, index) => truthOf(test(inLoop(frame, item, index)), 'where()') === true);
}

function exists({ run: input }: Compiled, test: Run | undefined): Compiled {
  if (!test) return { run: (frame) => booleanItems(input(frame).length > 0), types: BOOLEAN };
  return { run: (frame) => booleanItems(input(frame).some((item, index) => truthOf(test(inLoop(frame, item, index)), 'exists()') === true)), types: BOOLEAN };
}

function all(input: Run, test: Run): Run {
  return (frame) => booleanItems(input(frame).every((item, index) => truthOf(test(inLoop(frame, item, index)), 'all()') === true));
}

function select(input: Run, { run: part, types }: Compiled): Compiled {
  return { run: (frame) => input(frame).flatMap((item, index) => part(inLoop(frame, item, index))), types };
}

/** What is equal to something found already is not looked at again. */
function repeated(input: Run, part: Run): Run {
  return (frame) => {
    const seen = new Seen();
    const found: Item[] = [];
    const gather = (item: Item, index: number): void => {
      for (const next of part(inLoop(frame, item, index))) if (seen.add(next)) found.push(next);
    };
    input(frame).forEach(gather);
    for (let place = 0; place < found.length; place++) {
      gather(found[place] as Item, place);
      if (found.length > MOST_REPEATED) throw new EvaluationError('repeat() finds too many elements');
    }
    return found;
  };
}

function aggregated(input: Run, step: Run, start: Run | undefined): Run {
  return (frame) => {
    let total = start ? start(frame) : EMPTY;
    input(frame).forEach((item, index) => {
      total = step({ focus: [item], index, total, world: frame.world });
    });
    return total;
  };
}

/** `$this` is the input. Only the branch that is wanted is evaluated. */
function iif({ run: input }: Compiled, test: Run, then: Compiled, otherwise: Compiled | undefined): Compiled {
  const run: Run = (frame) => {
    const focus = input(frame);
    single(focus, 'iif()');
    const inner: Frame = { focus, index: frame.index, total: frame.total, world: frame.world };
    const criterion = single(test(inner), 'the criterion of iif()');
    if (criterion && typeof criterion.value !== 'boolean') throw new EvaluationError(`the criterion of iif() is a boolean, not ${criterion.type}`);
    if (criterion?.value === true) return then.run(inner);
    return otherwise ? otherwise.run(inner) : EMPTY;
  };
  const types = then.types && otherwise?.types && [...new Set([...then.types, ...otherwise.types])];
  return { run, types };
}

interface SortKey {
  readonly run: Run;
  readonly descending: boolean;
}

/** Items without a key come first, whichever way the others go. */
function sorted(input: Run, keys: readonly SortKey[]): Run {
  return (frame) => {
    const rows = input(frame).map((item, index) => ({ item, keys: keys.map(({ run }) => single(run(inLoop(frame, item, index)), 'sort()')) }));
    rows.sort((a, b) => {
      for (const [place, { descending }] of keys.entries()) {
        const order = orderOf(a.keys[place], b.keys[place], descending);
        if (order !== 0) return order;
      }
      return 0;
    });
    return rows.map(({ item }) => item);
  };
}

function orderOf(a: Item | undefined, b: Item | undefined, descending: boolean): number {
  if (!a || !b) return Number(a !== undefined) - Number(b !== undefined);
  const order = compareItems(a, b) ?? 0;
  return descending ? -order : order;
}
