// Profiles made of a few elements, and what a checker says of a resource by them.
import { openPackages } from '../../src/definitions/packages.js';
import type { Issue } from '../../src/fhir/issue.js';
import type { Resource } from '../../src/fhir/resource.js';
import { createProfileChecker, type ProfileChecker, type ProfileCheckerParts, type ProfileQuestion } from '../../src/validation/profile-checker.js';
import { definitions } from './examples.js';

export const BASE = 'http://e.example/StructureDefinition';

type Element = { readonly id: string } & Readonly<Record<string, unknown>>;

/** A profile `id` of the type with this differential; the path of an element is its id without slices. */
export function profile(id: string, type: string, elements: readonly Element[], more: object = {}): Resource {
  const element = elements.map((one) => ({ path: one.id.split('.').map((part) => part.replace(/:.*/, '')).join('.'), ...one }));
  return {
    resourceType: 'StructureDefinition', id, url: `${BASE}/${id}`, name: id, status: 'active', kind: 'resource', abstract: false, type,
    baseDefinition: `http://hl7.org/fhir/StructureDefinition/${type}`, derivation: 'constraint', differential: { element }, ...more,
  };
}

export function checkerOf(profiles: readonly Resource[], parts: Partial<ProfileCheckerParts> = {}): ProfileChecker {
  return createProfileChecker({
    definitions: { ...definitions, conformanceResources: [...definitions.conformanceResources, ...profiles] },
    packages: openPackages('/nowhere'),
    rules: [],
    fetch: () => Promise.resolve([]),
    unknownProfile: 'warning',
    now: () => 0,
    ...parts,
  });
}

/** `key expression` of each issue by the profile `id`. */
export async function found(profiles: readonly Resource[], resource: object, question: ProfileQuestion = {}): Promise<string[]> {
  const issues = await checkerOf(profiles).check(resource as Resource, { also: [`${BASE}/${profiles.at(-1)?.id ?? ''}`], ...question });
  return issues.map(brief);
}

export const brief = ({ diagnostics = '', expression = '' }: Issue): string => `${diagnostics.split(' ')[0] ?? ''} ${expression}`;
