// An amount shared out in proportion, to the penny (domain.md 3.8 rule 9).

/**
 * What each weight gets of `amount`, in the same order: shares add up to it exactly. Odd pence go to the largest remainders; of equal ones to
 * the first, so give the weights in an order that is always the same (by Account id, then line). No share is more than its weight as long as
 * the amount is no more than the weights together. All are pence, none below zero; the weights come to more than nothing.
 */
export function shareOut(amount: bigint, weights: readonly bigint[]): bigint[] {
  const whole = weights.reduce((sum, weight) => sum + weight, 0n);
  if (whole <= 0n) throw new Error('an amount is shared out over weights above zero');
  const shares = weights.map((weight) => (amount * weight) / whole);
  let odd = amount - shares.reduce((sum, share) => sum + share, 0n);
  for (const place of byRemainder(amount, weights, whole)) {
    if (odd === 0n) break;
    shares[place] = (shares[place] ?? 0n) + 1n;
    odd -= 1n;
  }
  return shares;
}

export const sumOf = (shares: readonly { readonly amount: bigint }[]): bigint => shares.reduce((sum, { amount }) => sum + amount, 0n);

/** Places of the weights, the largest remainder first. */
function byRemainder(amount: bigint, weights: readonly bigint[], whole: bigint): number[] {
  const remainders = weights.map((weight) => (amount * weight) % whole);
  return [...weights.keys()].sort((a, b) => {
    const difference = (remainders[b] ?? 0n) - (remainders[a] ?? 0n);
    return difference > 0n ? 1 : difference < 0n ? -1 : a - b;
  });
}
