// What the operations on a nomination have in common: whose it is, and how a nominee, who may not see the Account yet, is answered
// (domain.md ruling 24).
import { budgetKind, managersOf, type BudgetManager } from '../../budgets/account/account.js';
import { businessError } from '../../budgets/codes.js';
import { liveNominations, withNomination, type NominationChange } from '../../budgets/account/nomination.js';
import { asText } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import type { FhirRequest, FhirResponse } from '../../fhir/request.js';
import type { Resource } from '../../fhir/resource.js';
import { checkPreconditions } from '../../interactions/preconditions.js';
import { writtenResponse } from '../../interactions/written-response.js';
import { currentOf, lockedOf, type Current, type Inside } from '../act.js';
import { writeBudget } from './budget-act.js';
import { AT } from '../input.js';
import { output, parametersResponse } from '../output.js';

export interface Nominated {
  readonly account: Current;
  readonly nomination: BudgetManager;
}

/** The caller as the party of a nomination; undefined where the caller is no nominee. */
export const ownParty = ({ grant: { caller } }: Pick<Inside, 'grant'>): string | undefined =>
  caller.role === 'nominee' && caller.relatedPerson !== undefined ? `RelatedPerson/${caller.relatedPerson}` : undefined;

/**
 * The nomination that is meant, and its Account, locked. To a nominee there is no Account but one where it is nominated, and no nomination but
 * its own; others name the party, unless there is but one nomination in one of `states`.
 */
export async function nominatedAt(request: FhirRequest, named: string | undefined, states: readonly string[], inside: Inside): Promise<Nominated> {
  const own = ownParty(inside);
  const account = own === undefined ? await currentOf('Account', request, inside) : await ownAccount(request, own, inside);
  if (own !== undefined && named !== undefined && named !== own) throw fail('forbidden', { text: 'A nominee speaks for itself alone: leave party out' });
  const party = own ?? named;
  const open = liveNominations(account.resource, party);
  const [only, second] = party === undefined ? open.filter(({ state }) => states.includes(state ?? '')) : open;
  if (only && !second) return { account, nomination: only };
  const list = liveNominations(account.resource).map((one) => `${one.party} (${one.state})`).join(', ');
  throw fail(party === undefined ? 'required' : 'business-rule', { text: list === '' ? 'Nobody is nominated on this budget' : `Name who is meant by party. Nominated are ${list}`, expression: AT });
}

async function ownAccount(request: FhirRequest, own: string, inside: Inside): Promise<Current> {
  const { id = '' } = request;
  const account = await lockedOf('Account', id, inside);
  if (!account || budgetKind(account.resource) === undefined || liveNominations(account.resource, own).length === 0) throw inside.grant.absent('Account', id);
  checkPreconditions(request, { ...account, updated: 0, text: '' });
  return account;
}

/** Throws 422 where the budget is neither active nor on hold. */
export function requireOpen({ resource }: Current): void {
  const status = asText(resource['status']);
  if (status === 'active' || status === 'on-hold') return;
  throw fail('business-rule', { text: `The budget is ${status}`, coding: businessError('ACCOUNT_NOT_ACTIVE'), expression: 'Account.status' });
}

export interface Step {
  readonly code: string;
  readonly reason: string | undefined;
  readonly change: NominationChange;
}

/** Writes the nomination as it shall be; answers with the Account, a nominee with its own entry. */
export async function changeNomination(request: FhirRequest, { account, nomination }: Nominated, { code, reason, change }: Step, inside: Inside): Promise<FhirResponse> {
  const extension = withNomination(account.resource['extension'] as readonly unknown[], nomination.index, change);
  const { written } = await writeBudget(account, { extension }, { activity: code, reason }, inside);
  if (ownParty(inside) === undefined) return writtenResponse(written, request, inside);
  const [entry] = managersOf(JSON.parse(written?.text ?? '{}') as Resource).filter(({ index }) => index === nomination.index);
  return parametersResponse([
    output('party', 'valueReference', { reference: asText(entry?.party) }),
    output('role', 'valueCode', entry?.role),
    output('state', 'valueCode', entry?.state),
    output('period', 'valuePeriod', { start: entry?.start, end: entry?.end }),
  ]);
}
