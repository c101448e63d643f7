// How much one search may ask for. Each is a setting; what the server asks of itself is bound by the usual ones.

export interface SearchLimits {
  /** Matches on one page, versions of a history, rows of a statement: a larger `_count` is cut to it. */
  readonly page: number;
  /** Resources included in one page. */
  readonly included: number;
  readonly criteria: number;
  /** Hops of one chain or `_has`. */
  readonly hops: number;
}

export const USUAL_LIMITS: SearchLimits = { page: 1000, included: 1000, criteria: 64, hops: 12 };
