// What a Claim holds of each line: reserved, paid and come back.
import type { Queryable } from '../../db/database.js';
import { lockBudgets } from './totals.js';

/** One row of fhir.claim_commitment, in pence. */
export interface Holding {
  readonly account: string;
  readonly line: string;
  /** The rest that is not paid, or what a commitment still reserves. */
  readonly committed: bigint;
  /** Gross. */
  readonly paid: bigint;
  readonly refunded: bigint;
}

const READ = {
  name: 'holdings-read',
  text: 'select account, line, committed::text, paid::text, refunded::text from fhir.claim_commitment where claim = $1 order by account, line',
};

/** Of the Claim with this logical id, by account and line; none before it was active. */
export async function holdingsOf(db: Queryable, claim: string): Promise<readonly Holding[]> {
  const { rows } = await db.query<Readonly<Record<keyof Holding, string>>>({ ...READ, values: [claim] });
  return rows.map(({ account, line, committed, paid, refunded }) => ({ account, line, committed: BigInt(committed), paid: BigInt(paid), refunded: BigInt(refunded) }));
}

/** As holdingsOf, and no money of their budgets moves until the end of the transaction. */
export async function lockHoldings(db: Queryable, claim: string): Promise<readonly Holding[]> {
  const held = await holdingsOf(db, claim);
  if (held.length === 0) return held;
  await lockBudgets(db, held.map(({ account }) => account));
  return holdingsOf(db, claim);
}

/** What a purchase takes of the line, paid or not. */
export const heldIn = ({ committed, paid }: Pick<Holding, 'committed' | 'paid'>): bigint => committed + paid;
/** Is it of the same line? */
export const isOn = (place: Pick<Holding, 'account' | 'line'>) => ({ account, line }: Pick<Holding, 'account' | 'line'>): boolean => account === place.account && line === place.line;
/** Was something paid that has not come back? */
export const isPaid = (held: readonly Holding[]): boolean => held.some(({ paid, refunded }) => paid > refunded);
export const committedIn = (held: readonly Holding[]): bigint => held.reduce((sum, { committed }) => sum + committed, 0n);
