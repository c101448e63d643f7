// Says all that is wrong with a resource, or nothing. https://hl7.org/fhir/R4/validation.html
import type { Issue } from '../fhir/issue.js';
import type { Resource } from '../fhir/resource.js';
import { Faults } from './faults.js';
import { createStructure, type StructureDefinitions } from './structure.js';

export interface ValidateOptions {
  /** Warnings too: best practice, as $validate tells. */
  readonly hints?: boolean;
}

export interface Validator {
  /** Every fault as an issue with its expression, in document order, the first hundred; empty where the resource is fine. */
  validate(resource: Resource, options?: ValidateOptions): Issue[];
  /** Makes, a little at each step, what the first resource of each of these types would wait for: 10 ms in a process that has just started. */
  preparation(types: readonly string[]): Generator<void>;
}

const TOO_DEEP: Issue = { severity: 'error', code: 'too-costly', text: 'The resource is nested too deeply to be checked: send it with fewer levels' };

/** False where the resource is nested more deeply than the stack holds: only that raises a RangeError. */
function isFinished(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** The base rules: structure, and the invariants of each element whose structure is right, in one pass. */
export function createValidator(definitions: StructureDefinitions): Validator {
  const structure = createStructure(definitions);
  return {
    validate: (resource, { hints = false } = {}) => {
      const faults = new Faults(hints);
      if (!isFinished(() => { structure.check(resource, faults); })) return [TOO_DEEP];
      if (faults.count === 0) return [];
      const { resourceType } = resource;
      return faults.issues(definitions.resourceTypes.includes(resourceType) ? resourceType : 'Resource');
    },
    preparation: structure.preparation,
  };
}
