// What a version of a Patient says about its NHS numbers: which it has, and whether it holds them, frees them or forwards them (ruling 10).
import type { Resource } from '../../fhir/resource.js';
import { asObjects, referenceId } from '../../fhir/elements.js';
import { nhsNumbersOf } from './nhs-numbers.js';
import { isNhsNumber } from '../../fhir/nhs-number.js';

export interface Standing {
  /** Valid and distinct, sorted. */
  readonly numbers: readonly string[];
  /** Held: nobody else may have them. Forwarded: they lead to the survivor. Free: they lead nowhere. */
  readonly mode: 'held' | 'forwarded' | 'free';
  /** The number that answers show. */
  readonly shown: string | undefined;
  /** The Patient that replaces this one. */
  readonly survivor: string | undefined;
}

/** Of a Patient, or of none: a Patient that is deleted or not there yet frees all. */
export function standingOf(patient: Resource | undefined): Standing {
  const found = nhsNumbersOf(patient).flatMap(({ value, use }) => (value !== undefined && isNhsNumber(value) ? [{ value, use }] : []));
  const survivor = survivorOf(patient);
  const mode = survivor !== undefined ? 'forwarded' : patient === undefined || patient['active'] === false ? 'free' : 'held';
  return {
    numbers: [...new Set(found.map(({ value }) => value))].sort(),
    mode,
    shown: (found.find(({ use }) => use !== 'old') ?? found[0])?.value,
    survivor,
  };
}

export function sameStanding(one: Standing, other: Standing): boolean {
  return one.mode === other.mode && one.survivor === other.survivor && one.shown === other.shown && one.numbers.join() === other.numbers.join();
}

/** https://hl7.org/fhir/R4/valueset-link-type.html */
function survivorOf(patient: Resource | undefined): string | undefined {
  const link = asObjects(patient?.['link']).find((item) => item['type'] === 'replaced-by' && referenceId(item['other'], 'Patient') !== undefined);
  return link && referenceId(link['other'], 'Patient');
}
