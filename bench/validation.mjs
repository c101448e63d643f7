// npm run bench -- validation: CPU of a validation as a ratio to JSON.parse of the same text, in one run; and, with --definitions, of @medplum/core's.
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { loadDefinitions } from '../dist/definitions/load.js';
import { openPackages } from '../dist/definitions/packages.js';
import { createProfileChecker } from '../dist/validation/profile-checker.js';
import { createValidator } from '../dist/validation/validator.js';

const ROUNDS = 9;
const ROUND_MS = 60;
/** Copies that take turns, so that no run is of one object alone. */
const COPIES = 32;
const TARGETS = { Patient: 1.2, Observation: 2, Claim: 1.2, 'Bundle of 50': 1.5 };
/** Of the project's profiles; base and profile together may take twice as long as the base. */
const PROFILES = ['phb-account', 'phb-purchase', 'ovm-assessment', 'ho-status-assertion', 'patient-vmphb', 'vm-observation'];
const PROFILE_TARGET = 2;
const OTHERS = new URL('../test/validation/examples/', import.meta.url);
/** HL7's examples (CC0) as they are, with their narrative; the tests' are shortened. */
const WHOLE = new URL('examples/', import.meta.url);

function read(name) {
  const folder = ['patient', 'observation', 'claim'].includes(name) ? WHOLE : OTHERS;
  return JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));
}

/** Each of the mixed sizes that the store sees: transactions of what the examples hold. */
function bundleOf(count) {
  const names = ['patient', 'observation', 'claim', 'encounter', 'condition', 'practitioner', 'organization', 'coverage', 'account', 'task'];
  const entry = Array.from({ length: count }, (_, i) => {
    const resource = { ...read(names[i % names.length]), id: String(i) };
    return { fullUrl: `http://example.org/fhir/${resource.resourceType}/${i}`, resource, request: { method: 'PUT', url: `${resource.resourceType}/${i}` } };
  });
  return { resourceType: 'Bundle', type: 'transaction', entry };
}

function cpuMicros() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Microseconds of CPU that one call takes. */
function timeOf(work) {
  const start = cpuMicros();
  let calls = 0;
  do {
    for (let i = 0; i < COPIES; i += 1) work(i);
    calls += COPIES;
  } while (cpuMicros() - start < ROUND_MS * 1000);
  return (cpuMicros() - start) / calls;
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const rounded = (number) => Number(number.toFixed(2));

/** The median time of each of the works, by its name; in turns, so that a machine that slows down favours nobody. */
function mediansOf(works) {
  const times = Object.fromEntries(Object.keys(works).map((key) => [key, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [key, work] of Object.entries(works)) {
      const micros = timeOf(work);
      if (round >= ROUNDS / 3) times[key].push(micros);
    }
  }
  return Object.fromEntries(Object.entries(times).map(([key, all]) => [key, median(all)]));
}

function copiesOf(text) {
  return Array.from({ length: COPIES }, () => JSON.parse(text));
}

function compare(name, resource, validate, peer) {
  const text = JSON.stringify(resource);
  const copies = copiesOf(text);
  const times = mediansOf({ parse: () => JSON.parse(text), own: (i) => validate(copies[i]), ...(peer && { peer: (i) => peer(copies[i]) }) });
  return {
    name, bytes: text.length, parseMicros: rounded(times.parse), validateMicros: rounded(times.own), ratio: rounded(times.own / times.parse), target: TARGETS[name],
    ...(peer && { peerMicros: rounded(times.peer), peerRatio: rounded(times.peer / times.parse) }),
  };
}

/** What one profile of the project adds to the base validation, by the tests' valid example of it. */
function compareProfiles(validator) {
  const definitions = loadDefinitions();
  const checker = createProfileChecker({ definitions, packages: openPackages(), rules: [], fetch: async () => [], unknownProfile: 'error', now: Date.now });
  return PROFILES.map((name) => {
    const text = JSON.stringify(JSON.parse(readFileSync(new URL(`../test/profiles/valid/${name}.json`, import.meta.url), 'utf8')));
    const copies = copiesOf(text);
    const question = { also: [`https://fhir.entitle.example/StructureDefinition/${name}`] };
    const both = (resource) => [...validator.validate(resource), ...checker.check(resource, question)];
    const [issue] = both(copies[0]);
    if (issue) throw new Error(`${name} is not valid: ${issue.text}`);
    const times = mediansOf({ parse: () => JSON.parse(text), base: (i) => validator.validate(copies[i]), both: (i) => both(copies[i]) });
    return { name, bytes: text.length, parseMicros: rounded(times.parse), baseMicros: rounded(times.base), bothMicros: rounded(times.both), ratio: rounded(times.both / times.base), target: PROFILE_TARGET };
  });
}

/** The time a type's first validation takes, in a process that has validated other types. */
function firstOf(definitions, resource, before) {
  const times = Array.from({ length: 5 }, () => {
    const validator = createValidator(definitions());
    before.forEach((one) => validator.validate(one));
    const start = performance.now();
    validator.validate(resource);
    return performance.now() - start;
  });
  return rounded(median(times));
}

/**
 * @medplum/core's validator with HL7's definitions, where `folder` is an unpacked hl7.fhir.r4.examples and the package is found from
 * there: neither is a dependency.
 */
function medplum(folder) {
  if (folder === undefined) return undefined;
  // its line 5 expects Node 22, and validation has no use for what is missing
  globalThis.WebSocket ??= class {};
  const { indexStructureDefinitionBundle, validateResource } = createRequire(resolve(folder, 'package.json'))('@medplum/core');
  const names = readdirSync(folder).filter((name) => name.startsWith('StructureDefinition-'));
  const all = names.map((name) => JSON.parse(readFileSync(resolve(folder, name), 'utf8')));
  const base = all.filter(({ kind, derivation }) => kind !== 'logical' && derivation !== 'constraint');
  indexStructureDefinitionBundle({ resourceType: 'Bundle', type: 'collection', entry: base.map((resource) => ({ resource })) });
  return validateResource;
}

/** False where the peer refuses the resource: what it throws would be timed. */
function accepts(peer, resource) {
  try {
    peer(resource);
    return true;
  } catch {
    return false;
  }
}

/** `definitions`: the folder for the peer, which is left out without. */
export function benchValidation({ definitions: folder } = {}) {
  const started = performance.now();
  const definitions = loadDefinitions({ profiles: false });
  const loadMs = rounded(performance.now() - started);
  const validator = createValidator(definitions);
  const peer = medplum(folder);
  const cases = { Patient: read('patient'), Observation: read('observation'), Claim: read('claim'), 'Bundle of 50': bundleOf(50) };
  const rows = Object.entries(cases).map(([name, resource]) => {
    const issues = validator.validate(resource);
    if (issues.length > 0) throw new Error(`${name} is not valid: ${issues[0].text}`);
    return compare(name, resource, (one) => validator.validate(one), peer && accepts(peer, resource) ? peer : undefined);
  });
  console.table(rows);
  console.log('With one project profile, to the base alone:');
  console.table(compareProfiles(createValidator(loadDefinitions())));
  const fresh = () => loadDefinitions({ profiles: false });
  const first = Object.entries(cases).slice(0, 3).map(([name, resource]) => `${name} ${firstOf(fresh, resource, [read('organization')])}`);
  console.log(`definitions loaded in ${loadMs} ms; first validator of a type, ms: ${first.join(', ')}; ${peer ? 'the peer is @medplum/core' : 'no peer'}`);
  return rows;
}
