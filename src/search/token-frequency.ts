// How common tokens are: what decides between walking a sort index and gathering rows from the GIN.

/** Of one type's table, as the database last counted it. */
export interface TokenFrequency {
  readonly rows: number;
  /** Share of rows, 0 to 1, of the most common tokens; one that is not here is rare. */
  readonly shares: ReadonlyMap<bigint, number>;
}

/** Undefined where nothing is known yet: tokens are taken for rare then. */
export type FrequencyOf = (type: string) => TokenFrequency | undefined;

/** Share of rows with any of the tokens; undefined where rare. */
export function shareOf(frequency: TokenFrequency, tokens: readonly bigint[]): number | undefined {
  let sum: number | undefined;
  for (const token of tokens) {
    const share = frequency.shares.get(token);
    if (share !== undefined) sum = Math.min(1, (sum ?? 0) + share);
  }
  return sum;
}

/** The tokens that are not worth gathering the rows of. */
export function commonTokens(frequency: TokenFrequency): readonly bigint[] {
  return [...frequency.shares].flatMap(([token, share]) => (isCommon(frequency, share) ? [token] : []));
}

/** A page of this size is what a walk is thought to look for. */
const TYPICAL_PAGE = 50;

/**
 * Is it cheaper to walk the sort index until a page of rows has passed, than to gather all rows that have the tokens? A row costs about the
 * same either way (0.5 to 1 µs warm), so the page over the share is held against the number of rows gathered. The walk must win four to one.
 */
export function isCommon({ rows }: TokenFrequency, share: number): boolean {
  return (4 * TYPICAL_PAGE) / share < rows * share;
}
