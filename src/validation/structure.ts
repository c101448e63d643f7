// The structural check of any resource: finds the check of its type, which is generated when first asked for.
import type { Definitions } from '../definitions/model.js';
import { createBindings } from './binding.js';
import type { Links } from './element-code.js';
import type { Check, Lazy } from './faults.js';
import { reportNestedContained, reportNotObject, reportResourceType } from './reports.js';
import { structureCheck } from './structure-code.js';

export type StructureDefinitions = Pick<Definitions, 'type' | 'codes' | 'resourceTypes'>;

/** Checks a resource by its own resourceType. */
export function createStructure(definitions: StructureDefinitions): Check {
  const checks = new Map<string, Lazy>();
  const resourceTypes = new Set(definitions.resourceTypes);
  const type = (name: string): Lazy => {
    const known = checks.get(name) ?? lazily(() => structureCheck(ruleOf(definitions, name), links));
    checks.set(name, known);
    return known;
  };
  const resource: Lazy = {
    check: (value, faults) => {
      const name = isObject(value) ? value.resourceType : undefined;
      if (typeof name === 'string' && resourceTypes.has(name)) type(name).check(value, faults);
      else if (isObject(value)) reportResourceType(faults, name);
      else reportNotObject(faults, value, 'Resource');
    },
  };
  const contained: Lazy = {
    check: (value, faults) => {
      resource.check(value, faults);
      if (isObject(value) && value.contained !== undefined) reportNestedContained(faults);
    },
  };
  const links: Links = { type, resource, contained, isResource: (name) => resourceTypes.has(name), binding: createBindings(definitions) };
  return resource.check;
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

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
