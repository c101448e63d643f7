// Many paths into one JavaScript function that goes through a node once: what begins alike is walked together, and members that are not there cost nothing.
import { buildVisit } from './build.js';
import { UnsupportedError } from './expression.js';
import { Generator, type Continue, type Layer } from './generate.js';
import { makePlan } from './make-plan.js';
import type { TypeModel } from './model.js';
import { isPrimitive, type Nodes } from './plan.js';
import { parse } from './parse.js';

/** A path, and the code for each node that it finds: see Take. */
export interface Visited {
  readonly plan: Nodes;
  readonly take: Take;
}

/**
 * Statements that take a node of that type, held by that variable. They may name the visit's constants and the sink, `s`. Of `Resource` the type is what
 * the node says of itself.
 */
export type Take = Continue;

/** Undefined where the expression has no code: compilePath evaluates it. Throws PathError as that does. */
export function planPath(expression: string, type: string, model: TypeModel): Nodes | undefined {
  try {
    return makePlan(parse(expression), type, model);
  } catch (error) {
    if (error instanceof UnsupportedError) return undefined;
    throw error;
  }
}

/** What is done with a node, and the steps that lead on from it: in the order of the paths. */
type Fork = Map<string, Part>;
type Part = Take | { readonly layer: Layer; readonly fork: Fork };

/**
 * A function of the node and the sink. `before` and `after`: statements around the visit; `constants`: values by the names that code has for them, which
 * begin with x.
 */
export function compileVisit<T>(type: string, visited: readonly Visited[], { before, after, constants }: Frame): (node: object, sink: T) => void {
  const generator = new Generator();
  const root: Fork = new Map();
  const alone: string[] = [];
  for (const { plan, take } of visited) {
    const guarded: Take = (of, node) => (isPrimitive(of) ? take(of, node) : `if (!Array.isArray(${node})) { ${take(of, node)}}\n`);
    const roads = roadsOf(plan);
    if (roads) for (const road of roads) addTake(forkAt(root, road), guarded);
    else alone.push(generator.nodes(plan, guarded));
  }
  const body = `${before}${visitMembers(generator, root, type)}${alone.join('')}${after}`;
  return buildVisit(body, constants);
}

export interface Frame {
  readonly before: string;
  readonly after: string;
  readonly constants: ReadonlyMap<string, unknown>;
}

/** The layers of each branch from the node on; undefined where one is more than a walk down. */
function roadsOf(plan: Nodes): readonly (readonly Layer[])[] | undefined {
  switch (plan.op) {
    case 'scope':
      return plan.scope === 0 ? [[]] : undefined;
    case 'union': {
      const parts = plan.of.map(roadsOf);
      return parts.includes(undefined) ? undefined : parts.flatMap((roads) => roads ?? []);
    }
    case 'child':
    case 'keep':
    case 'narrow':
    case 'filter':
      return roadsOf(plan.of)?.map((road) => [...road, plan]);
    default:
      return undefined;
  }
}

function forkAt(root: Fork, road: readonly Layer[]): Fork {
  let at = root;
  for (const layer of road) {
    const key = JSON.stringify({ ...layer, of: undefined }, (_, value: unknown) => (value instanceof Map ? [...value] : value));
    const known = at.get(key);
    const fork: Fork = typeof known === 'object' ? known.fork : new Map<string, Part>();
    if (!known) at.set(key, { layer, fork });
    at = fork;
  }
  return at;
}

function addTake(fork: Fork, take: Take): void {
  fork.set(`take ${fork.size}`, take);
}

/** The members of the node itself, as they come. */
function visitMembers(generator: Generator, root: Fork, type: string): string {
  const cases = new Map<string, string>();
  let rest = '';
  for (const part of root.values()) {
    if (typeof part === 'function' || part.layer.op !== 'child') {
      rest += partCode(generator, part, type, 'o');
      continue;
    }
    const { layer, fork } = part;
    const then: Continue = (of, node) => forkCode(generator, fork, of, node);
    for (const step of layer.steps.get(type) ?? []) cases.set(step.member, (cases.get(step.member) ?? '') + generator.step('o', step, then, false, 'v'));
  }
  const switched = [...cases].map(([member, code]) => (code === '' ? '' : `case ${JSON.stringify(member)}: ${code}break;\n`)).join('');
  return `${switched === '' ? '' : `for (const k in o) { const v = o[k];\nswitch (k) { ${switched}}}\n`}${rest}`;
}

const forkCode = (generator: Generator, fork: Fork, type: string, node: string): string => [...fork.values()].map((part) => partCode(generator, part, type, node)).join('');

function partCode(generator: Generator, part: Part, type: string, node: string): string {
  if (typeof part === 'function') return part(type, node);
  return generator.layer(part.layer, type, node, (of, found) => forkCode(generator, part.fork, of, found));
}
