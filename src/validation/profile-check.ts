// Compiles the tree of a profile: each node becomes a check of the values of one type, each thing it says a step of that check.
import { compileInvariant } from '../fhirpath/compile-invariant.js';
import { bindingStep, lengthStep, rangeStep, valueSteps } from './profile-primitives.js';
import { formFinder, holderOf, isObject, itemsOf, type Form } from './profile-elements.js';
import { note, reportConstraint, reportCount, reportType } from './profile-reports.js';
import { runAt, type CheckOf, type ProfileCheck } from './profile-run.js';
import type { ProfileConstraint, ProfileNode } from './profile-tree.js';
import { typeSteps } from './profile-types.js';
import type { ProfileWorld } from './profile-world.js';
import { compileSlicing } from './slicing.js';

/** The check of the whole profile, whose canonical URL is `profile`. */
export function compileProfile(root: ProfileNode, type: string, profile: string, world: ProfileWorld): ProfileCheck {
  const made = new Map<ProfileNode, Map<string, ProfileCheck | undefined>>();
  const checkOf: CheckOf = (node, of) => {
    let byType = made.get(node);
    if (!byType) made.set(node, (byType = new Map<string, ProfileCheck | undefined>()));
    if (!byType.has(of)) byType.set(of, compileNode(node, of, { profile, world, checkOf, isRoot: node === root }));
    return byType.get(of);
  };
  return checkOf(root, type) ?? (() => undefined);
}

interface Place {
  readonly profile: string;
  readonly world: ProfileWorld;
  readonly checkOf: CheckOf;
  readonly isRoot: boolean;
}

function compileNode(node: ProfileNode, type: string, place: Place): ProfileCheck | undefined {
  const { profile, world, isRoot } = place;
  const wrong = isRoot ? undefined : refusedType(node, type, world);
  if (wrong) return (_value, _sibling, _run, findings) => { reportType(findings, profile, type, wrong); };
  const steps = [
    ...valueSteps(node, profile),
    bindingStep(node, type, profile, world),
    lengthStep(node, profile),
    rangeStep(node, profile),
    ...(isRoot ? [] : typeSteps(node, type, profile, world)),
    ...[...node.children.values()].map((child) => elementStep(child, type, place)),
    ...node.constraints.map((constraint) => constraintStep(constraint, type, profile, world)),
  ].filter((step) => step !== undefined);
  if (steps.length === 0) return undefined;
  const check = inOrder(steps);
  return world.definitions.isResource(type) ? (value, sibling, run, findings) => { check(value, sibling, runAt(run, value as object), findings); } : check;
}

function inOrder(steps: readonly ProfileCheck[]): ProfileCheck {
  const [only] = steps;
  if (steps.length === 1 && only) return only;
  return (value, sibling, run, findings) => {
    for (const step of steps) step(value, sibling, run, findings);
  };
}

/** The types that are allowed, where this one is not. */
function refusedType(node: ProfileNode, type: string, { definitions }: ProfileWorld): readonly string[] | undefined {
  const codes = (node.types ?? []).map(({ code }) => code).filter((code) => !code.startsWith('http'));
  if (codes.length === 0 || type === 'Resource') return undefined;
  const allowed = codes.some((code) => code === type || code === 'Element' || code === 'BackboneElement' || definitions.isA(type, code));
  return allowed ? undefined : codes;
}

function elementStep(node: ProfileNode, parent: string, { profile, world, checkOf }: Place): ProfileCheck | undefined {
  const forms = world.formsOf(parent, node.name);
  if (forms.length === 0) return (_value, _sibling, _run, findings) => { note(findings, profile, 'element', `the profile speaks of '${node.name}', which ${parent} has not`); };
  if (node.slices.size > 0) return slicedStep(node, forms, profile, world, checkOf);
  const parts = forms.map((form) => ({ ...form, check: form.type === 'Resource' ? resourceCheck(node, checkOf) : checkOf(node, form.type) }));
  const present = formFinder(parts);
  const { min, max } = node;
  if (min === 0 && max === Infinity && parts.every(({ check }) => check === undefined)) return undefined;
  return (value, beside, run, findings) => {
    const holder = holderOf(value, beside);
    let count = 0;
    for (const part of present(holder)) {
      const child = holder[part.member];
      const sibling = part.sibling === undefined ? undefined : holder[part.sibling];
      if (child === undefined && sibling === undefined) continue;
      if (part.repeats) count += eachOf(child, sibling, part, run, findings);
      else {
        count++;
        at(part.segment, child, sibling, part.check, run, findings);
      }
    }
    if (count < min || count > max) reportCount(findings, profile, node, count);
  };
}

interface Part extends Form {
  readonly check: ProfileCheck | undefined;
}

/** How many there are. */
function eachOf(values: unknown, siblings: unknown, { check, segment }: Part, ...[run, findings]: Rest): number {
  const list: readonly unknown[] = Array.isArray(values) ? values : [];
  const beside: readonly unknown[] = Array.isArray(siblings) ? siblings : [];
  const length = Math.max(list.length, beside.length);
  if (check !== undefined) {
    for (let i = 0; i < length; i++) {
      const before = findings.count;
      check(list[i] ?? undefined, beside[i] ?? undefined, run, findings);
      if (findings.count !== before) findings.prefix(before, `${segment}[${i}]`);
    }
  }
  return length;
}

type Rest = Parameters<ProfileCheck> extends [unknown, unknown, ...infer R] ? R : never;

function at(segment: string, value: unknown, sibling: unknown, check: ProfileCheck | undefined, ...[run, findings]: Rest): void {
  if (check === undefined) return;
  const before = findings.count;
  check(value, sibling, run, findings);
  if (findings.count !== before) findings.prefix(before, segment);
}

/** What stands where any resource may stand is judged by its own type. */
function resourceCheck(node: ProfileNode, checkOf: CheckOf): ProfileCheck {
  return (value, sibling, run, findings) => {
    const type = isObject(value) ? value['resourceType'] : undefined;
    if (typeof type === 'string') checkOf(node, type)?.(value, sibling, run, findings);
  };
}

function slicedStep(node: ProfileNode, forms: readonly Form[], profile: string, world: ProfileWorld, checkOf: CheckOf): ProfileCheck {
  const slicing = compileSlicing(node, profile, world, checkOf);
  return (value, sibling, run, findings) => {
    const items = itemsOf(holderOf(value, sibling), forms);
    for (const item of items) at(item.segment, item.value, item.sibling, checkOf(node, item.type), run, findings);
    if (items.length < node.min || items.length > node.max) reportCount(findings, profile, node, items.length);
    slicing(items, run, findings);
  };
}

function constraintStep(constraint: ProfileConstraint, type: string, profile: string, world: ProfileWorld): ProfileCheck | undefined {
  const { key, severity, human, expression } = constraint;
  if (expression === undefined || isOfBase(constraint, type, world)) return undefined;
  try {
    const holds = compileInvariant(expression, type, world.definitions);
    const isAdvice = severity === 'warning';
    return (value, sibling, run, findings) => {
      if (isAdvice && !run.advice) return;
      if (!holds(value, run.env, isObject(sibling) ? sibling : undefined)) reportConstraint(findings, { key, profile }, severity, human);
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return (_value, _sibling, _run, findings) => { note(findings, profile, key, `the rule ${key} can't be asked, since its expression is not one for ${type}: ${reason}`); };
  }
}

/** A snapshot repeats the rules of the base type, which have been asked already. */
function isOfBase({ key }: ProfileConstraint, type: string, { definitions }: ProfileWorld): boolean {
  if (/^(ele|ext|dom|ref|bdl)-\d+$/.test(key)) return true;
  for (let rule = definitions.type(type); rule; rule = rule.base === undefined ? undefined : definitions.type(rule.base)) {
    if (rule.constraints.some((one) => one.key === key)) return true;
  }
  return false;
}
