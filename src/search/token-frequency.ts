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
export function shareOf(frequency: TokenFrequency | undefined, tokens: readonly bigint[]): number | undefined {
  if (!frequency) return undefined;
  let sum: number | undefined;
  for (const token of tokens) {
    const share = frequency.shares.get(token);
    if (share !== undefined) sum = Math.min(1, (sum ?? 0) + share);
  }
  return sum;
}

/**
 * Is it cheaper to walk the sort index until a page of rows has passed the filter, than to gather all rows that have the tokens?
 * A row costs about the same either way, so the page size over the share is held against the number of rows gathered.
 * The walk must win four to one: tokens may be less independent of the order, or of one another, than thought.
 */
export function walkIsCheaper(rows: number, shares: readonly number[], page: number): boolean {
  const together = shares.reduce((product, share) => product * share, 1);
  return shares.length > 0 && (4 * page) / together < rows * together;
}
