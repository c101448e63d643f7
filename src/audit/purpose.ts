// To what end: a code of v3-ActReason, as the caller says, or as its role has it. https://terminology.hl7.org/ValueSet-v3-PurposeOfUse.html
import type { Role } from '../fhir/caller.js';
import { fail } from '../fhir/errors.js';
import type { FhirRequest } from '../fhir/request.js';

export const ACT_REASON = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';

/** The value set PurposeOfUse: code and display. */
export const PURPOSES: Readonly<Record<string, string>> = {
  PurposeOfUse: 'purpose of use', HMARKT: 'healthcare marketing', HOPERAT: 'healthcare operations', CAREMGT: 'care management', DONAT: 'donation', FRAUD: 'fraud',
  GOV: 'government', HACCRED: 'health accreditation', HCOMPL: 'health compliance', HDECD: 'decedent', HDIRECT: 'directory', HDM: 'healthcare delivery management',
  HLEGAL: 'legal', HOUTCOMS: 'health outcome measure', HPRGRP: 'health program reporting', HQUALIMP: 'health quality improvement', HSYSADMIN: 'health system administration',
  LABELING: 'labeling', METAMGT: 'metadata management', MEMADMIN: 'member administration', MILCDM: 'military command', PATADMIN: 'patient administration', PATSFTY: 'patient safety',
  PERFMSR: 'performance measure', RECORDMGT: 'records management', SYSDEV: 'system development', HTEST: 'test health data', TRAIN: 'training', HPAYMT: 'healthcare payment',
  CLMATTCH: 'claim attachment', COVAUTH: 'coverage authorization', COVERAGE: 'coverage under policy or program', ELIGDTRM: 'eligibility determination', ELIGVER: 'eligibility verification',
  ENROLLM: 'enrollment', MILDCRG: 'military discharge', REMITADV: 'remittance advice', HRESCH: 'healthcare research', BIORCH: 'biomedical research', CLINTRCH: 'clinical trial research',
  PATRQT: 'patient requested', FAMRQT: 'family requested', PWATRNY: 'power of attorney', SUPNWK: 'support network', PUBHLTH: 'public health', DISASTER: 'disaster', THREAT: 'threat',
  TREAT: 'treatment', CLINTRL: 'clinical trial', COC: 'coordination of care', ETREAT: 'Emergency Treatment', BTG: 'break the glass', ERTREAT: 'emergency room treatment', POPHLTH: 'population health',
};

const USUAL: Readonly<Record<Role, string>> = {
  admin: 'HOPERAT', patient: 'PATRQT', nominee: 'PATRQT', 'care-coordinator': 'TREAT', practice: 'TREAT', supplier: 'TREAT',
  ovm: 'HPAYMT', broker: 'HPAYMT', 'budget-manager': 'HPAYMT', commissioner: 'HPAYMT', provider: 'HPAYMT', 'third-party': 'HPAYMT',
  'home-office': 'HOPERAT', feed: 'HOPERAT',
};

type Asked = Pick<FhirRequest, 'purposeOfUse' | 'breakGlassReason'>;

/** Breaking the glass is a purpose of its own, whatever else is said. */
export function purposeOf(role: Role, { purposeOfUse, breakGlassReason }: Asked): string {
  if (breakGlassReason !== undefined) return 'BTG';
  return purposeOfUse !== undefined && Object.hasOwn(PURPOSES, purposeOfUse) ? purposeOfUse : USUAL[role];
}

/** Throws 400 for a purpose that is none: on record, it would say nothing. */
export function requirePurpose({ purposeOfUse }: Asked): void {
  if (purposeOfUse === undefined || Object.hasOwn(PURPOSES, purposeOfUse)) return;
  throw fail('invalid-parameter', { text: `X-Purpose-Of-Use must be a code of ${ACT_REASON} such as TREAT or HPAYMT, not "${purposeOfUse.slice(0, 40)}"` });
}
