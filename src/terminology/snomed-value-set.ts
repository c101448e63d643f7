// The value sets that SNOMED CT has without anyone defining them. https://hl7.org/fhir/R4/snomedct.html#implicit
import type { ValueSet } from '@medplum/fhirtypes';
import { notSupported } from './refusals.js';

const SNOMED = 'http://snomed.info/sct';
const IMPLICIT = /^http:\/\/snomed\.info\/sct(\/[^?]+)?\?fhir_vs(?:=(.*))?$/;

/** `http://snomed.info/sct?fhir_vs=isa/73211009`; undefined for any other URL. */
export function snomedValueSet(url: string): ValueSet | undefined {
  const match = IMPLICIT.exec(url);
  if (!match) return undefined;
  const [, edition, what] = match;
  const filter = what === undefined ? undefined : filterOf(what);
  const version = edition === undefined ? {} : { version: `${SNOMED}${edition}` };
  return { resourceType: 'ValueSet', url, status: 'active', name: 'SnomedCtImplicit', compose: { include: [{ system: SNOMED, ...version, ...(filter && { filter: [filter] }) }] } };
}

function filterOf(what: string): { property: string; op: 'is-a' | 'in'; value: string } {
  const match = /^(isa|refset)\/(\d{6,18})$/.exec(what);
  const value = match?.[2];
  if (value === undefined) throw notSupported(`Of the value sets of SNOMED CT, ?fhir_vs, ?fhir_vs=isa/[concept] and ?fhir_vs=refset/[concept] are known here, not ${JSON.stringify(what.slice(0, 100))}`);
  return { property: 'concept', op: match?.[1] === 'isa' ? 'is-a' : 'in', value };
}
