// HL7's own examples, narrative shortened, and two of ours, with one validator for all tests. HL7 publishes its examples under CC0.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadDefinitions } from '../../src/definitions/load.js';
import type { JsonValue, Resource } from '../../src/fhir/resource.js';
import { createValidator } from '../../src/validation/validator.js';

const folder = join(__dirname, 'examples');

export const definitions = loadDefinitions({ profiles: false });
export const validator = createValidator(definitions);
export const exampleNames = readdirSync(folder).map((file) => file.replace('.json', ''));

/** A copy of its own, so that a test may break it. */
export function example(name: string): Resource {
  return JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Resource;
}

type Holder = Record<string | number, JsonValue | undefined>;

/** Sets what stands at `name.0.given`; undefined takes it away. `__proto__` becomes a member, as JSON.parse makes it. */
export function change(resource: Resource, at: string, value: JsonValue | undefined): Resource {
  const steps = at.split('.');
  const last = steps.pop() ?? '';
  let holder: Holder = resource;
  for (const step of steps) holder = holder[step] as unknown as Holder;
  if (value !== undefined) Object.defineProperty(holder, last, { value, enumerable: true, configurable: true, writable: true });
  else if (Array.isArray(holder)) holder.splice(Number(last), 1);
  else Reflect.deleteProperty(holder, last);
  return resource;
}
