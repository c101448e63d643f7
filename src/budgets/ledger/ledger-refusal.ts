// Why money did not move: the words for a posting that the ledger's statement refused, asked after the fact while the budget is still locked.
import type { Queryable } from '../../db/database.js';
import { Outdated } from '../../db/failure.js';
import { poundsText } from '../../fhir/decimal.js';
import { ERRORS, fail, FhirError } from '../../fhir/errors.js';
import { businessError } from '../codes.js';
import { addSums, availableOf, effectOf, NOTHING, type Posting, type Sums } from './postings.js';

/** 422 INSUFFICIENT_FUNDS. Who may not know what is available catches it and says less. */
export class InsufficientFunds extends FhirError {
  /** Amounts in pence. */
  constructor(readonly account: string, readonly line: string, readonly needed: bigint, readonly available: bigint, expression?: string) {
    const { status, code } = ERRORS['business-rule'];
    const text = `Line ${line} has £${poundsText(available)} available, and £${poundsText(needed)} is asked for`;
    super(status, [{ severity: 'error', code, text, coding: businessError('INSUFFICIENT_FUNDS'), ...(expression !== undefined && { expression }) }]);
  }

  /** The same, for what was asked there: `Claim.total`. */
  at(expression: string): InsufficientFunds {
    return new InsufficientFunds(this.account, this.line, this.needed, this.available, expression);
  }
}

interface LineRow {
  readonly state: string;
  readonly line: string | null;
  readonly ended: boolean | null;
  readonly available: string;
  readonly held: string;
  readonly committed: string;
  readonly spent: string;
}

const LINES = {
  name: 'ledger-refused-lines',
  text: `select b.state, l.line, l.ended, (l.allocated - l.committed - l.spent)::text as available, (l.disbursed - l.spent)::text as held,
      l.committed::text as committed, l.spent::text as spent
    from fhir.budget_account b left join fhir.budget_line l on l.account = b.account and l.line = any ($2)
    where b.account = $1 and b.kind = 'phb'`,
};

export interface Refused {
  readonly db: Queryable;
  /** In which states of the budget the postings were allowed. */
  readonly states: readonly string[];
  /** The budget was in one of them. */
  readonly allowed: boolean;
  /** The lines that could take their postings, and have them already. */
  readonly enough: ReadonlySet<string>;
}

/** What to throw for postings to one account, of which none was written to the ledger: the refusal, or Outdated where nothing stands against them by now. */
export async function explainRefusal(account: string, postings: readonly Posting[], { db, states, allowed, enough }: Refused): Promise<FhirError | Outdated> {
  const names = [...new Set(postings.map(({ line }) => line))].filter((name) => !enough.has(name));
  const { rows } = await db.query<LineRow>({ ...LINES, values: [account, names] });
  const [first] = rows;
  if (!first) return fail('reference-not-found', { text: 'There is no such budget' });
  if (!states.includes(first.state)) return fail('business-rule', { text: `The budget is ${first.state}: this is for a budget that is ${states.join(' or ')}`, coding: businessError('ACCOUNT_NOT_ACTIVE') });
  if (!allowed) return new Outdated(fail('business-rule', { text: `The budget was not ${states.join(' or ')} at that moment, and is now: send this again`, coding: businessError('ACCOUNT_NOT_ACTIVE') }));
  for (const name of names) {
    const row = rows.find(({ line }) => line === name);
    const change = postings.filter(({ line }) => line === name).map(effectOf).reduce(addSums, NOTHING);
    const refusal = refusalOf(account, name, row, change);
    if (refusal) return refusal;
    if (row && onlyTakes(change, row)) return new Outdated(fail('business-rule', { text: `Line ${name} had too little available at that moment, and has enough now: send this again`, coding: businessError('INSUFFICIENT_FUNDS') }));
  }
  return fail('business-rule', { text: 'The claim has less reserved, or less paid, than this would take back: read its balance again', coding: businessError('REFUND_EXCEEDS_PAYMENT') });
}

/** What is available is all that could have stood against it, and there is enough of that: it came back while the statement waited. */
const onlyTakes = (change: Sums, { ended, committed, spent }: LineRow): boolean =>
  availableOf(change) < 0n && ended !== true && change.disbursed >= 0n && BigInt(committed) + change.committed >= 0n && BigInt(spent) + change.spent >= 0n;

function refusalOf(account: string, name: string, row: LineRow | undefined, change: Sums): FhirError | undefined {
  if (!row) return fail('business-rule', { text: `The budget has no line ${name}` });
  const available = BigInt(row.available);
  if (row.ended === true && (change.allocated > 0n || change.committed > 0n)) return fail('business-rule', { text: `Line ${name} has ended: use another line of the budget` });
  if (availableOf(change) < 0n && available + availableOf(change) < 0n) return new InsufficientFunds(account, name, -availableOf(change), available);
  const held = BigInt(row.held);
  if (change.disbursed < 0n && held + change.disbursed - change.spent < 0n) {
    return fail('business-rule', { text: `The holder of line ${name} has £${poundsText(held)} of it, and £${poundsText(-change.disbursed)} is asked back`, coding: businessError('INSUFFICIENT_FUNDS') });
  }
  return undefined;
}
