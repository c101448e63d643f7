// What the three operations on granted amounts have in common: the Account is locked and seen, its budget open, then its next version,
// the Provenance that says why, and the money, in this order.
import { lockBudgets, type Budget } from '../../budgets/ledger/totals.js';
import { post } from '../../budgets/ledger/ledger.js';
import type { Posting } from '../../budgets/ledger/postings.js';
import { businessError } from '../../budgets/codes.js';
import { provenanceOf } from '../../budgets/ledger/provenance.js';
import { fail } from '../../fhir/errors.js';
import type { FhirRequest, FhirResponse } from '../../fhir/request.js';
import type { JsonValue } from '../../fhir/resource.js';
import type { Context } from '../../interactions/context.js';
import { writeAll } from '../../interactions/write.js';
import { writtenResponse } from '../../interactions/written-response.js';
import { onlyProposes, propose, settleProposal } from '../proposal.js';
import { act, added, changed, currentOf, ledgerOf, type Current, type Inside } from '../act.js';

/** What an act comes to: the Account's extensions as they shall be, and the movements of money; ids and Provenance are added here. */
export interface Decision {
  readonly extension: readonly unknown[];
  readonly movements: readonly Omit<Posting, 'id' | 'account' | 'provenance'>[];
}

export interface Why {
  readonly reason: string | undefined;
  /** The Task that proposed it: `Task/1`. */
  readonly proposal: string | undefined;
}

const OPEN = ['active', 'on-hold'] as const;

export function grantAct(code: string, request: FhirRequest, context: Context, { reason, proposal }: Why, decide: (account: Current, budget: Budget, inside: Inside) => Promise<Decision>): Promise<FhirResponse> {
  return act(code, context, async (inside) => {
    const { db } = inside.tx;
    const account = await currentOf('Account', request, inside);
    const budget = (await lockBudgets(db, [account.id])).get(account.id);
    if (budget?.kind !== 'phb') throw fail('business-rule', { text: 'This Account has no lines: use a budget, and of a joint one the budgets in it' });
    if (!OPEN.some((state) => state === budget.state)) throw fail('business-rule', { text: `The budget is ${budget.state}`, coding: businessError('ACCOUNT_NOT_ACTIVE') });
    const { extension, movements } = await decide(account, budget, inside);
    if (onlyProposes(code, inside)) return propose(code, account, subjectOf(account), request, inside);
    await settleProposal(proposal, code, account, inside);
    const provenance = inside.parts.newId();
    const why = provenanceOf({ id: provenance, account: account.id, version: account.version + 1, activity: code, reason, caller: inside.grant.caller, now: inside.now });
    const [written] = await writeAll([changed(account, { extension }), added(why, provenance)], inside);
    const postings = movements.map((movement) => ({ ...movement, id: inside.parts.newId(), account: account.id, provenance }));
    await post(postings, { ...ledgerOf(inside), states: OPEN });
    return writtenResponse(written, request, inside);
  });
}

const subjectOf = ({ resource }: Current): JsonValue | undefined => (Array.isArray(resource['subject']) ? resource['subject'][0] : undefined);
