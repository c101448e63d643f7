// The NHS numbers that a Patient carries, read before anything is validated.
import { asObjects, identifierOf } from '../../fhir/elements.js';
import { NHS_NUMBER_SYSTEM } from '../../fhir/nhs-number.js';
import type { Resource } from '../../fhir/resource.js';

/** The NHS numbers of a Patient, in order and as written, each with its place. */
export function nhsNumbersOf(patient: Resource | undefined): { readonly value: string | undefined; readonly index: number; readonly use: string | undefined }[] {
  return asObjects(patient?.['identifier']).flatMap((item, index) => {
    const { system, value, use } = identifierOf(item);
    return system === NHS_NUMBER_SYSTEM ? [{ value, index, use }] : [];
  });
}
