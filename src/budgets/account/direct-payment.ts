// What is asked of a direct-payment line before money goes to its holder or is spent, and which line that is (domain.md 3.9, ruling 49).
import { asObjects } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import type { Resource } from '../../fhir/resource.js';
import { serverGrant } from '../../search/grant.js';
import type { Transaction } from '../../store/store.js';
import { plansOf } from './account.js';
import { businessError } from '../codes.js';
import type { Budget, BudgetLine } from '../ledger/totals.js';

/** Throws 422 unless a care plan with an author or a care team is linked: someone must be there to ask (SI 2013/1617, regulation 8). */
export async function checkPlanned(account: Resource, tx: Pick<Transaction, 'read'>): Promise<void> {
  for (const { plan = '' } of plansOf(account)) {
    const found = await tx.read(serverGrant(), 'CarePlan', plan);
    const resource = found?.text == null ? undefined : (JSON.parse(found.text) as Resource);
    if (resource && (resource['author'] !== undefined || asObjects(resource['careTeam']).length > 0)) return;
  }
  throw fail('business-rule', {
    text: 'A direct payment begins when a care plan with an author or care team is linked to the budget: use Account/$link-careplan', expression: 'Account', coding: businessError('CAREPLAN_MISMATCH'),
  });
}

/** The direct-payment line that is named, or the only one; throws 422. Ended ones count where money is to come back. */
export function directLine(budget: Budget, lineId: string | undefined, ended: 'ended too' | 'not ended'): BudgetLine {
  const lines = budget.lines.filter((line) => line.model === 'direct-payment' && (ended === 'ended too' || !line.ended));
  const named = lines.find(({ line }) => line === lineId);
  if (named) return named;
  const [only, second] = lines;
  if (lineId === undefined && only && !second) return only;
  if (!only) throw fail('business-rule', { text: 'The budget has no direct-payment line, and only on such a line does a holder have money', expression: 'Parameters.parameter' });
  throw fail(lineId === undefined ? 'required' : 'business-rule', { text: `Name a direct-payment line in allocationId: ${lines.map(({ line }) => line).join(', ')}`, expression: 'Parameters.parameter' });
}
