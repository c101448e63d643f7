// Resources in the shape of UK Core are good R4 here, with its package or without.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadDefinitions } from '../../src/definitions/load.js';
import { openPackages } from '../../src/definitions/packages.js';
import type { Resource } from '../../src/fhir/resource.js';
import { createProfileChecker } from '../../src/validation/profile-checker.js';
import { contentRules } from '../../src/validation/profile-rules.js';
import { createValidator } from '../../src/validation/validator.js';

const folder = join(__dirname, 'uk-core');
const definitions = loadDefinitions();
const validator = createValidator(definitions);
const checker = createProfileChecker({ definitions, packages: openPackages(), rules: contentRules(), fetch: () => Promise.resolve([]), unknownProfile: 'warning', now: () => 0 });

test.each(readdirSync(folder))('%s', async (file) => {
  const resource = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Resource;
  expect(validator.validate(resource).map(({ text }) => text)).toEqual([]);
  expect(await checker.check(resource)).toEqual([]);
});
