// Which cells the row rules ask: a bearer, and the rows of the cases that a rule of theirs names.
import { RULES } from './expected-row-rules.js';

/** `Claim/owner-own.first` -> its case, and `Claim.first`. */
export function partsOf(key: string): readonly [kase: string, what: string] {
  const [type = '', name = ''] = key.split('/');
  const [kase = '', variant] = name.split('.');
  return [kase, variant === undefined ? type : `${type}.${variant}`];
}

export function ruleSees(bearer: string, key: string): boolean {
  const [kase, what] = partsOf(key);
  return RULES.some(({ bearers, types, seen }) => bearers.includes(bearer) && seen.includes(kase) && types.includes(what));
}

/** `cell` ends with its row. */
export const caseOf = (cell: string): string => partsOf(cell.slice(cell.lastIndexOf(' ') + 1))[0];
export const asksOf = (bearer: string, cell: string): boolean => RULES.some(({ bearers, seen, hidden }) => bearers.includes(bearer) && [...seen, ...hidden].includes(caseOf(cell)));
