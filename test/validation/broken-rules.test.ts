// Every invariant of R4 that can be broken, broken in a small resource that is otherwise right. A row of broken-rules.ndjson is
// { key, expression, resource, at, set, also? }: the members to set (null: to take away) at that place, what is found then, and where.
// `also`: other rules that say the same. The resources are cut down from HL7's examples (CC0) or made up.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject, JsonValue, Resource } from '../../src/fhir/resource.js';
import { definitions, validator } from './examples.js';

interface Row {
  readonly key: string;
  readonly expression: string;
  readonly resource: Resource;
  readonly at: readonly (string | number)[];
  readonly set: Readonly<Record<string, JsonValue>>;
  readonly also?: readonly string[];
}

const rows = readFileSync(join(__dirname, 'broken-rules.ndjson'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Row);

/** Rules that nothing breaks, with the reason. */
const UNBREAKABLE: Readonly<Record<string, string>> = {
  'cid-0': 'stands on a type without a name: corrected to true',
  'ras-1': 'asks a decimal for low and high: corrected to true',
  'eld-11': 'as published, select(…).exists() is true of any type',
  'tst-4': 'asks for elements that are required anyway',
  'dom-6': 'of every resource without narrative: tested by itself',
};

function broken({ resource, at, set }: Row): Resource {
  const copy = structuredClone(resource);
  let holder: JsonObject = copy;
  for (const step of at) holder = (holder as Record<string | number, JsonValue>)[step] as JsonObject;
  for (const [name, value] of Object.entries(set)) {
    if (value === null) Reflect.deleteProperty(holder, name);
    else Object.assign(holder, { [name]: value });
  }
  return copy;
}

/** Errors, and of the hints those of the rule at hand. */
function found(resource: Resource, key: string): [string, string | undefined][] {
  const issues = validator.validate(resource, { hints: true }).map(({ severity, text, expression }) => ({ severity, rule: /: ([a-z]+-[0-9]+[a-z]?): /.exec(text)?.[1] ?? text, expression }));
  return issues.filter(({ severity, rule }) => severity === 'error' || rule === key).map(({ rule, expression }) => [rule, expression]);
}

test.each(rows.map((row) => [row.key, row.expression, row] as const))('%s at %s', (key, expression, row) => {
  expect(found(row.resource, key)).toEqual([]);
  const companions = (row.also ?? []).map((other) => [other, expect.stringContaining(row.resource.resourceType) as unknown]);
  const all = found(broken(row), key);
  expect(all).toContainEqual([key, expression]);
  expect(all.filter(([rule]) => rule !== key)).toEqual(companions);
  expect(all).toHaveLength(1 + companions.length);
});

test('are all there are', () => {
  const names = [...definitions.resourceTypes, 'DomainResource', 'Resource'];
  const keys = new Set<string>();
  const seen = new Set<string>();
  for (let name = names.pop(); name !== undefined; name = names.pop()) {
    const rule = definitions.type(name);
    if (rule === undefined || seen.has(name)) continue;
    seen.add(name);
    const constraints = [...rule.constraints, ...rule.elements.flatMap((element) => element.constraints ?? [])];
    constraints.forEach(({ key }) => keys.add(key));
    names.push(...rule.elements.flatMap((element) => element.types), ...(rule.base === undefined ? [] : [rule.base]));
  }
  const tested = new Set(rows.map(({ key }) => key));
  expect([...keys].filter((key) => !tested.has(key)).sort()).toEqual(Object.keys(UNBREAKABLE).sort());
  expect(keys.size).toBeGreaterThan(230);
});
