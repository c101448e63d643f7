// Each profile of the project, with an example that meets it and one that breaks each of its rules: the rule's key and the place are told.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadDefinitions } from '../../src/definitions/load.js';
import { openPackages } from '../../src/definitions/packages.js';
import type { JsonValue, Resource } from '../../src/fhir/resource.js';
import { createProfileChecker } from '../../src/validation/profile-checker.js';
import { createValidator } from '../../src/validation/validator.js';
import { change } from '../validation/examples.js';

interface Case {
  readonly at: string;
  /** Absent: the element is taken away. */
  readonly value?: JsonValue;
  /** `key expression` of each fault. */
  readonly expected: readonly string[];
}

const BASE = 'https://fhir.entitle.example/StructureDefinition';
const read = (folder: string, name: string): unknown => JSON.parse(readFileSync(join(__dirname, folder, `${name}.json`), 'utf8'));
const names = readdirSync(join(__dirname, 'valid')).map((file) => file.replace(/\.json$/, ''));
const invalid = names.flatMap((name) => (read('invalid', name) as Case[]).map((one): [string, string, JsonValue | undefined, Case] => [name, one.at, one.value, one]));

/** `phb-payment-notice-of-refund` is one more example of `phb-payment-notice`. */
const profileOf = (name: string): string => `${BASE}/${name.replace(/-of-(c|refund|clawback)$/, '')}`;

const definitions = loadDefinitions();
const validator = createValidator(definitions);
const checker = createProfileChecker({ definitions, packages: openPackages(), rules: [], fetch: () => Promise.resolve([]), unknownProfile: 'error', now: () => 0 });

async function faults(name: string, resource: Resource): Promise<string[]> {
  const issues = await checker.check(resource, { also: [profileOf(name)] });
  return issues.map(({ diagnostics = '', expression = '' }) => `${diagnostics.split(' ')[0] ?? ''} ${expression}`);
}

test('every profile of the project has its examples', () => {
  const profiles = definitions.conformanceResources.filter(({ resourceType, kind }) => resourceType === 'StructureDefinition' && kind === 'resource');
  expect(profiles.map(({ url }) => url).filter((url) => !names.some((name) => profileOf(name) === url))).toEqual([]);
});

test.each(names)('%s: the valid one has no faults', async (name) => {
  const resource = read('valid', name) as Resource;
  expect(validator.validate(resource).map(({ text }) => text)).toEqual([]);
  expect(await faults(name, resource)).toEqual([]);
});

test.each(invalid)('%s with %s = %j', async (name, at, value, { expected }) => {
  const resource = change(read('valid', name) as Resource, at, value);
  expect(validator.validate(resource).map(({ text }) => text)).toEqual([]);
  expect(await faults(name, resource)).toEqual(expected);
});
