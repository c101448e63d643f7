// Says all that is wrong with a resource, or nothing. https://hl7.org/fhir/R4/validation.html
import type { Issue } from '../fhir/issue.js';
import type { Resource } from '../fhir/resource.js';
import { Faults } from './faults.js';
import { createStructure, type StructureDefinitions } from './structure.js';

export interface Validator {
  /** Every fault as an error issue with its expression, in document order, the first hundred; empty where the resource is fine. */
  validate(resource: Resource): Issue[];
}

/** Each stage is a Check of the whole resource. A stage that needs a well-formed resource (invariants, profiles) runs after structure, when `faults.count` is 0. */
export function createValidator(definitions: StructureDefinitions): Validator {
  const structure = createStructure(definitions);
  return {
    validate: (resource) => {
      const faults = new Faults();
      structure(resource, faults);
      if (faults.count === 0) return [];
      const { resourceType } = resource;
      return faults.issues(definitions.resourceTypes.includes(resourceType) ? resourceType : 'Resource');
    },
  };
}
