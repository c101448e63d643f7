// Why money did not move: the words for a posting that the ledger's statement refused, asked after the fact while the budget is still locked.
import type { Queryable } from '../db/database.js';
import { poundsText } from '../fhir/decimal.js';
import { ERRORS, fail, FhirError } from '../fhir/errors.js';
import { businessError } from './codes.js';
import { addSums, availableOf, effectOf, NOTHING, type Posting } from './postings.js';

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
}

const LINES = {
  name: 'ledger-refused-lines',
  text: `select b.state, l.line, l.ended, (l.allocated - l.committed - l.spent)::text as available, (l.disbursed - l.spent)::text as held
    from fhir.budget_account b left join fhir.budget_line l on l.account = b.account and l.line = any ($2)
    where b.account = $1 and b.kind = 'phb'`,
};

export interface Refused {
  readonly db: Queryable;
  /** In which states of the budget the postings were allowed. */
  readonly states: readonly string[];
  /** The budget was in one of them, or was found so a second time. */
  readonly allowed: boolean;
  /** The lines that could take their postings, and have them already. */
  readonly enough: ReadonlySet<string>;
}

/** The refusal to throw for postings to one account, of which none was written to the ledger; undefined where its state has come to allow them since. */
export async function explainRefusal(account: string, postings: readonly Posting[], { db, states, allowed, enough }: Refused): Promise<FhirError | undefined> {
  const names = [...new Set(postings.map(({ line }) => line))].filter((name) => !enough.has(name));
  const { rows } = await db.query<LineRow>({ ...LINES, values: [account, names] });
  const [first] = rows;
  if (!first) return fail('reference-not-found', { text: 'There is no such budget' });
  if (!states.includes(first.state)) return fail('business-rule', { text: `The budget is ${first.state}: this is for a budget that is ${states.join(' or ')}`, coding: businessError('ACCOUNT_NOT_ACTIVE') });
  if (!allowed) return undefined;
  for (const name of names) {
    const refusal = refusalOf(account, name, rows.find((row) => row.line === name), postings);
    if (refusal) return refusal;
  }
  return fail('business-rule', { text: 'The claim has less reserved, or less paid, than this would take back: read its balance again', coding: businessError('REFUND_EXCEEDS_PAYMENT') });
}

function refusalOf(account: string, name: string, row: LineRow | undefined, postings: readonly Posting[]): FhirError | undefined {
  if (!row) return fail('business-rule', { text: `The budget has no line ${name}` });
  const change = postings.filter(({ line }) => line === name).map(effectOf).reduce(addSums, NOTHING);
  const available = BigInt(row.available);
  if (row.ended === true && (change.allocated > 0n || change.committed > 0n)) return fail('business-rule', { text: `Line ${name} has ended: use another line of the budget` });
  if (availableOf(change) < 0n && available + availableOf(change) < 0n) return new InsufficientFunds(account, name, -availableOf(change), available);
  const held = BigInt(row.held);
  if (change.disbursed < 0n && held + change.disbursed - change.spent < 0n) {
    return fail('business-rule', { text: `The holder of line ${name} has £${poundsText(held)} of it, and £${poundsText(-change.disbursed)} is asked back`, coding: businessError('INSUFFICIENT_FUNDS') });
  }
  return undefined;
}
