// Small numbers are not told outside the commissioner that owns them, nor what would let them be worked out (domain.md C32E14).

/** 1 to 4 people might be known by name. */
export const SMALLEST_TOLD = 5;

export const isSmall = (count: number): boolean => count > 0 && count < SMALLEST_TOLD;

/** A number of people in one part of a whole. */
export interface Cell {
  readonly key: string;
  readonly count: number;
  /** It would tell a small number beside another report. */
  readonly exposed?: boolean;
}

/**
 * The keys of the parts that are hidden: the small ones; and, since the whole is told and the rest could be taken from it, further ones, smallest first,
 * until those hidden are together no small number and more than one.
 */
export function hiddenParts(cells: readonly Cell[]): ReadonlySet<string> {
  const some = cells.filter(({ count }) => count > 0).sort((a, b) => a.count - b.count);
  const hidden = new Set(some.filter(({ count, exposed }) => isSmall(count) || exposed === true).map(({ key }) => key));
  if (hidden.size === 0) return hidden;
  for (const { key } of some) {
    const sum = some.filter((one) => hidden.has(one.key)).reduce((people, { count }) => people + count, 0);
    if (hidden.size > 1 && sum >= SMALLEST_TOLD) break;
    hidden.add(key);
  }
  return hidden;
}

/** The same of a part of which all others are not told: it is hidden too where few are left beside it. */
export const isHiddenPart = (part: number, whole: number): boolean => isSmall(part) || isSmall(whole - part);
