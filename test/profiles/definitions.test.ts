// The project's own definitions are good R4 themselves, and their rules compile.
import { loadDefinitions } from '../../src/definitions/load.js';
import { openPackages } from '../../src/definitions/packages.js';
import type { Resource } from '../../src/fhir/resource.js';
import { createProfileChecker } from '../../src/validation/profile-checker.js';
import { createValidator } from '../../src/validation/validator.js';

const definitions = loadDefinitions();
const validator = createValidator(definitions);
const own = definitions.conformanceResources.map((resource): [string, Resource] => [`${resource.resourceType}/${resource.id ?? ''}`, resource]);
const profiles = definitions.conformanceResources.filter(({ resourceType, derivation }) => resourceType === 'StructureDefinition' && derivation === 'constraint');

test.each(own)('%s is good R4', (_name, resource) => {
  expect(validator.validate(resource).map(({ text }) => text)).toEqual([]);
});

test('each says nothing that can\'t be asked', async () => {
  const checker = createProfileChecker({ definitions, packages: openPackages(), rules: [], fetch: () => Promise.resolve([]), unknownProfile: 'error', now: () => 0 });
  const notes: string[] = [];
  for (const { type, url } of profiles) {
    if (typeof type !== 'string' || typeof url !== 'string' || type === 'Extension') continue;
    const issues = await checker.check({ resourceType: type }, { also: [url], advice: true });
    notes.push(...issues.filter(({ severity }) => severity === 'information').map(({ text }) => text));
  }
  expect(notes).toEqual([]);
});

test('each value set that a profile binds to can be listed', () => {
  const bound = profiles.flatMap(({ differential }) => (differential as { element: { binding?: { strength: string; valueSet: string } }[] }).element.flatMap(({ binding }) => (binding?.strength === 'required' ? [binding.valueSet] : [])));
  expect(bound.length).toBeGreaterThan(20);
  expect(bound.filter((valueSet) => definitions.codes(valueSet) === undefined)).toEqual([]);
});
