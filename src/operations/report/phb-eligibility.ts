// Patient/[id]/$phb-eligibility: may this patient have a budget, on what basis, and what is missing (domain.md 3.6, C32E6). Decided from
// what organisations decided and the criteria asked for; a chargeable status is never looked at.
import { decisionsFor, judged, type Decided, type Judging } from '../../budgets/criteria/candidates.js';
import { criteriaOf, type Criterion } from '../../budgets/criteria/criteria.js';
import { eligibilityFaults } from '../../budgets/account/eligibility.js';
import { instantText } from '../../fhir/date-time.js';
import { asText } from '../../fhir/elements.js';
import { londonDate } from '../../fhir/london.js';
import type { Resource } from '../../fhir/resource.js';
import { storedCriteria, type CandidatesParts } from './candidates.js';
import { readInput } from '../input.js';
import { viewOf, type Operation } from '../operation.js';
import { output, parametersResponse } from '../output.js';
import { present } from '../present.js';

export function createEligibilityOperation({ definitions, validate }: CandidatesParts): Operation {
  return viewOf('Patient', 'phb-eligibility', async (request, context) => {
    const { id = '' } = request;
    const reference = readInput(request, { criteria: 'Reference' }, validate).reference('criteria');
    const patient = await present('Patient', id, context);
    const judging = { db: context.db, definitions, now: context.now };
    const decision = standing(await decisionsFor(id, judging), patient, context.now);
    const criteria = reference === undefined ? undefined : criteriaOf(await storedCriteria(reference, context), definitions);
    const unmet = criteria ? await unmetOf(criteria, id, judging) : decision.unmet;
    return parametersResponse([
      output('eligible', 'valueBoolean', unmet.length === 0),
      ...(decision.basis === undefined ? [] : [output('basis', 'valueCode', decision.basis)]),
      ...unmet.map((words) => output('unmet', 'valueString', words)),
      output('asOf', 'valueDateTime', instantText(context.now)),
    ]);
  });
}

/** Only what must be met: a weight ranks. */
async function unmetOf(criteria: readonly Criterion[], patient: string, judging: Judging): Promise<readonly string[]> {
  const required = criteria.filter(({ weight }) => weight === undefined);
  const met = await judged(required, patient, judging);
  return required.flatMap(({ words }, index) => (met[index] ? [] : [words]));
}

/** The first basis on which the patient may have a budget today; without one, what stands against each decision. */
function standing(decisions: readonly Decided[], patient: Resource, now: number): { basis?: string; unmet: readonly string[] } {
  const unmet: string[] = [];
  for (const { basis, eligible } of decisions) {
    const decided = { basis, decidedBy: 'Organization', decidedOn: londonDate(now), exceptional: true };
    const faults = eligible ? eligibilityFaults(decided, { birthDate: asText(patient['birthDate']), at: now, now, byOwner: true }) : undefined;
    if (faults?.length === 0) return { basis, unmet: [] };
    unmet.push(...(faults ? faults.map(({ text }) => text) : [`decision ${basis}: not eligible`]));
  }
  return { unmet: unmet.length > 0 ? unmet : ['No organisation has decided that this patient may have a budget'] };
}
