// Which profiles a resource must meet though it does not say so: those its content demands, and those a setting gives its type.
// Never decided by meta.profile, which a client could leave out (domain.md ruling 2).
import type { Resource } from '../fhir/resource.js';
import { compileInvariant } from '../fhirpath/compile-invariant.js';
import type { TypeModel } from '../fhirpath/model.js';
import { isObject } from './json-object.js';

export interface ProfileRule {
  readonly type: string;
  /** Canonical URL. */
  readonly profile: string;
  demands(resource: Resource): boolean;
}

/** As PROFILE_DEFAULTS has it; `condition` is FHIRPath, asked of the resource. */
export interface ProfileDefault {
  readonly type: string;
  readonly condition: string | undefined;
  readonly profile: string;
}

const BASE = 'https://fhir.entitle.example';
const EU_EVIDENCE_TYPE = 'http://terminology.hl7.eu/CodeSystem/v3-ActCode';
const profile = (id: string): string => `${BASE}/StructureDefinition/${id}`;

/** A coding of the project's own code system marks the resource; no code stands for any code of it. */
const MARKS: readonly (readonly [type: string, member: string, system: string, code: string | undefined, profile: string])[] = [
  ['Observation', 'code', 'status-assertion', 'ho-status', 'ho-status-assertion'],
  ['Observation', 'code', 'status-assertion', 'ovm-assessment', 'ovm-assessment'],
  ['Observation', 'code', 'eligibility-basis', undefined, 'phb-eligibility-decision'],
  ['Coverage', 'type', 'evidence-type', undefined, 'entitlement-evidence'],
  ['Coverage', 'type', 'coverage-type', 'phb-funding', 'phb-coverage'],
  ['Account', 'type', 'account-type', 'phb', 'phb-account'],
  ['Account', 'type', 'account-type', 'joint-budget', 'joint-account'],
  ['List', 'code', 'list-code', 'phb-directory', 'phb-directory'],
  ['Task', 'code', 'task-code', 'budget-review', 'phb-review'],
  ['Task', 'code', 'task-code', 'request-clinical-information', 'phb-workflow-task'],
  ['Task', 'code', 'task-code', 'confirm-medical-history', 'phb-workflow-task'],
];

/** What the project's own resources must meet. */
export function contentRules(): readonly ProfileRule[] {
  return [
    ...MARKS.map(([type, member, system, code, id]): ProfileRule => {
      const url = `${BASE}/CodeSystem/${system}`;
      return { type, profile: profile(id), demands: (resource) => hasCoding(resource[member], url, code) };
    }),
    // The real PDS Coverage names an EHIC by another system.
    { type: 'Coverage', profile: profile('entitlement-evidence'), demands: (coverage) => hasCoding(coverage['type'], EU_EVIDENCE_TYPE, 'EHIC') },
    { type: 'Claim', profile: profile('phb-purchase'), demands: (claim) => isBudgetClaim(claim) && claim['use'] !== 'preauthorization' },
    { type: 'Claim', profile: profile('phb-commitment'), demands: (claim) => isBudgetClaim(claim) && claim['use'] === 'preauthorization' },
    { type: 'CarePlan', profile: profile('phb-careplan'), demands: isSupportPlan },
    { type: 'HealthcareService', profile: profile('phb-directory-entry'), demands: (service) => hasExtension(service, profile('ext-directory')) },
    { type: 'Group', profile: profile('phb-criteria'), demands: isCriteria },
  ];
}

const isBudgetClaim = (claim: Resource): boolean =>
  hasCoding(claim['type'], `${BASE}/CodeSystem/claim-type`, 'phb-purchase') || hasExtension(claim, profile('ext-budget'));

const isSupportPlan = (plan: Resource): boolean => listOf(plan['category']).some((category) => hasCoding(category, `${BASE}/CodeSystem/careplan-category`, 'pcsp'));

const isCriteria = (group: Resource): boolean =>
  listOf(group['characteristic']).some((one) => isObject(one) && hasCoding(one['code'], `${BASE}/CodeSystem/criterion`, undefined));

function hasCoding(concept: unknown, system: string, code: string | undefined): boolean {
  if (!isObject(concept)) return false;
  for (const coding of listOf(concept['coding'])) {
    if (isObject(coding) && coding['system'] === system && (code === undefined || coding['code'] === code)) return true;
  }
  return false;
}

function hasExtension(resource: Resource, url: string): boolean {
  return listOf(resource['extension']).some((one) => isObject(one) && one['url'] === url);
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Throws where a type is not R4's, or a condition no FHIRPath for it. */
export function defaultRules(defaults: readonly ProfileDefault[], model: TypeModel): readonly ProfileRule[] {
  return defaults.map(({ type, condition, profile: url }): ProfileRule => {
    if (!model.isResource(type)) throw new Error(`PROFILE_DEFAULTS names ${type}, which is no resource type of FHIR R4`);
    if (condition === undefined) return { type, profile: url, demands: () => true };
    const holds = compileInvariant(condition, type, model);
    return { type, profile: url, demands: (resource) => holds(resource, { resource, rootResource: resource }) };
  });
}
