// Evidence of entitlement: the Coverages an assessment cites, and until when they bear it (domain.md 1.4.8, 1.6).
import type { Issue } from '../fhir/issue.js';
import type { Resource } from '../fhir/resource.js';
import type { WriteContext } from '../store/rule.js';
import { decidedOn, validUntilOf } from './assertion-date.js';
import type { Category } from './category.js';
import { EU_EVIDENCE_TYPE, EVIDENCE_TYPE, extensionUrl } from './codes.js';
import { asObject, asText, codingsOf, extensionsOf, referenceId } from '../fhir/elements.js';
import { fault } from '../fhir/faults.js';
import { endOfDay, lastDayOf } from './decision.js';

const EVIDENCE = extensionUrl('evidence');

/** One cited piece: a Coverage has a type and may have an end. */
export interface Evidence {
  /** Code of evidence-type; undefined for a document. */
  readonly type: string | undefined;
  /** Coverage.period.end as a day. */
  readonly end: string | undefined;
  readonly beneficiary: string | undefined;
  /** Place in the assessment, for errors. */
  readonly expression: string;
}

/** Cards and visas end; these must say when. */
const ENDING = new Set(['EHIC', 'PRC', 'S2', 'VISA']);

/** Which kinds an answer of N rests on: without them it does not hold. A card says nothing for D or F. */
const NEEDED: Readonly<Partial<Record<Category, ReadonlySet<string>>>> = {
  A: new Set(['EHIC', 'PRC', 'S2', 'VISA', 'IHS']),
  B: new Set(['VISA', 'IHS']),
  C: new Set(['EHIC', 'PRC', 'S2']),
  E: new Set(['EHIC', 'PRC', 'S2', 'VISA', 'IHS']),
};

/** The UK's own card is used abroad and proves nothing of an overseas visitor (domain.md section 5). */
export const proves = (evidence: Evidence): boolean => evidence.type !== 'GHIC-UK';

/** Reads what is cited, within the caller's Grant; faults for what is not there. */
export async function readEvidence(assessment: Resource, context: Pick<WriteContext, 'tx' | 'grant'>): Promise<{ evidence: Evidence[]; faults: Issue[] }> {
  const evidence: Evidence[] = [];
  const faults: Issue[] = [];
  for (const [index, extension] of extensionsOf(assessment, EVIDENCE).entries()) {
    const expression = `Observation.extension('${EVIDENCE}')[${index}].value`;
    const reference = extension['valueReference'];
    const type = referenceId(reference, 'Coverage') !== undefined ? 'Coverage' : 'DocumentReference';
    const id = referenceId(reference, type);
    const stored = id === undefined ? undefined : await context.tx.read(context.grant, type, id);
    if (stored?.text != null) evidence.push(evidenceOf(JSON.parse(stored.text) as Resource, expression));
    else faults.push(fault('reference-not-found', 'Evidence is a reference to a Coverage or DocumentReference that this server holds', expression));
  }
  return { evidence, faults };
}

/** Is the evidence this patient's, and was it good when the assessment was made? */
export function evidenceFaults(assessment: Resource, patient: string, category: Category, evidence: readonly Evidence[]): Issue[] {
  const { at } = decidedOn(assessment);
  return evidence.flatMap((one) => {
    if (one.beneficiary !== undefined && one.beneficiary !== patient) return [fault('business-rule', 'This evidence is another patient\'s', one.expression)];
    if (one.type !== undefined && ENDING.has(one.type) && one.end === undefined)
      return [fault('required', `Evidence of type ${one.type} needs period.end, its last day`, one.expression)];
    if (!bears(category, one) || one.end === undefined || (endOfDay(one.end) ?? Infinity) > at) return [];
    return [fault('business-rule', `This ${one.type ?? 'evidence'} had expired when the assessment was made`, one.expression)];
  });
}

/** The last day on which the assessment holds: as its author says, else the earliest end of what it rests on. */
export function lastDay(assessment: Resource, category: Category, evidence: readonly Evidence[]): string | undefined {
  const ends = neededEnds(category, evidence);
  return validUntilOf(assessment) ?? ends[0];
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
  const coding = codingsOf(resource['type']).find(({ system }) => system === EVIDENCE_TYPE || system === EU_EVIDENCE_TYPE);
  const end = asText(asObject(resource['period'])?.['end']);
  return { type: coding?.code, end: end === undefined ? undefined : lastDayOf(end), beneficiary: referenceId(resource['beneficiary'], 'Patient'), expression };
}
