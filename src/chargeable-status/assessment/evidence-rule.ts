// What every write of evidence meets once an assessment cites it: it stays that patient's and of its kind, only the trust that cited it first
// changes it, it is not deleted, and a new end is in the patient's answer in the same transaction (domain.md 1.4.8, 1.6).
import { fail } from '../../fhir/errors.js';
import { asObject, asText, identifierOf, referenceId } from '../../fhir/elements.js';
import type { Resource } from '../../fhir/resource.js';
import type { Write, WriteContext, WriteRule } from '../../store/rule.js';
import { withAssertion, type Assertion } from '../status/assertion.js';
import { BUSINESS_ERROR, NHS_NUMBER } from '../codes.js';
import type { NonePolicy } from '../status/effective-status.js';
import { citationsOf, evidenceType, readEvidence } from './evidence.js';
import { isNhsNumber } from '../../fhir/nhs-number.js';
import { assessmentAssertion } from './ovm-assessment.js';
import { changeAssertions } from '../status/patient-status.js';
import { refuseOtherTrust } from './performers.js';
import { spineError } from '../vm/spine-error.js';
import { assertedOf, statusByNumber } from '../status/status-row.js';

/** An assessment that cites a piece of evidence, as stored, and what it asserts. */
interface Citing {
  readonly assessment: Resource;
  readonly assertion: Assertion;
}

export function createEvidenceRule(nonePolicy: NonePolicy): WriteRule {
  return {
    concerns: ({ type, kind, before, after }) =>
      type === 'Coverage' ? evidenceType(before) !== undefined || evidenceType(after) !== undefined : type === 'DocumentReference' && kind !== 'create',
    complete: ({ type, after }, context) => (type === 'Coverage' && after ? nameBeneficiary(after, context) : Promise.resolve(undefined)),
    async check(write, context) {
      const citing = write.before ? await citingAssessments(write, context) : [];
      if (citing.length > 0) await refuseChange(write, citing, context);
    },
    async after(write, context) {
      const patient = write.before && patientOf(write.before);
      if (patient === undefined || write.type !== 'Coverage') return;
      const changed = await Promise.all((await citingAssessments(write, context)).map((one) => asserted(one, context)));
      if (changed.length > 0) await changeAssertions(patient, (list) => changed.reduce<readonly Assertion[]>(withAssertion, list), context, nonePolicy);
    },
  };
}

/** Evidence may name its patient by the subscriber's NHS number alone, as PDS does: the server adds the reference. */
async function nameBeneficiary(coverage: Resource, { tx }: WriteContext): Promise<Record<string, unknown> | undefined> {
  const { system, value } = identifierOf(asObject(coverage['subscriber'])?.['identifier']);
  if (system !== NHS_NUMBER) return undefined;
  if (value === undefined || !isNhsNumber(value)) throw spineError('INVALID_NHS_NUMBER', 'An NHS number is ten digits without spaces, of which the last is its check digit', { expression: 'Coverage.subscriber.identifier.value', status: 422 });
  const beneficiary = asObject(coverage['beneficiary']);
  if (asText(beneficiary?.['reference']) !== undefined) return undefined;
  const row = await statusByNumber(tx.db, value);
  return row && { beneficiary: { reference: `Patient/${row.patient}`, ...beneficiary } };
}

async function refuseChange({ type, before, after }: Write, citing: readonly Citing[], context: WriteContext): Promise<void> {
  if (!after) throw fail('still-needed', { text: 'An assessment rests on this evidence: withdraw the assessment first, or say in period.end until when it held', expression: type });
  const moved = patientOf(before) !== patientOf(after) ? (type === 'Coverage' ? 'beneficiary' : 'subject') : undefined;
  const member = moved ?? (evidenceType(before) === evidenceType(after) ? undefined : 'type');
  if (member !== undefined) throw forbidden(`${type}.${member}`, `${member} can't be changed while an assessment rests on this: record other evidence`);
  if (after['status'] !== before?.['status']) throw forbidden(`${type}.status`, 'An assessment rests on this: withdraw the assessment first, or say in period.end until when it held');
  const [first] = citing;
  if (first) await refuseOtherTrust(first.assessment, 'change the evidence of its assessment', context);
}

/** Those not withdrawn, in the order they came. The patient is locked first, as whoever changes an assessment does. */
async function citingAssessments({ type, id, before }: Write, { tx }: WriteContext): Promise<Citing[]> {
  const patient = patientOf(before);
  if (patient === undefined || !(await tx.lock('Patient', patient))) return [];
  const assessments = (await assertedOf(tx.db, patient)).filter(({ source, withdrawn }) => source === 'OVM' && withdrawn !== true);
  if (assessments.length === 0) return [];
  const { rows } = await tx.db.query<{ id: string; res: string }>({ ...TEXTS, values: [assessments.map((one) => one.id)] });
  const texts = new Map(rows.map((row) => [row.id, row.res]));
  return assessments
    .map((assertion) => ({ assertion, assessment: JSON.parse(texts.get(assertion.id) ?? '{}') as Resource }))
    .filter(({ assessment }) => citationsOf(assessment).some((cited) => cited.type === type && cited.id === id))
    .sort((one, other) => one.assertion.receivedAt - other.assertion.receivedAt);
}

const TEXTS = { name: 'evidence-assessments', text: 'select id, res from fhir."Observation" where id = any((select $1::text[])::text[]) and res is not null' };

async function asserted({ assessment, assertion }: Citing, context: WriteContext): Promise<Assertion> {
  const { evidence } = await readEvidence(assessment, context);
  return assessmentAssertion(assessment, evidence, assertion.receivedAt);
}

const patientOf = (evidence: Resource | undefined): string | undefined => referenceId(evidence?.[evidence.resourceType === 'Coverage' ? 'beneficiary' : 'subject'], 'Patient');

const forbidden = (expression: string, text: string) =>
  fail('business-rule', { text, expression, coding: { system: BUSINESS_ERROR, code: 'FORBIDDEN_UPDATE', display: 'This may not be changed' } });
