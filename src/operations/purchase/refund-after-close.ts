// Money that comes back to a budget that is closed: nobody may spend it, so it goes on to the owner and what is available stays nothing (domain.md 3.8 rule 10).
import { byBytes } from '../../budgets/ledger/ledger.js';
import { extensionsGranting } from '../../budgets/account/line-change.js';
import type { Posting } from '../../budgets/ledger/postings.js';
import { provenanceOf } from '../../budgets/ledger/provenance.js';
import type { Refund } from '../../budgets/payment/refunds.js';
import { lockBudgets, type Budget, type BudgetLine } from '../../budgets/ledger/totals.js';
import { readJson } from '../../fhir/json-text.js';
import type { Resource } from '../../fhir/resource.js';
import { firstVersion } from '../../interactions/amend.js';
import type { Change } from '../../store/store.js';
import { amendment, type Current, type Inside } from '../act.js';

/** By Account id. */
export interface LockedAccounts {
  readonly accounts: ReadonlyMap<string, Current>;
  readonly budgets: ReadonlyMap<string, Budget>;
}

/** The Accounts and their budgets, locked in the order in which every act takes them. */
export async function lockAccounts(ids: readonly string[], { tx }: Inside): Promise<LockedAccounts> {
  const accounts = new Map<string, Current>();
  for (const id of [...new Set(ids)].sort(byBytes)) {
    const found = await tx.lock('Account', id);
    if (found?.text == null) continue;
    const document = readJson(found.text);
    accounts.set(id, { type: 'Account', id, version: found.version, resource: document.value as Resource, document });
  }
  return { accounts, budgets: await lockBudgets(tx.db, [...accounts.keys()]) };
}

export interface Returned {
  /** Next versions of the closed Accounts, which show what was granted, and the Provenances that say why. */
  readonly changes: readonly Change[];
  /** Without a notice, as those of closing: $reopen gives them back. */
  readonly postings: readonly Omit<Posting, 'id'>[];
}

/** What goes on to the owners of budgets that are closed. */
export function returnOf(refunds: readonly Refund[], { accounts, budgets }: LockedAccounts, inside: Inside): Returned {
  const closed = [...accounts.values()].filter(({ id }) => budgets.get(id)?.state === 'inactive').map((account) => {
    const own = refunds.filter(({ row }) => row.account === account.id);
    return returnFrom(account, budgets.get(account.id)?.lines ?? [], own, inside);
  });
  return { changes: closed.flatMap(({ changes }) => changes), postings: closed.flatMap(({ postings }) => postings) };
}

function returnFrom(account: Current, lines: readonly BudgetLine[], refunds: readonly Refund[], inside: Inside): Returned {
  const { parts, now, grant } = inside;
  const provenance = parts.newId();
  const why = provenanceOf({ id: provenance, account: account.id, version: account.version + 1, activity: 'refund', reason: 'Money came back after the budget was closed', caller: grant.caller, now });
  const extension = extensionsGranting(account.resource, grantedAfter(lines, refunds));
  return {
    changes: [amendment(account, { extension }, inside), firstVersion(why, { now, extract: parts.extract })],
    postings: refunds.map(({ row, amount }) => ({ account: row.account, line: row.line, kind: 'clawback', of: 'unspent', amount, provenance })),
  };
}

/** Pence granted by line, for the lines that lose something. */
function grantedAfter(lines: readonly BudgetLine[], refunds: readonly Refund[]): Map<string, bigint> {
  const granted = new Map<string, bigint>();
  for (const { row, amount } of refunds) {
    const before = granted.get(row.line) ?? lines.find(({ line }) => line === row.line)?.allocated ?? 0n;
    granted.set(row.line, before - amount);
  }
  return granted;
}
