// What every write of a decision on eligibility meets: an Observation whose code is a basis (domain.md rulings 17, 58, 60). The latest decision of
// each patient and basis is kept where questions about many patients find it.
import { dateRange } from '../../fhir/date-time.js';
import { asObjects, asText, codesOf, referenceId } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import type { Resource } from '../../fhir/resource.js';
import type { WriteContext, WriteRule } from '../../store/rule.js';
import type { Definitions } from '../../definitions/model.js';
import { BASE, businessError } from '../codes.js';
import { referred } from '../referred.js';
import { referring } from '../referring.js';

export const ELIGIBILITY_BASIS = `${BASE}/CodeSystem/eligibility-basis`;
const ELIGIBILITY_DECISION = `${BASE}/CodeSystem/eligibility-decision`;

const basisOf = (observation: Resource | undefined): string | undefined => codesOf(observation?.['code'], ELIGIBILITY_BASIS)[0];
const patientOfDecision = (observation: Resource | undefined): string | undefined => referenceId(observation?.['subject'], 'Patient');

export function createDecisionRule(definitions: Definitions): WriteRule {
  return {
    concerns: ({ type, before, after }) => type === 'Observation' && (basisOf(before) !== undefined || basisOf(after) !== undefined),
    async check({ before, after }, context) {
      if (before && after && basisOf(before) !== undefined) refuseOther(before, after);
      if (after) await checkDecision(after, context);
    },
    async after({ before, after }, context) {
      for (const patient of new Set([patientOfDecision(before), patientOfDecision(after)])) if (patient !== undefined) await keepLatest(definitions, patient, context);
    },
  };
}

/** A decision is taken back by entered-in-error; another decision is another Observation. */
function refuseOther(before: Resource, after: Resource): void {
  for (const member of ['code', 'subject', 'valueCodeableConcept', 'effectiveDateTime']) {
    if (JSON.stringify(before[member]) === JSON.stringify(after[member])) continue;
    throw fail('business-rule', { text: 'A decision stays as it was made: set it to entered-in-error, and record another', expression: `Observation.${member}`, coding: businessError('FORBIDDEN_UPDATE') });
  }
}

async function checkDecision(observation: Resource, context: WriteContext): Promise<void> {
  const decided = dateRange(asText(observation['effectiveDateTime']) ?? '', 'Europe/London');
  if (decided && decided.lo > context.now) throw fail('business-rule', { text: 'The decision lies in the future: effectiveDateTime is today or before', expression: 'Observation.effectiveDateTime' });
  const patient = patientOfDecision(observation);
  if (patient !== undefined) await referred(`Patient/${patient}`, ['Patient'], 'Observation.subject', context);
  if (asObjects(observation['performer']).length === 0) throw fail('required', { text: 'A decision says who made it: name the organisation in performer', expression: 'Observation.performer' });
}

interface Decision {
  readonly observation: string;
  readonly basis: string;
  readonly eligible: boolean;
  readonly decided: number;
}

/** From the resources themselves, so that it is right whatever was changed and in whatever order it came. */
async function keepLatest(definitions: Definitions, patient: string, { tx }: WriteContext): Promise<void> {
  const latest = new Map<string, Decision>();
  for (const decision of await decisionsOf(definitions, patient, tx)) {
    const known = latest.get(decision.basis);
    if (!known || decision.decided > known.decided || (decision.decided === known.decided && decision.observation > known.observation)) latest.set(decision.basis, decision);
  }
  const rows = [...latest.values()];
  await tx.db.query({
    name: 'keep-decisions',
    text: `with kept as (
        insert into fhir.eligibility_decision (patient, basis, observation, eligible, decided)
        select $1, d.* from unnest($2::text[], $3::text[], $4::boolean[], $5::bigint[]) d
        on conflict (patient, basis) do update set observation = excluded.observation, eligible = excluded.eligible, decided = excluded.decided)
      delete from fhir.eligibility_decision where patient = $1 and basis <> all ($2::text[])`,
    values: [patient, rows.map(({ basis }) => basis), rows.map(({ observation }) => observation), rows.map(({ eligible }) => eligible), rows.map(({ decided }) => decided)],
  });
}

async function decisionsOf(definitions: Definitions, patient: string, reader: WriteContext['tx']): Promise<Decision[]> {
  const found = await referring('Observation', [['subject', `Patient/${patient}`], ['code', `${ELIGIBILITY_BASIS}|`]], { definitions, reader });
  return found.flatMap(decisionOf);
}

function decisionOf(observation: Resource): Decision[] {
  const basis = basisOf(observation);
  const decided = dateRange(asText(observation['effectiveDateTime']) ?? '', 'Europe/London')?.lo;
  const [value] = codesOf(observation['valueCodeableConcept'], ELIGIBILITY_DECISION);
  const stands = ['final', 'amended', 'corrected'].includes(asText(observation['status']) ?? '');
  return basis === undefined || decided === undefined || !stands ? [] : [{ observation: observation.id ?? '', basis, eligible: value === 'eligible', decided }];
}
