// Validates all 5,306 examples of the specification: nothing may be flagged but what test/validation/faulty-examples.json lists with the reason.
//
//   node scripts/check-examples.mjs [folder]      after npm run build
//
// `folder` is an unpacked hl7.fhir.r4.examples 4.0.1; without it the package is fetched by `npm pack` into a temporary folder.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadDefinitions } from '../dist/definitions/load.js';
import { createValidator } from '../dist/validation/validator.js';
import { fetchPackage } from './hl7-package.mjs';

function check(folder) {
  const validator = createValidator(loadDefinitions({ profiles: false }));
  const faulty = new Map(JSON.parse(readFileSync(new URL('../test/validation/faulty-examples.json', import.meta.url), 'utf8')).map((row) => [row.file, row]));
  let examples = 0;
  let wrong = 0;
  const complain = (text) => { wrong += 1; console.log(text); };
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.json') && !name.startsWith('.'))) {
    const resource = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    if (!resource.resourceType) continue;
    examples += 1;
    const issues = validator.validate(resource);
    const listed = faulty.get(file);
    if (listed === undefined) issues.forEach((issue) => complain(`${file}: ${issue.text}`));
    else if (issues[0]?.expression !== listed.at) complain(`${file}: nothing is found at ${listed.at}, though it is listed (${listed.why})`);
  }
  console.log(`${examples} examples, ${faulty.size} listed as faulty, ${wrong} differences`);
  process.exitCode = wrong === 0 ? 0 : 1;
}

const [folder] = process.argv.slice(2);
if (folder) check(folder);
else fetchPackage(check);
