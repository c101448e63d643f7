// Packages of others: found in profiles/, read when asked for, left out of what the server publishes as its own.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { loadDefinitions } from '../../src/definitions/load.js';
import { openPackages, type Packages } from '../../src/definitions/packages.js';
import { createProfileChecker } from '../../src/validation/profile-checker.js';

const UKCORE = 'https://fhir.hl7.org.uk';
const patient = {
  resourceType: 'StructureDefinition', url: `${UKCORE}/StructureDefinition/UKCore-Patient`, type: 'Patient', derivation: 'constraint', baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient',
  differential: { element: [{ id: 'Patient.maritalStatus', path: 'Patient.maritalStatus', min: 1, binding: { strength: 'required', valueSet: `${UKCORE}/ValueSet/a` } }] },
};
const valueSet = { resourceType: 'ValueSet', url: `${UKCORE}/ValueSet/a`, compose: { include: [{ system: `${UKCORE}/CodeSystem/a` }] } };
const codeSystem = { resourceType: 'CodeSystem', url: `${UKCORE}/CodeSystem/a`, content: 'complete', concept: [{ code: 'a' }] };
const MANIFEST = { name: 'uk.core', version: '1.0.0' };

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'packages-'));
  mkdirSync(join(root, 'profiles'));
  symlinkSync(resolve('profiles/r4'), join(root, 'profiles/r4'));
});
afterEach(() => rmSync(root, { recursive: true }));

function open(files: Readonly<Record<string, unknown>>): Packages {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, 'profiles', name)), { recursive: true });
    writeFileSync(join(root, 'profiles', name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return openPackages(root);
}

test.each([
  ['flat', { 'uk/package.json': MANIFEST, 'uk/p.json': patient, 'uk/v.json': valueSet, 'uk/c.json': codeSystem }],
  ['as npm unpacks it', { 'uk/package/package.json': MANIFEST, 'uk/package/p.json': patient, 'uk/package/v.json': valueSet, 'uk/package/c.json': codeSystem }],
  ['with an index', {
    'uk/package/package.json': MANIFEST, 'uk/package/p.json': patient, 'uk/package/v.json': valueSet, 'uk/package/c.json': codeSystem,
    'uk/package/.index.json': { 'index-version': 1, files: [{ filename: 'p.json', ...patient }, { filename: 'v.json', ...valueSet }, { filename: 'c.json', ...codeSystem }] },
  }],
])('a package %s is used, and is not the server\'s own', async (_form, files) => {
  const packages = open(files);
  expect(packages.structure(patient.url)).toEqual(patient);
  expect(packages.structure(valueSet.url)).toBeUndefined();
  expect(packages.codes(`${valueSet.url}|1`)).toEqual(new Set([`${codeSystem.url}|a`, '|a']));
  expect(packages.codes(`${UKCORE}/ValueSet/none`)).toBeUndefined();
  const definitions = loadDefinitions({ root });
  expect(definitions.conformanceResources).toEqual([]);
  const checker = createProfileChecker({ definitions, packages, rules: [], fetch: () => Promise.resolve([]), unknownProfile: 'error', now: () => 0 });
  const faults = async (code: string): Promise<string[]> =>
    (await checker.check({ resourceType: 'Patient', meta: { profile: [patient.url] }, maritalStatus: { coding: [{ system: codeSystem.url, code }] } })).map(({ expression = '' }) => expression);
  expect(await faults('a')).toEqual([]);
  expect(await faults('b')).toEqual(['Patient.maritalStatus']);
});

test('nothing is read before something is asked for', () => {
  const packages = open({ 'uk/package.json': MANIFEST, 'uk/p.json': 'not JSON' });
  expect(() => loadDefinitions({ root })).not.toThrow();
  expect(() => packages.structure(patient.url)).toThrow(/p\.json is not JSON/);
});
