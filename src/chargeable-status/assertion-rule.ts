// What every write of a status assertion meets: a statement of the Home Office or of a feed, or an OVM assessment, marked as such by its code
// and never by its profile. Assertions are added and withdrawn, never rewritten (domain.md rulings 2, 5, 6, 15).
import { fail } from '../fhir/errors.js';
import type { Issue } from '../fhir/issue.js';
import type { Resource } from '../fhir/resource.js';
import type { Write, WriteContext, WriteRule } from '../store/rule.js';
import { withAssertion } from './status/assertion.js';
import { assessmentProvenance } from './assessment/assessment-provenance.js';
import { BUSINESS_ERROR, NHS_NUMBER, SPINE_R4_ERROR, STATUS_ASSERTION, VM_CODE, VM_OBSERVATION_ID, extensionUrl } from './codes.js';
import { asObject, asObjects, codesOf, identifierOf, referenceId } from '../fhir/elements.js';
import { readEvidence, unseenFaults } from './assessment/evidence.js';
import { fault, refuse } from '../fhir/faults.js';
import type { NonePolicy } from './status/effective-status.js';
import { isNhsNumber } from '../fhir/nhs-number.js';
import { assessmentAssertion, assessmentFaults, groundsFaults } from './assessment/ovm-assessment.js';
import { changeAssertions } from './status/patient-status.js';
import { refuseOtherTrust } from './assessment/performers.js';
import { changedMembers } from './feed/statement.js';
import { applyStatement, checkNewStatement, keepConflict, sourceFor, type StatementMark } from './feed/statement-rule.js';
import { statusByNumber } from './status/status-row.js';

type Kind = StatementMark | 'ovm-assessment';

/** Who may make which assertion: its source is the caller, not what the resource says. */
const AUTHORS: Readonly<Record<Kind, readonly string[]>> = {
  'ho-status': ['home-office', 'admin'],
  'feed-status': ['feed', 'admin'],
  'ovm-assessment': ['ovm', 'admin'],
};

/** Roles that write and read nothing. */
const BLIND: ReadonlySet<string> = new Set(['home-office', 'feed']);

/** What an assessment's author may change (ruling 6); of the extensions, these two. */
const FREE_MEMBERS = new Set(['id', 'meta', 'text', 'status', 'note', 'extension']);
const FREE_EXTENSIONS = new Set([extensionUrl('evidence'), extensionUrl('valid-until')]);

export function createAssertionRule(nonePolicy: NonePolicy): WriteRule {
  return {
    concerns: (write) =>
      write.type === 'Observation' && (write.id.startsWith(VM_OBSERVATION_ID) || isMarked(write.before) || isMarked(write.after)),
    complete: async (write, context) => (write.after && kindOf(write.after) === 'ovm-assessment' ? nameSubject(write.after, context) : undefined),
    async check(write, context) {
      const { before, after } = write;
      if (write.id.startsWith(VM_OBSERVATION_ID) || isAnswer(before) || isAnswer(after)) throw ofTheServer();
      const kind = after && kindOf(after);
      if (after && kind === 'ovm-assessment') refuse(await unseenFaults(after, context));
      if (before && isMarked(before)) await checkChange(before, after, kind, write, context);
      else if (after && kind) await checkNew(after, kind, context);
      else refuse([fault('code-invalid', `The code is one of ho-status, feed-status and ovm-assessment of ${STATUS_ASSERTION}`, 'Observation.code')]);
    },
    async matched(write, existing, context) {
      const kind = kindOf(existing);
      if (kind !== undefined && kind !== 'ovm-assessment') await keepConflict(write, existing, kind, context);
    },
    aboutInAfter: true,
    async after(write, context) {
      if (!write.after) return;
      const kind = kindOf(write.after);
      if (kind === undefined || kind === 'ovm-assessment') await applyAssessment(write, write.after, context, nonePolicy);
      else await applyStatement(write, write.after, kind, context, nonePolicy);
    },
  };
}

async function checkNew(after: Resource, kind: Kind, context: WriteContext): Promise<void> {
  refuseOtherRole(kind, context);
  if (kind === 'ovm-assessment') {
    refuse([...assessmentFaults(after, context.now), ...subjectFaults(after), ...newFaults(after)]);
    if (context.caller.organization !== undefined) await refuseOtherTrust(after, 'record this assessment', context);
    return;
  }
  await checkNewStatement(after, kind, context);
}

async function checkChange(before: Resource, after: Resource | undefined, kind: Kind | undefined, write: Write, context: WriteContext): Promise<void> {
  if (!after) throw fail('business-rule', { text: 'A status assertion is never deleted: withdraw it with status entered-in-error', expression: 'Observation' });
  if (kind === undefined || kind !== kindOf(before)) throw forbidden('Observation.code', 'The code of a status assertion can\'t be changed');
  refuseOtherRole(kind, context);
  if (kind === 'ovm-assessment') await refuseOtherTrust(before, 'change this assessment', context);
  else await sourceFor(before, kind, context);
  // A feed can't read what it sent, so it has no version to name.
  const seen = write.ifMatch !== undefined && write.ifMatch !== '*';
  if (!seen && !BLIND.has(context.caller.role)) throw fail('if-match-required', { coding: { system: SPINE_R4_ERROR, code: 'PRECONDITION_FAILED' } });
  if (before['status'] === 'entered-in-error' && after['status'] !== 'entered-in-error') throw forbidden('Observation.status', 'What was withdrawn stays withdrawn: add a new assertion');
  const [member] = kind === 'ovm-assessment' ? changedInAssessment(before, after) : changedMembers(before, after);
  if (member !== undefined) throw forbidden(`Observation.${member}`, `${member} can't be changed: add a new assertion with derivedFrom, or withdraw this one with status entered-in-error`);
  if (kind === 'ovm-assessment') refuse(assessmentFaults(after, context.now));
  else if (after['status'] !== 'entered-in-error' && after['status'] !== before['status']) throw forbidden('Observation.status', 'A statement is withdrawn with entered-in-error; nothing else can be changed');
}

async function applyAssessment(write: Write, assessment: Resource, context: WriteContext, nonePolicy: NonePolicy): Promise<void> {
  const patient = referenceId(assessment['subject'], 'Patient') ?? '';
  const { evidence, faults } = await readEvidence(assessment, context);
  const withdrawn = assessment['status'] === 'entered-in-error';
  if (!withdrawn) refuse([...faults, ...groundsFaults(assessment, patient, evidence)]);
  const isThere = await changeAssertions(
    patient,
    (list) => {
      const received = list.find((one) => one.id === write.id)?.receivedAt ?? context.now;
      return withAssertion(list, assessmentAssertion(assessment, evidence, received));
    },
    context,
    nonePolicy,
  );
  if (!isThere && !withdrawn) throw fail('reference-not-found', { text: 'There is no such Patient', expression: 'Observation.subject' });
  await context.add(assessmentProvenance(write, context));
}

/** An assessment may name its patient by NHS number alone: the server adds the reference. */
async function nameSubject(assessment: Resource, context: WriteContext): Promise<Record<string, unknown> | undefined> {
  const subject = asObject(assessment['subject']);
  const { system, value } = identifierOf(subject?.['identifier']);
  if (!subject || subject['reference'] !== undefined || system !== NHS_NUMBER || value === undefined || !isNhsNumber(value)) return undefined;
  const row = await statusByNumber(context.tx.db, value);
  return row && { subject: { reference: `Patient/${row.patient}`, ...subject } };
}

function subjectFaults(assessment: Resource): Issue[] {
  if (referenceId(assessment['subject'], 'Patient') !== undefined) return [];
  const named = identifierOf(asObject(assessment['subject'])?.['identifier']).system === NHS_NUMBER;
  return named
    ? [fault('reference-not-found', 'No patient holds this NHS number', 'Observation.subject')]
    : [fault('required', 'Say whom this is about: subject, a reference to a Patient', 'Observation.subject')];
}

function newFaults(assessment: Resource): Issue[] {
  return assessment['status'] === 'entered-in-error' ? [fault('business-rule', 'A new assessment has status final', 'Observation.status')] : [];
}

function changedInAssessment(before: Resource, after: Resource): string[] {
  const members = changedMembers(before, after, FREE_MEMBERS);
  return changedMembers(fixedExtensions(before), fixedExtensions(after), new Set()).length > 0 ? [...members, 'extension'] : members;
}

const fixedExtensions = (assessment: Resource): Resource => ({
  resourceType: 'Observation',
  extension: asObjects(assessment['extension']).filter(({ url }) => typeof url !== 'string' || !FREE_EXTENSIONS.has(url)),
});

function refuseOtherRole(kind: Kind, { caller }: WriteContext): void {
  if (AUTHORS[kind].includes(caller.role)) return;
  throw fail('forbidden', { text: `The role ${caller.role} can't make assertions of kind ${kind}` });
}

const forbidden = (expression: string, text: string) =>
  fail('business-rule', { text, expression, coding: { system: BUSINESS_ERROR, code: 'FORBIDDEN_UPDATE', display: 'This may not be changed' } });

const ofTheServer = () =>
  fail('business-rule', { text: `The status observation (${VM_CODE}|0001) is made by the server alone: record an assessment with code ${STATUS_ASSERTION}|ovm-assessment`, expression: 'Observation.code' });

const isAnswer = (observation: Resource | undefined): boolean => hasCodeOf(observation, VM_CODE);

const isMarked = (observation: Resource | undefined): boolean => hasCodeOf(observation, STATUS_ASSERTION) || isAnswer(observation);

/** Asked of every Observation that is written, so it makes no lists. */
function hasCodeOf(observation: Resource | undefined, system: string): boolean {
  const codings = asObject(observation?.['code'])?.['coding'];
  return Array.isArray(codings) && codings.some((coding) => asObject(coding)?.['system'] === system);
}

/** Undefined for what is marked as a status assertion, but as no single kind of it. */
function kindOf(observation: Resource): Kind | undefined {
  const codes = codesOf(observation['code'], STATUS_ASSERTION);
  const [only] = codes;
  return codes.length === 1 && (only === 'ho-status' || only === 'feed-status' || only === 'ovm-assessment') ? only : undefined;
}
