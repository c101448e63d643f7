// Account/$nominate: the patient proposes who shall manage the budget (domain.md 2.1 E1 AC2, 3.6).
import { patientOf } from '../../budgets/account/account.js';
import { heldPerson, representativeFaults } from '../../budgets/account/capacity.js';
import { liveNominations, nominationExtension, nomineeFaults, periodFaults } from '../../budgets/account/nomination.js';
import { referred } from '../../budgets/referred.js';
import { asText } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import { refuse } from '../../fhir/faults.js';
import type { Issue } from '../../fhir/issue.js';
import { londonDate } from '../../fhir/london.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import { writeAll } from '../../interactions/write.js';
import { writtenResponse } from '../../interactions/written-response.js';
import { act, added, type Inside } from '../act.js';
import { budgetAt, seenBy, writeBudget } from './budget-act.js';
import { AT, readInput, type Input, type InputNames } from '../input.js';
import { actOn, type Operation } from '../operation.js';

const NAMES: InputNames = { party: 'Reference or RelatedPerson', role: 'text', period: 'Period', maxPerPurchase: 'Money', reason: 'text' };
const TYPES = ['RelatedPerson', 'Organization', 'PractitionerRole'];

export function createNominateOperation({ validate }: { readonly validate: (resource: Resource) => readonly Issue[] }): Operation {
  return actOn('Account', 'nominate', (request, context) => {
    const input = readInput(request, NAMES, validate);
    if (!input.has('party')) throw fail('required', { text: '$nominate needs party: a reference to the nominee, or the nominee as a RelatedPerson', expression: AT });
    const wanted = { role: input.text('role') ?? 'nominee', state: 'proposed', period: periodOf(input, context.now), maxPerPurchase: limitOf(input) } as const;
    return act('nominate', context, async (inside) => {
      const { account } = await budgetAt(request, ['active', 'on-hold'], inside);
      const party = await partyOf(input.value('party') ?? {}, wanted.role, patientOf(account.resource) ?? '', inside);
      const [known] = liveNominations(account.resource, party);
      if (known) throw fail('business-rule', { text: `${party} is nominated already, and ${known.state}: end that with Account/$end-nomination first`, expression: AT });
      const extension = [...(account.resource['extension'] as readonly unknown[]), nominationExtension({ ...wanted, party })];
      const { written } = await writeBudget(account, { extension }, { activity: 'nominate', reason: input.text('reason') }, inside);
      return writtenResponse(written, request, inside);
    });
  });
}

/** From today on where none is sent; throws 422 where it is over. */
function periodOf(input: Input, now: number): JsonObject {
  const sent = input.value('period');
  refuse(sent ? periodFaults(sent, now, AT) : []);
  return sent?.['start'] === undefined ? { start: londonDate(now), ...sent } : sent;
}

/** Pence; throws 422 where it is no amount above zero. */
export function limitOf(input: Input): bigint | undefined {
  const limit = input.pence('maxPerPurchase');
  if (limit !== undefined && limit <= 0n) throw fail('business-rule', { text: 'maxPerPurchase is above zero', expression: AT });
  return limit;
}

/** `RelatedPerson/1`: somebody who is held already, or is stored now. */
async function partyOf(party: JsonObject, role: string, patient: string, inside: Inside): Promise<string> {
  if (party['resourceType'] !== undefined) return newPerson(party, role, patient, inside);
  const reference = asText(party['reference']) ?? '';
  if (reference.startsWith('Patient/')) throw fail('business-rule', { text: 'A patient is no nominee: name a RelatedPerson, an Organization or a PractitionerRole', expression: AT });
  const found = await referred(reference, TYPES, AT, seenBy(inside));
  await checkParty(found, role, patient, inside);
  return reference;
}

async function newPerson(sent: JsonObject, role: string, patient: string, inside: Inside): Promise<string> {
  const id = inside.parts.newId();
  const person: Resource = { active: true, patient: { reference: `Patient/${patient}` }, period: { start: londonDate(inside.now) }, ...sent, resourceType: 'RelatedPerson', id };
  await checkParty(person, role, patient, inside);
  await writeAll([added(person, id)], inside);
  return `RelatedPerson/${id}`;
}

async function checkParty(party: Resource, role: string, patient: string, inside: Inside): Promise<void> {
  refuse([...nomineeFaults(party, patient, inside.now, AT), ...representativeFaults(role, party, await heldPerson('Patient', patient, inside), inside.now, AT)]);
}
