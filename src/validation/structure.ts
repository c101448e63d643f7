// The structural check of any resource: finds the check of its type, which is generated when first asked for.
import type { Definitions } from '../definitions/model.js';
import { createBindings } from './binding.js';
import { Faults, type Check, type Lazy } from './faults.js';
import { createInvariants, type Asked } from './invariant.js';
import { isObject } from './json-object.js';
import { reportNotObject, reportResourceType } from './reports.js';
import { Entries, Setting } from './setting.js';
import { structureCheck, type TypeLinks } from './structure-code.js';

export type StructureDefinitions = Pick<Definitions, 'type' | 'element' | 'isA' | 'isResource' | 'codes' | 'extension' | 'resourceTypes'>;

export interface Structure {
  /** Of a resource, by its own resourceType. */
  readonly check: Check;
  /** Makes, a little at each step, the code for these types and all that they hold, which is else made when it is first needed. */
  preparation(types: readonly string[]): Generator<void>;
}

export function createStructure(definitions: StructureDefinitions): Structure {
  const checks = new Map<string, Lazy>();
  const resourceTypes = new Set(definitions.resourceTypes);
  const type = (name: string): Lazy => {
    const known = checks.get(name) ?? lazily(() => structureCheck(ruleOf(definitions, name), links));
    checks.set(name, known);
    return known;
  };
  const check = (value: unknown, faults: Faults): void => {
    const name = isObject(value) ? value.resourceType : undefined;
    if (typeof name === 'string' && resourceTypes.has(name)) type(name).check(value, faults);
    else if (isObject(value)) reportResourceType(faults, name);
    else reportNotObject(faults, value, 'Resource');
  };
  const resource: Lazy = { check: (value, faults) => { checkIn(settingOf(value, faults.setting), check, value, faults); } };
  const contained: Lazy = { check: (value, faults) => { checkIn(containedIn(value, faults.setting), check, value, faults); } };
  const invariants = createInvariants(definitions);
  const links: TypeLinks = {
    type,
    resource,
    contained,
    isResource: (name) => resourceTypes.has(name),
    isA: (name, ancestor) => definitions.isA(name, ancestor),
    extension: (url) => definitions.extension(url),
    binding: createBindings(definitions),
    invariants: (rule) => invariants.ofType(rule),
    constraints: ({ constraints }, name): readonly Asked[] => (constraints === undefined ? [] : invariants.ofElement(constraints, name)),
  };
  function* preparation(types: readonly string[]): Generator<void> {
    for (const name of types) type(name);
    // the code of one type names others, which come at the end of the list
    for (const lazy of checks.values()) {
      lazy.check({}, new Faults());
      yield;
    }
    yield* invariants.preparation();
  }
  return { check: resource.check, preparation };
}

/** A resource's faults are its own: they silence no rule of the Bundle or resource around it. */
function checkIn(setting: Setting, check: Check, value: unknown, faults: Faults): void {
  const { setting: around, malformed } = faults;
  faults.setting = setting;
  check(value, faults);
  faults.setting = around;
  faults.malformed = malformed;
}

/** The resource that is checked, or one that it holds as an entry or parameter: a root for what it contains. */
function settingOf(value: unknown, around: Setting): Setting {
  if (!isObject(value)) return around;
  const bundle = isObject(around.resource) && around.resource.resourceType === 'Bundle' ? new Entries(around.resource) : around.bundle;
  return new Setting(value, value, bundle);
}

function containedIn(value: unknown, around: Setting): Setting {
  return isObject(value) ? new Setting(value, around.rootResource, around.bundle) : around;
}

function lazily(make: () => Check): Lazy {
  const lazy: Lazy = {
    check: (value, faults) => {
      lazy.check = make();
      lazy.check(value, faults);
    },
  };
  return lazy;
}

function ruleOf(definitions: StructureDefinitions, name: string) {
  const rule = definitions.type(name);
  if (rule === undefined) throw new Error(`The definitions have no type ${name}`);
  return rule;
}
