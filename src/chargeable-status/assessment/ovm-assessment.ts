// What an OVM assessment must hold, and what it asserts (domain.md 1.6, 3.3, 3.4, rulings 2, 6, 7).
import type { Issue } from '../../fhir/issue.js';
import type { Resource } from '../../fhir/resource.js';
import type { Assertion } from '../status/assertion.js';
import { dateFaults, decidedOn, validity } from '../status/assertion-date.js';
import { basicOf, CATEGORIES, isCategory, type Category } from '../status/category.js';
import { BASIC_STATUS, CATEGORY_STATUS, EXEMPTION_REASON, extensionUrl, SPINE_ERROR, VM_COMPONENT } from '../codes.js';
import { asObjects, asText, codesOf, codingsOf, extensionsOf } from '../../fhir/elements.js';
import { evidenceFaults, lastDay, proves, validUntilFaults, type Evidence } from './evidence.js';
import { fault } from '../../fhir/faults.js';
import { performerFaults } from './performers.js';

const REASON = extensionUrl('exemption-reason');
const SCOPE = extensionUrl('exemption-scope');
const SERVICE = extensionUrl('service-code');
const EVIDENCE = extensionUrl('evidence');

/** Exemptions of a service, and of a person (domain.md 3.7). */
const SERVICE_REASONS = new Set(['emergency-department', 'family-planning', 'scheduled-infectious-disease', 'sti', 'violence-related', 'mental-health-detention']);
const PERSON_REASONS = new Set(['refugee', 'asylum-seeker', 'trafficking-victim', 'looked-after-child', 'immigration-detainee', 'armed-forces', 'war-pensioner', 'other']);

/** Faults that show in the assessment itself. */
export function assessmentFaults(assessment: Resource, now: number): Issue[] {
  const category = categoryFaults(assessment);
  const rest = [...dateFaults(assessment, now), ...performerFaults(assessment), ...scopeFaults(assessment), ...stateFaults(assessment)];
  return category.length > 0 ? [...category, ...rest] : [...basicFaults(assessment), ...groundFaults(assessment), ...rest];
}

/** Faults that show only with the evidence at hand; `patient` is the subject's id. */
export function groundsFaults(assessment: Resource, patient: string, evidence: readonly Evidence[]): Issue[] {
  const category = categoryOf(assessment);
  const faults = [...evidenceFaults(assessment, patient, category, evidence), ...validUntilFaults(assessment, category, evidence)];
  if (category !== 'C' || reasonOf(assessment) !== undefined || evidence.some(proves)) return faults;
  return [...faults, needsGround()];
}

/** What a checked assessment asserts; `receivedAt` in milliseconds. */
export function assessmentAssertion(assessment: Resource, evidence: readonly Evidence[], receivedAt: number): Assertion {
  const category = categoryOf(assessment);
  const decision = decidedOn(assessment);
  return {
    id: assessment.id ?? '',
    source: 'OVM',
    decidedAt: decision.at,
    decided: decision.text,
    receivedAt,
    basic: basicOf(category, exemptionScope(assessment, category, evidence)),
    category,
    ...validity(lastDay(assessment, category, evidence)),
    ...(assessment['status'] === 'entered-in-error' && { withdrawn: true }),
  };
}

/** As the assessor says; else a service reason, or C that rests on S2 alone, exempts a service (ruling 7). */
function exemptionScope(assessment: Resource, category: Category, evidence: readonly Evidence[]): 'person' | 'service' {
  const given = scopeOf(assessment);
  if (given === 'person' || given === 'service') return given;
  const reason = reasonOf(assessment);
  if (reason !== undefined) return SERVICE_REASONS.has(reason) ? 'service' : 'person';
  const cards = evidence.filter((one) => one.kind === 'Coverage' && proves(one));
  return category === 'C' && cards.length > 0 && cards.every(({ type }) => type === 'S2') ? 'service' : 'person';
}

function categoryFaults(assessment: Resource): Issue[] {
  const expression = 'Observation.value';
  const codings = codingsOf(assessment['valueCodeableConcept']);
  if (codings.length === 0) return [fault('required', `Say the category: valueCodeableConcept with a code of ${CATEGORY_STATUS}`, expression)];
  const [only] = codings;
  if (codings.length === 1 && only?.system === CATEGORY_STATUS && isCategory(only.code)) return [];
  return [fault('code-invalid', `The category is one of ${Object.keys(CATEGORIES).join(', ')} of ${CATEGORY_STATUS}, in capitals`, expression)];
}

/** A client need not send the basic status, and can't choose it (domain.md 1.2). */
function basicFaults(assessment: Resource): Issue[] {
  const category = categoryOf(assessment);
  const allowed = category === 'C' || category === 'E' ? ['N', 'U'] : [CATEGORIES[category].basic];
  return asObjects(assessment['component']).flatMap((component, index) => {
    const expression = `Observation.component[${index}].value`;
    const [kind] = codesOf(component['code'], VM_COMPONENT);
    const value = component['valueCodeableConcept'];
    const agrees =
      kind === 'BASIC_CHARGEABLE_STATUS' ? codesOf(value, BASIC_STATUS).every((code) => allowed.includes(code))
      : kind === 'CATEGORY_CHARGEABLE_STATUS' ? codesOf(value, CATEGORY_STATUS).every((code) => code === category)
      : true;
    if (agrees) return [];
    const coding = { system: SPINE_ERROR, code: 'CONFLICTING_VALUES', display: 'Conflicting values have been specified in different fields' };
    return [fault('business-rule', `This does not go with category ${category}: leave it out, the server works it out`, expression, coding)];
  });
}

/** E needs a reason, C a reason or evidence (ovm-1, ovm-2). */
function groundFaults(assessment: Resource): Issue[] {
  const category = categoryOf(assessment);
  const [extension] = extensionsOf(assessment, REASON);
  const reason = reasonOf(assessment);
  const faults: Issue[] = [];
  if (extension && (reason === undefined || !(SERVICE_REASONS.has(reason) || PERSON_REASONS.has(reason))))
    faults.push(fault('code-invalid', `The exemption reason is a code of ${EXEMPTION_REASON}`, `Observation.extension('${REASON}').value`));
  if (category === 'E' && !extension) faults.push(fault('required', `Category E needs the reason of the exemption: extension ${REASON}`, 'Observation.extension'));
  if (category === 'C' && !extension && extensionsOf(assessment, EVIDENCE).length === 0) faults.push(needsGround());
  return faults;
}

const needsGround = (): Issue => fault('required', `Category C needs evidence (${EVIDENCE}: EHIC, PRC or S2) or the reason of the exemption (${REASON})`, 'Observation.extension');

function scopeFaults(assessment: Resource): Issue[] {
  const expression = `Observation.extension('${SCOPE}').value`;
  const scope = scopeOf(assessment);
  if (extensionsOf(assessment, SCOPE).length > 0 && scope !== 'person' && scope !== 'service')
    return [fault('code-invalid', 'The scope of an exemption is person or service', expression)];
  if (scope !== 'service' || extensionsOf(assessment, SERVICE).length === 1) return [];
  return [fault('required', `An exemption of a service names it, once: extension ${SERVICE}`, expression)];
}

function stateFaults(assessment: Resource): Issue[] {
  return assessment['status'] === 'final' || assessment['status'] === 'amended' || assessment['status'] === 'entered-in-error'
    ? []
    : [fault('business-rule', 'An assessment has status final, amended or entered-in-error: one that is not final decides nothing', 'Observation.status')];
}

function categoryOf(assessment: Resource): Category {
  const [code] = codesOf(assessment['valueCodeableConcept'], CATEGORY_STATUS);
  if (!isCategory(code)) throw new Error('an assessment was read without a category');
  return code;
}

function reasonOf(assessment: Resource): string | undefined {
  const [extension] = extensionsOf(assessment, REASON);
  return codesOf(extension?.['valueCodeableConcept'], EXEMPTION_REASON)[0];
}

function scopeOf(assessment: Resource): string | undefined {
  const [extension] = extensionsOf(assessment, SCOPE);
  return asText(extension?.['valueCode']);
}
