// Whether `v` belongs to a slice, as an expression: for discriminators that lead down known members to a value, a pattern or an existence, or ask for the type.
// https://hl7.org/fhir/R4/profiling.html#discriminator
import type { Form } from './profile-elements.js';
import type { CheckOf } from './profile-run.js';
import type { Discriminator, ProfileNode } from './profile-tree.js';
import type { ProfileWorld } from './profile-world.js';
import { memberName, type Scope } from './scope.js';
import { childOf, compileMatch, extensionUrl } from './slicing-match.js';
import { parseSlicePath, type SliceStep } from './slicing-path.js';
import { fixedTest, patternTest } from './value-code.js';

/** Everything else is for slicing-match.ts. */
class NoCodeError extends Error {}

interface Task {
  readonly kind: string;
  readonly world: ProfileWorld;
  readonly scope: Scope;
}

/** Undefined where the slice says nothing at any of the paths. */
export function matchCode(slice: ProfileNode, type: string, discriminators: readonly Discriminator[], world: ProfileWorld, checkOf: CheckOf, scope: Scope): string | undefined {
  const match = compileMatch(slice, discriminators, world, checkOf);
  if (match === undefined) return undefined;
  try {
    if (discriminators.length === 0) throw new NoCodeError();
    const tests = discriminators.map(({ type: kind, path }) => testAt(slice, type, 'v', parseSlicePath(path), { kind: kind === 'pattern' ? 'value' : kind, world, scope }));
    const [first, ...others] = tests.filter((test) => test !== undefined);
    if (first === undefined) throw new NoCodeError();
    return [first, ...others].join(' && ');
  } catch (error) {
    if (!(error instanceof NoCodeError)) throw error;
    return `${scope.use(match)}({ value: v, sibling: s, type: ${JSON.stringify(type)}, segment: "" }, r)`;
  }
}

/** An expression; undefined where the node says nothing at that path. `value`: an expression, of a value of the type. */
function testAt(node: ProfileNode, type: string, value: string, steps: readonly SliceStep[], task: Task): string | undefined {
  const [step, ...rest] = steps;
  if (step === undefined) return testHere(node, type, value, task);
  if (step.kind !== 'child') throw new NoCodeError();
  const own = task.kind === 'value' ? wantedTest(node, value, task.scope) : undefined;
  const further = childTest(node, type, value, step.name, rest, task);
  return own !== undefined && further !== undefined ? `${own} && ${further}` : own ?? further;
}

function wantedTest({ fixed, pattern }: ProfileNode, value: string, scope: Scope): string | undefined {
  if (fixed !== undefined) return fixedTest(fixed, value, scope);
  return pattern === undefined ? undefined : patternTest(pattern, value, scope);
}

function testHere(node: ProfileNode, type: string, value: string, { kind, world, scope }: Task): string {
  if (kind === 'type' && node.types && node.types.length > 0) return String(node.types.some(({ code }) => code === type || world.definitions.isA(type, code)));
  const wanted = kind === 'value' ? wantedTest(node, value, scope) : undefined;
  if (wanted === undefined) throw new NoCodeError();
  return wanted;
}

function childTest(node: ProfileNode, type: string, value: string, name: string, rest: readonly SliceStep[], task: Task): string | undefined {
  const { kind, world, scope } = task;
  const url = name === 'url' && kind === 'value' ? extensionUrl(node) : undefined;
  if (url !== undefined) return `${value}.url === ${JSON.stringify(url)}`;
  const child = childOf(node, name, world);
  if (!child) return undefined;
  const form = formAt(type, name, world);
  const member = `${value}[${memberName(form.member)}]`;
  if (kind === 'exists' && rest.length === 0) return existenceTest(child, form, value, member);
  const inner = testAt(child, form.type, form.repeats ? 'v' : member, rest, task);
  // the slices of the child may say it
  if (inner === undefined) throw new NoCodeError();
  if (form.repeats) return `${scope.define('l', `if (Array.isArray(l)) for (const v of l) if (v !== null && ${inner}) return true; return false;`)}(${member})`;
  return rest.length === 0 ? inner : `${member} !== undefined && ${inner}`;
}

function existenceTest({ min, max }: ProfileNode, { sibling }: Form, value: string, member: string): string | undefined {
  const beside = sibling === undefined ? '' : ` || ${value}[${memberName(sibling)}] !== undefined`;
  if (max === 0) return `!(${member} !== undefined${beside})`;
  return min > 0 ? `(${member} !== undefined${beside})` : undefined;
}

/** The one form of an element, whose own members `value` has where it is no primitive. */
function formAt(type: string, name: string, { formsOf, definitions }: ProfileWorld): Form {
  const [form, ...others] = formsOf(type, name);
  if (!form || others.length > 0 || form.type === 'Resource' || definitions.type(type)?.kind === 'primitive-type') throw new NoCodeError();
  return form;
}
