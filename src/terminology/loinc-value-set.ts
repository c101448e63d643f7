// The value set of all LOINC codes, which nobody defines. https://hl7.org/fhir/R4/loinc.html#implicit
import type { ValueSet } from '@medplum/fhirtypes';

const ALL = 'http://loinc.org/vs';

/** `http://loinc.org/vs`; undefined for any other URL: answer lists and groups are not in a release as it is loaded here. */
export function loincValueSet(url: string): ValueSet | undefined {
  return url === ALL ? { resourceType: 'ValueSet', url, status: 'active', name: 'LoincImplicit', compose: { include: [{ system: 'http://loinc.org' }] } } : undefined;
}
