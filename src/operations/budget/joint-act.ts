// What $join and $leave have in common: the joint budget and the one that moves are locked, and both are written with the Provenance that says why.
import { budgetKind } from '../../budgets/account/account.js';
import { businessError } from '../../budgets/codes.js';
import { provenanceOn } from '../../fhir/provenance.js';
import { referred } from '../../budgets/referred.js';
import { lockBudgets, type Budget } from '../../budgets/ledger/totals.js';
import { fail } from '../../fhir/errors.js';
import { readJson } from '../../fhir/json-text.js';
import type { FhirRequest, FhirResponse } from '../../fhir/request.js';
import type { Resource } from '../../fhir/resource.js';
import { writeAll } from '../../interactions/write.js';
import { writtenResponse } from '../../interactions/written-response.js';
import { added, changed, currentOf, type Current, type Inside } from '../act.js';
import { AT } from '../input.js';
import { seenIn } from '../purchase/payment-input.js';

export interface Located {
  readonly account: Current;
  readonly budget: Budget;
}

/** The joint budget that the URL names; everyone who draws on it waits for its row, and then for those of the budgets in it. */
export async function jointAt(request: FhirRequest, inside: Inside): Promise<Located> {
  const account = await currentOf('Account', request, inside);
  const budget = (await lockBudgets(inside.tx.db, [account.id])).get(account.id);
  if (budget?.kind !== 'joint-budget') throw fail('business-rule', { text: 'This Account is no joint budget: call it on one of type joint-budget (account-type)', expression: 'Account.type' });
  return { account, budget };
}

/** The budget that the parameter account names (`Account/1`), as the caller sees it; throws 422. */
export async function childAt(reference: string | undefined, inside: Inside): Promise<Located> {
  const { id = '', ...seen } = await referred(reference, ['Account'], AT, seenIn(inside));
  const kind = budgetKind(seen);
  if (kind === 'joint-budget') throw fail('business-rule', { text: 'A joint budget can\'t be part of another: name the budgets themselves', expression: AT });
  const locked = kind && (await inside.tx.lock('Account', id));
  const budget = (await lockBudgets(inside.tx.db, [id])).get(id);
  if (locked?.text == null || !budget) throw fail('business-rule', { text: 'The parameter account names an Account that is no budget', expression: AT });
  const document = readJson(locked.text);
  return { account: { type: 'Account', id, version: locked.version, resource: document.value as Resource, document }, budget };
}

export function requireActive({ account, state }: Budget): void {
  if (state !== 'active') throw fail('business-rule', { text: `Account/${account} is ${state}: budgets are joined while they are active`, expression: AT, coding: businessError('ACCOUNT_NOT_ACTIVE') });
}

export interface JointAct {
  readonly code: 'join' | 'leave';
  readonly reason: string | undefined;
  /** `Consent/1`. */
  readonly consents: readonly string[];
}

export interface Moving {
  readonly joint: Current;
  /** The joint budget's coverage as it shall be. */
  readonly coverage: unknown;
  readonly child: Current;
  readonly partOf: unknown;
}

/** Answers with the joint budget as it is now. */
export async function writeJoint({ joint, coverage, child, partOf }: Moving, { code, reason, consents }: JointAct, request: FhirRequest, inside: Inside): Promise<FhirResponse> {
  const id = inside.parts.newId();
  const targets = [joint, child].map((one) => `Account/${one.id}/_history/${one.version + 1}`);
  const why = provenanceOn(targets, { id, activity: code, reason, caller: inside.grant.caller, now: inside.now });
  const entity = consents.map((reference) => ({ role: 'source', what: { reference } }));
  const [written] = await writeAll([changed(joint, { coverage }), changed(child, { partOf }), added(entity.length === 0 ? why : { ...why, entity }, id)], inside);
  return writtenResponse(written, request, inside);
}
