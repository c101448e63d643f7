// Purchases on a joint budget that have something left on one of the budgets in it.
import type { Resource } from '../../fhir/resource.js';
import { serverGrant } from '../../search/grant.js';
import type { Transaction } from '../../store/store.js';
import { budgetOf } from './purchase.js';

/** In pence. */
export interface OpenShare {
  /** Logical id of the Claim. */
  readonly claim: string;
  readonly committed: bigint;
}

const READ = {
  name: 'joint-open-shares',
  text: 'select claim, sum(committed)::text as committed from fhir.claim_commitment where account = $1 and committed > 0 group by claim order by claim',
};

/** What Claims on `joint` still reserve of `child` (logical ids of Accounts), which is locked. Read as the server: whose they are is not the question. */
export async function openShares(joint: string, child: string, tx: Pick<Transaction, 'db' | 'read'>): Promise<readonly OpenShare[]> {
  const { rows } = await tx.db.query<{ claim: string; committed: string }>({ ...READ, values: [child] });
  const open: OpenShare[] = [];
  for (const { claim, committed } of rows) {
    const found = await tx.read(serverGrant(), 'Claim', claim);
    if (found?.text != null && budgetOf(JSON.parse(found.text) as Resource) === joint) open.push({ claim, committed: BigInt(committed) });
  }
  return open;
}
