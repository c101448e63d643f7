// Whether a value belongs to a slice: its discriminators, each read off what the slice's own elements say at the discriminator's path.
// https://hl7.org/fhir/R4/profiling.html#discriminator
import { isObject } from './json-object.js';
import { holderOf, itemsOf, type Item } from './profile-elements.js';
import { Findings } from './profile-findings.js';
import { isBound } from './profile-primitives.js';
import type { CheckOf, ProfileRun } from './profile-run.js';
import type { Discriminator, ProfileNode } from './profile-tree.js';
import { targetAt, targetType } from './profile-types.js';
import { isFixed, meetsPattern } from './profile-values.js';
import type { ProfileWorld } from './profile-world.js';
import { parseSlicePath, type SliceStep } from './slicing-path.js';

export type Match = (item: Item, run: ProfileRun) => boolean;

interface Task {
  readonly kind: string;
  readonly world: ProfileWorld;
  readonly checkOf: CheckOf;
}

/** Undefined where the slice says nothing at any of the paths. Without discriminators, what meets all that the slice says belongs to it. */
export function compileMatch(slice: ProfileNode, discriminators: readonly Discriminator[], world: ProfileWorld, checkOf: CheckOf): Match | undefined {
  if (discriminators.length === 0) return conforming(slice, checkOf);
  const matches = discriminators.map(({ type, path }) => {
    return matchAt(slice, parseSlicePath(path), { kind: type === 'pattern' ? 'value' : type, world, checkOf });
  }).filter((match) => match !== undefined);
  if (matches.length === 0) return undefined;
  const [only] = matches;
  return matches.length === 1 ? only : (item, run) => matches.every((match) => match(item, run));
}

function conforming(node: ProfileNode, checkOf: CheckOf): Match {
  return ({ value, sibling, type }, run) => {
    const findings = new Findings(false);
    checkOf(node, type)?.(value, sibling, run, findings);
    return findings.errors === 0;
  };
}

function matchAt(node: ProfileNode, steps: readonly SliceStep[], task: Task): Match | undefined {
  const [step, ...rest] = steps;
  if (step === undefined) return matchHere(node, task);
  const own = task.kind === 'value' ? fixedOrPattern(node) : undefined;
  const further = matchStep(node, step, rest, task);
  if (!own || !further) return own ?? further;
  return (item, run) => own(item, run) && further(item, run);
}

function matchStep(node: ProfileNode, step: SliceStep, rest: readonly SliceStep[], task: Task): Match | undefined {
  switch (step.kind) {
    case 'child': return childMatch(node, step.name, rest, task);
    case 'extension': return extensionMatch(node, step.url, rest, task);
    case 'type': return narrowedMatch(node, step.type, rest, task);
    case 'resolve': return resolvedMatch(node, rest, task);
  }
}

function fixedOrPattern({ fixed, pattern }: ProfileNode): Match | undefined {
  if (fixed !== undefined) return ({ value }) => isFixed(fixed, value);
  return pattern === undefined ? undefined : ({ value }) => meetsPattern(pattern, value);
}

/** The end of the path. */
function matchHere(node: ProfileNode, task: Task): Match | undefined {
  switch (task.kind) {
    case 'value': return fixedOrPattern(node) ?? boundMatch(node, task) ?? slicesMatch(node, [], task) ?? (node.children.size > 0 ? conforming(node, task.checkOf) : undefined);
    case 'type': return typeMatch(node, task);
    case 'profile': return profileMatch(node, task);
    case 'exists': return node.max === 0 ? () => false : () => true;
    default: return undefined;
  }
}

function boundMatch({ binding }: ProfileNode, { world }: Task): Match | undefined {
  if (binding?.strength !== 'required') return undefined;
  const { valueSet } = binding;
  return ({ value, type }, run) => {
    const bound = world.binding(valueSet);
    return bound === undefined ? run.known.codes.member(value, valueSet).outcome === 'right' : isBound(bound, type, value);
  };
}

function typeMatch({ types = [] }: ProfileNode, { world }: Task): Match | undefined {
  const codes = types.map(({ code }) => code);
  if (codes.length === 0) return undefined;
  return ({ type }) => codes.some((code) => type === code || world.definitions.isA(type, code));
}

function profileMatch({ types = [] }: ProfileNode, { world }: Task): Match | undefined {
  const urls = types.flatMap(({ profile = [] }) => profile);
  if (urls.length === 0) return undefined;
  return ({ value, sibling, type }, run) => urls.some((url) => world.conforms(value, sibling, type, url, run) === true);
}

/** Some value of the element is as the slice says; an element that is sliced itself asks it of each slice that must be there. */
function childMatch(node: ProfileNode, name: string, rest: readonly SliceStep[], task: Task): Match | undefined {
  const { world, kind } = task;
  const child = childOf(node, name, world);
  const known = name === 'url' && kind === 'value' ? extensionUrl(node) : undefined;
  if (known !== undefined) return ({ value }) => isObject(value) && value['url'] === known;
  if (!child) return undefined;
  const items = (item: Item): readonly Item[] => itemsOf(holderOf(item.value, item.sibling), world.formsOf(item.type, name));
  if (kind === 'exists' && rest.length === 0) return existence(child, (item) => items(item).length > 0);
  const inner = matchAt(child, rest, task) ?? slicesMatch(child, rest, task);
  return inner && ((item, run) => items(item).some((one) => inner(one, run)));
}

function existence({ min, max }: ProfileNode, isThere: (item: Item) => boolean): Match | undefined {
  if (max === 0) return (item) => !isThere(item);
  return min > 0 ? isThere : undefined;
}

/** What a slice of the element says: one that must be there where there is any such, else one of them. */
function slicesMatch(element: ProfileNode, rest: readonly SliceStep[], task: Task): Match | undefined {
  const slices = [...element.slices.values()];
  const needed = slices.filter(({ min }) => min > 0);
  const matches = (needed.length > 0 ? needed : slices).map((slice) => matchAt(slice, rest, task)).filter((match) => match !== undefined);
  return matches.length === 0 ? undefined : (item, run) => matches.some((match) => match(item, run));
}

/** The element as the slice constrains it, or the profile of the slice's type does. */
export function childOf(node: ProfileNode, name: string, world: ProfileWorld): ProfileNode | undefined {
  return node.children.get(name) ?? node.children.get(`${name}[x]`) ?? profileRoot(node, world)?.children.get(name);
}

function profileRoot({ types = [] }: ProfileNode, world: ProfileWorld): ProfileNode | undefined {
  const urls = types.flatMap(({ profile = [] }) => profile);
  return urls.length === 1 && urls[0] !== undefined ? world.profile(urls[0])?.root : undefined;
}

/** An extension with a definition of its own has that definition's URL, known here or not. */
export function extensionUrl({ types = [], children, name }: ProfileNode): string | undefined {
  if (name !== 'extension' && name !== 'modifierExtension') return undefined;
  const fixed = children.get('url')?.fixed;
  const [profile] = types.flatMap(({ profile: urls = [] }) => urls);
  return typeof fixed === 'string' ? fixed : profile?.replace(/\|.*$/, '');
}

function extensionMatch(node: ProfileNode, url: string, rest: readonly SliceStep[], task: Task): Match | undefined {
  const slice = [...(childOf(node, 'extension', task.world)?.slices.values() ?? [])].find((one) => extensionUrl(one) === url);
  if (!slice) return undefined;
  const items = ({ value, sibling }: Item): readonly Item[] => {
    const { extension } = holderOf(value, sibling);
    const all: readonly unknown[] = Array.isArray(extension) ? extension : [];
    return all.filter((one: unknown) => isObject(one) && one['url'] === url).map((one: unknown) => ({ value: one, sibling: undefined, type: 'Extension', segment: '' }));
  };
  if (task.kind === 'exists' && rest.length === 0) return existence(slice, (item) => items(item).length > 0);
  const inner = matchAt(slice, rest, task) ?? profiled(slice, rest, task);
  return inner && ((item, run) => items(item).some((one) => inner(one, run)));
}

function profiled(node: ProfileNode, rest: readonly SliceStep[], task: Task): Match | undefined {
  const root = profileRoot(node, task.world);
  return root && matchAt(root, rest, task);
}

function narrowedMatch(node: ProfileNode, type: string, rest: readonly SliceStep[], task: Task): Match | undefined {
  const slice = [...node.slices.values()].find(({ types = [] }) => types.some(({ code }) => code === type));
  const inner = matchAt(slice ?? node, rest, task);
  return inner && ((item, run) => item.type === type && inner(item, run));
}

/** Where a reference leads: its type may be told without the target, everything else needs it. */
function resolvedMatch({ types = [] }: ProfileNode, rest: readonly SliceStep[], task: Task): Match | undefined {
  const { world, kind } = task;
  const urls = types.flatMap(({ targetProfile = [] }) => targetProfile);
  if (urls.length === 0) return undefined;
  if (rest.length === 0 && kind === 'type') {
    const wanted = urls.map((url) => world.typeOf(url));
    return ({ value }, run) => {
      const type = targetAt(value, run)?.['resourceType'] ?? targetType(value);
      return typeof type === 'string' && wanted.some((one) => one !== undefined && world.definitions.isA(type, one));
    };
  }
  const inner = rest.length === 0 ? targetProfileMatch(urls, task) : firstOf(urls.map((url) => { const root = world.profile(url)?.root; return root && matchAt(root, rest, task); }));
  return inner && (({ value }, run) => {
    const target = targetAt(value, run);
    return target !== undefined && inner({ value: target, sibling: undefined, type: String(target['resourceType']), segment: '' }, run);
  });
}

const firstOf = (matches: readonly (Match | undefined)[]): Match | undefined => matches.find((match) => match !== undefined);

function targetProfileMatch(urls: readonly string[], { world }: Task): Match {
  return ({ value, type }, run) => urls.some((url) => world.conforms(value, undefined, type, url, run) === true);
}
