// Account/$accept-nomination, $approve-nomination and $end-nomination: what becomes of somebody who was nominated (domain.md 2.1 E1 AC2,
// section 4, ruling 24).
import { patientOf } from '../../budgets/account/account.js';
import { heldPerson, isParentalRepresentative, lastDayAsChild, representativeFaults } from '../../budgets/account/capacity.js';
import { endedPeriod, nomineeFaults, periodFaults, type NominationState } from '../../budgets/account/nomination.js';
import { asText } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import { refuse } from '../../fhir/faults.js';
import type { Issue } from '../../fhir/issue.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import { serverGrant } from '../../search/grant.js';
import { act, type Inside } from '../act.js';
import { AT, readInput, type Input, type InputNames } from '../input.js';
import { limitOf } from './nominate.js';
import { changeNomination, nominatedAt, ownParty, requireOpen, type Nominated, type Step } from './nomination-act.js';
import { actOn, type Operation } from '../operation.js';

type Validate = (resource: Resource) => readonly Issue[];

interface Settling {
  readonly code: string;
  readonly names: InputNames;
  /** In which states a nomination is meant where the party is not named. */
  readonly from: readonly string[];
  /** What becomes of it; throws 422 where it can't. */
  settle(nominated: Nominated, input: Input, inside: Inside): Promise<Step['change']> | Step['change'];
}

const accept: Settling = {
  code: 'accept-nomination',
  names: { party: 'Reference' },
  from: ['proposed'],
  settle({ account, nomination: { state } }) {
    requireOpen(account);
    if (state !== 'proposed') throw fail('business-rule', { text: `The nomination is ${state} already`, expression: AT });
    return { state: 'accepted' };
  },
};

const approve: Settling = {
  code: 'approve-nomination',
  names: { party: 'Reference', period: 'Period', maxPerPurchase: 'Money', reason: 'text' },
  from: ['accepted'],
  async settle({ account, nomination }, input, inside) {
    requireOpen(account);
    const { state, party = '', start, end } = nomination;
    if (state !== 'accepted') throw fail('business-rule', { text: state === 'proposed' ? `${party} has not accepted the nomination: that is Account/$accept-nomination` : 'The nomination is approved already', expression: AT });
    const period = input.value('period');
    const person = await personOf(party, inside);
    const patient = await heldPerson('Patient', patientOf(account.resource), inside);
    const sent = period ?? { ...(start !== undefined && { start }), ...(end !== undefined && { end }) };
    refuse([
      ...periodFaults(sent, inside.now, AT), ...nomineeFaults(person, patientOf(account.resource) ?? '', inside.now, AT), ...representativeFaults(nomination.role, person, patient, inside.now, AT),
    ]);
    if (party === `PractitionerRole/${inside.grant.caller.practitionerRole}`) throw fail('forbidden', { text: 'Nobody approves the nomination of themselves: ask a colleague' });
    const last = isParentalRepresentative(nomination.role, person) ? lastDayAsChild(patient) : undefined;
    const whole = { ...(start !== undefined && { start }), ...sent };
    return { state: 'approved', period: last === undefined ? period && whole : endingBy(whole, last), maxPerPurchase: limitOf(input) };
  },
};

const end: Settling = {
  code: 'end-nomination',
  names: { party: 'Reference', reason: 'text' },
  from: ['proposed', 'accepted', 'approved'],
  settle: ({ nomination }, _input, inside) => ({ state: endOf(nomination.state, inside), period: endedPeriod(nomination, inside.now) }),
};

/** A nominee who does not accept rejects it, and so does whoever does not approve; the patient takes a nomination back. */
function endOf(state: string | undefined, inside: Inside): NominationState {
  if (state === 'approved' || inside.grant.caller.role === 'patient') return 'ended';
  return state === 'accepted' && ownParty(inside) !== undefined ? 'ended' : 'rejected';
}

/** A parent's access ends by itself when the child may decide (domain.md 6.10). */
function endingBy(period: JsonObject, last: string): JsonObject {
  const end = asText(period['end']);
  return { ...period, end: end !== undefined && end < last ? end : last };
}

/** The approver may not see the nominee's own record: it is judged all the same. */
async function personOf(party: string, { tx }: Inside): Promise<Resource> {
  const [type = '', id = ''] = party.split('/');
  const found = await tx.read(serverGrant(), type, id);
  if (found?.text == null) throw fail('reference-not-found', { text: `${party} was deleted: nominate somebody else`, expression: AT });
  return JSON.parse(found.text) as Resource;
}

function createSettling({ code, names, from, settle }: Settling, validate: Validate): Operation {
  return actOn('Account', code, (request, context) => {
    const input = readInput(request, names, validate);
    return act(code, context, async (inside) => {
      const nominated = await nominatedAt(request, input.reference('party'), from, inside);
      const change = await settle(nominated, input, inside);
      return changeNomination(request, nominated, { code, reason: names['reason'] === undefined ? undefined : input.text('reason'), change }, inside);
    });
  });
}

export const createNominationOperations = ({ validate }: { readonly validate: Validate }): readonly Operation[] => [accept, approve, end].map((one) => createSettling(one, validate));
