// The conformance resources we publish: valid R4, under ids and URLs of their own, and pointing at what exists.
import { loadDefinitions } from '../../src/definitions/load.js';
import { createValidator } from '../../src/validation/validator.js';
import { SPINE_ERROR } from '../../src/chargeable-status/codes.js';

const definitions = loadDefinitions();
const resources = definitions.conformanceResources as readonly any[];
const named = resources.map((resource): [string, any] => [`${resource.resourceType}/${resource.id}`, resource]);
const urls = new Set(resources.map(({ url }) => url));

test.each(named)('%s is valid', (_name, resource) => {
  expect(createValidator(definitions).validate(resource)).toEqual([]);
});

test('each has an id of its own', () => {
  expect(new Set(named.map(([name]) => name)).size).toBe(named.length);
});

test('none is minted under the base of somebody else, but definitions that are theirs', () => {
  const foreign = resources.filter(({ url }) => url !== undefined && !url.startsWith('https://fhir.entitle.example/'));
  expect(foreign.map(({ resourceType, url }) => `${resourceType} ${url}`).sort()).toEqual([
    'CodeSystem https://fhir.nhs.uk/fhir-observation-code-1',
    'CodeSystem https://fhir.nhs.uk/spine-category-status-1',
    'CodeSystem https://fhir.nhs.uk/spine-chargeable-status-1',
    `CodeSystem ${SPINE_ERROR}`,
    'CodeSystem https://fhir.nhs.uk/spine-vm-observation-component-1',
    // HL7's, of the Bulk Data guide: answered here, and not among R4's own.
    'OperationDefinition http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export',
    'OperationDefinition http://hl7.org/fhir/uv/bulkdata/OperationDefinition/group-export',
    'OperationDefinition http://hl7.org/fhir/uv/bulkdata/OperationDefinition/patient-export',
    'ValueSet https://fhir.nhs.uk/ValueSet/device-type-codes-snct-1',
    'ValueSet https://fhir.nhs.uk/ValueSet/fhir-observation-code-1',
    'ValueSet https://fhir.nhs.uk/ValueSet/spine-category-status-1',
    'ValueSet https://fhir.nhs.uk/ValueSet/spine-chargeable-status-1',
    'ValueSet https://fhir.nhs.uk/ValueSet/spine-error-or-warning-code-1',
    'ValueSet https://fhir.nhs.uk/ValueSet/spine-vm-observation-component-1',
  ]);
});

test('what a profile, operation or value set points at on our base is published', () => {
  const pointed = new Set(JSON.stringify(resources).match(/https:\/\/fhir\.entitle\.example\/(?:StructureDefinition|ValueSet|CodeSystem)\/[A-Za-z0-9-]+(?![A-Za-z0-9/-])/g));
  expect([...pointed].filter((url) => !urls.has(url))).toEqual([]);
});

test('elements of a profile are elements of its type', () => {
  for (const { id, type, differential } of resources.filter(({ resourceType }) => resourceType === 'StructureDefinition')) {
    for (const { path } of differential.element as { path: string }[]) expect([id, path, exists(type, path)]).toEqual([id, path, true]);
  }
});

/** Walks the element tables from the root type. */
function exists(type: string, path: string): boolean {
  let at = type;
  return path.split('.').slice(1).every((name) => {
    const element = definitions.type(at)?.elements.find((one) => one.name === name);
    at = element?.types[0] ?? '';
    return element !== undefined;
  });
}
