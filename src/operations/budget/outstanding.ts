// What stands against closing a budget: goods received must be paid, and commitments released by who closes it (domain.md 3.8 rule 10).
import { outstandingOn, type Outstanding } from '../../budgets/account/closing.js';
import { businessError } from '../../budgets/codes.js';
import { budgetOf, isCommitment } from '../../budgets/purchase/purchase.js';
import { childrenOf, type Budget } from '../../budgets/ledger/totals.js';
import { poundsText } from '../../fhir/decimal.js';
import { ERRORS, fail, FhirError } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import type { Resource } from '../../fhir/resource.js';
import type { Asked } from '../../interactions/asked.js';
import { writeAll } from '../../interactions/write.js';
import { serverGrant } from '../../search/grant.js';
import { changed, lockedOf, type Inside } from '../act.js';

interface Standing extends Outstanding {
  /** Undefined for a purchase; a commitment of a joint budget is not this one's to release. */
  readonly commitmentOf: string | undefined;
}

/** Throws 409 listing what is outstanding. Open commitments are no hindrance where they are to be released; with `act` they then are. */
export async function settleOutstanding({ account }: Budget, release: boolean, act: boolean, inside: Inside): Promise<void> {
  const standing: Standing[] = [];
  for (const one of await outstandingOn(inside.tx.db, account)) standing.push({ ...one, commitmentOf: await commitmentOf(one.claim, inside) });
  const left = standing.filter(({ commitmentOf: of }) => !release || of !== account);
  if (left.length > 0) throw await refusal(left, inside);
  if (!act) return;
  const released: Asked[] = [];
  for (const { claim } of standing) {
    const current = await lockedOf('Claim', claim, inside);
    if (current) released.push(changed(current, { status: 'cancelled' }));
  }
  if (released.length > 0) await writeAll(released, inside);
}

/** The budget that the Claim is a commitment on; undefined where it is a purchase. Read as the server: whose it is, is not the question. */
async function commitmentOf(claim: string, { tx }: Inside): Promise<string | undefined> {
  const found = await tx.read(serverGrant(), 'Claim', claim);
  const resource = found?.text == null ? undefined : (JSON.parse(found.text) as Resource);
  return isCommitment(resource) ? budgetOf(resource) : undefined;
}

/** One issue for each; a Claim that the caller may not see is told by its amount alone. */
async function refusal(left: readonly Standing[], { tx, grant }: Inside): Promise<FhirError> {
  const { status, code } = ERRORS['still-needed'];
  const issues: Issue[] = [];
  for (const { claim, committed, commitmentOf: of } of left) {
    const seen = await tx.read(grant, 'Claim', claim);
    const amount = `£${poundsText(committed)}`;
    const advice = of !== undefined ? 'is reserved by a commitment: fulfil it, cancel it, or send releaseCommitments = true' : 'is still to be paid: use Claim/$pay, or cancel the purchase';
    issues.push({ severity: 'error', code, text: seen ? `Claim/${claim}: ${amount} ${advice}` : `${amount} of a joint purchase ${advice}`, coding: businessError('OUTSTANDING_CLAIMS') });
  }
  return new FhirError(status, issues);
}

/** A joint budget ends after those that were joined into it have left. */
export async function refuseJoined({ kind, account }: Budget, { tx }: Inside): Promise<void> {
  if (kind !== 'joint-budget') return;
  const joined = await childrenOf(tx.db, account);
  if (joined.length === 0) return;
  throw fail('still-needed', { text: `${joined.length} budgets are joined into this one: take them out with Account/$leave first` });
}
