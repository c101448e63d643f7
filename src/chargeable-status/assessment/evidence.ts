// Evidence of entitlement: the Coverages an assessment cites, and until when they bear it (domain.md 1.4.8, 1.6).
import type { Issue } from '../../fhir/issue.js';
import type { Resource } from '../../fhir/resource.js';
import type { WriteContext } from '../../store/rule.js';
import { decidedOn, validUntilOf } from '../status/assertion-date.js';
import type { Category } from '../status/category.js';
import { EU_EVIDENCE_TYPE, EVIDENCE_TYPE, extensionUrl } from '../codes.js';
import { asObject, asText, codingsOf, extensionsOf, referenceId } from '../../fhir/elements.js';
import { fault } from '../../fhir/faults.js';
import { endOfDay, lastDayOf } from '../status/decision.js';

const EVIDENCE = extensionUrl('evidence');

/** One cited piece: a Coverage has a type and may have an end. */
export interface Evidence {
  /** Code of evidence-type; undefined for a document, and for a Coverage that is no evidence. */
  readonly type: string | undefined;
  readonly kind: 'Coverage' | 'DocumentReference';
  /** Coverage.period.end as a day. */
  readonly end: string | undefined;
  /** The patient it is about; of a document its subject. */
  readonly beneficiary: string | undefined;
  /** A Coverage or document that was cancelled or entered in error proves nothing. */
  readonly stands: boolean;
  /** Place in the assessment, for errors. */
  readonly expression: string;
}

/** Which kinds an answer of N rests on: without them it does not hold. A card says nothing for D or F. */
const NEEDED: Readonly<Partial<Record<Category, ReadonlySet<string>>>> = {
  A: new Set(['EHIC', 'PRC', 'S2', 'VISA', 'IHS']),
  B: new Set(['VISA', 'IHS']),
  C: new Set(['EHIC', 'PRC', 'S2']),
  E: new Set(['EHIC', 'PRC', 'S2', 'VISA', 'IHS']),
};

/** The UK's own card is used abroad and proves nothing of an overseas visitor (domain.md section 5). */
export const proves = (evidence: Evidence): boolean => evidence.type !== 'GHIC-UK';

/**
 * Reads what is cited, within the caller's Grant; faults for what is not there. Each piece stays as it is until the end of the transaction:
 * whoever changes it meanwhile comes after, and works the answer out again.
 */
export async function readEvidence(assessment: Resource, context: Pick<WriteContext, 'tx' | 'grant'>): Promise<{ evidence: Evidence[]; faults: Issue[] }> {
  const evidence: Evidence[] = [];
  const faults: Issue[] = [];
  for (const { type, id, expression } of citationsOf(assessment)) {
    if (id !== undefined && type === 'Coverage') await context.tx.lock(type, id);
    const stored = id === undefined ? undefined : await context.tx.read(context.grant, type, id);
    if (stored?.text != null) evidence.push(evidenceOf(JSON.parse(stored.text) as Resource, expression));
    else faults.push(noEvidence(expression));
  }
  return { evidence, faults };
}

/**
 * Documents that are cited and that the caller does not see. Asked before the assessment is stored: once it is, what it cites is seen by all
 * who see it, so that nobody may come to see a document by citing it.
 */
export async function unseenFaults(assessment: Resource, { tx, grant }: Pick<WriteContext, 'tx' | 'grant'>): Promise<Issue[]> {
  const faults: Issue[] = [];
  for (const { type, id, expression } of citationsOf(assessment)) {
    if (type === 'DocumentReference' && id !== undefined && !(await tx.read(grant, type, id))) faults.push(noEvidence(expression));
  }
  return faults;
}

const noEvidence = (expression: string): Issue => fault('reference-not-found', 'Evidence is a reference to a Coverage or DocumentReference that this server holds', expression);

/** What an assessment cites; without id where it is no reference to this server's. */
export function citationsOf(assessment: Resource): { type: 'Coverage' | 'DocumentReference'; id: string | undefined; expression: string }[] {
  return extensionsOf(assessment, EVIDENCE).map((extension, index) => {
    const reference = extension['valueReference'];
    const type = referenceId(reference, 'Coverage') !== undefined ? 'Coverage' : 'DocumentReference';
    return { type, id: referenceId(reference, type), expression: `Observation.extension('${EVIDENCE}')[${index}].value` };
  });
}

/** Is the evidence this patient's, and was it good when the assessment was made? */
export function evidenceFaults(assessment: Resource, patient: string, category: Category, evidence: readonly Evidence[]): Issue[] {
  const { at } = decidedOn(assessment);
  return evidence.flatMap((one) => {
    if (one.kind === 'Coverage' && one.type === undefined) return [fault('code-invalid', `Evidence has a type of ${EVIDENCE_TYPE}`, one.expression)];
    if (one.beneficiary === undefined) return [fault('required', `Say whose this evidence is: ${one.kind === 'Coverage' ? 'beneficiary' : 'subject'}, a reference to the Patient`, one.expression)];
    if (one.beneficiary !== patient) return [fault('business-rule', 'This evidence is another patient\'s', one.expression)];
    if (!one.stands) return [fault('business-rule', 'This evidence was withdrawn: it proves nothing', one.expression)];
    if (!bears(category, one) || one.end === undefined || (endOfDay(one.end) ?? Infinity) > at) return [];
    return [fault('business-rule', `This ${one.type ?? 'evidence'} had expired when the assessment was made`, one.expression)];
  });
}

/** The last day on which the assessment holds: as its author says, but not beyond all it rests on; else the earliest end of that. */
export function lastDay(assessment: Resource, category: Category, evidence: readonly Evidence[]): string | undefined {
  const ends = neededEnds(category, evidence);
  const given = validUntilOf(assessment);
  const last = ends.at(-1);
  if (given === undefined) return ends[0];
  return last !== undefined && last < given ? last : given;
}

/** An author may choose among the evidence, but not outlast all of it. */
export function validUntilFaults(assessment: Resource, category: Category, evidence: readonly Evidence[]): Issue[] {
  const given = validUntilOf(assessment);
  const last = neededEnds(category, evidence).at(-1);
  if (given === undefined || last === undefined || given <= last) return [];
  return [fault('business-rule', `valid-until lies after the end of all the evidence (${last})`, `Observation.extension('${extensionUrl('valid-until')}')`)];
}

const bears = (category: Category, evidence: Evidence): boolean => evidence.type !== undefined && NEEDED[category]?.has(evidence.type) === true;

const neededEnds = (category: Category, evidence: readonly Evidence[]): string[] =>
  evidence.flatMap((one) => (bears(category, one) && one.end !== undefined ? [one.end] : [])).sort();

function evidenceOf(resource: Resource, expression: string): Evidence {
  const kind = resource.resourceType === 'Coverage' ? 'Coverage' : 'DocumentReference';
  const end = asText(asObject(resource['period'])?.['end']);
  return {
    type: evidenceType(resource),
    kind,
    end: end === undefined ? undefined : lastDayOf(end),
    beneficiary: referenceId(resource[kind === 'Coverage' ? 'beneficiary' : 'subject'], 'Patient'),
    stands: resource['status'] === (kind === 'Coverage' ? 'active' : 'current'),
    expression,
  };
}

/** Code of evidence-type, or of the European system that PDS uses for an EHIC; undefined where this is no evidence. */
export function evidenceType(coverage: Resource | undefined): string | undefined {
  return codingsOf(coverage?.['type']).find(({ system, code }) => system === EVIDENCE_TYPE || (system === EU_EVIDENCE_TYPE && code === 'EHIC'))?.code;
}
