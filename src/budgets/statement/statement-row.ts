// A movement of a budget as its statement tells it.
import type { LedgerKind } from '../ledger/postings.js';

/** A row of the ledger; amounts are the text of whole pence: they are told, not reckoned with. */
export interface StatementRow {
  readonly account: string;
  /** Id of the row. */
  readonly id: string;
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly line: string;
  readonly kind: LedgerKind;
  readonly amount: string;
  /** Available after the row, of all that the statement shows. */
  readonly balance: string;
  /** Logical ids. */
  readonly claim: string | undefined;
  readonly notice: string | undefined;
  readonly provenance: string | undefined;
}
