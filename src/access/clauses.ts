// The words in which row rules are written: each gives a piece of search tree. What can hold of no row is `none`, so that nothing is asked.
import type { Definitions, SearchParameter } from '../definitions/model.js';
import type { Clause, SearchValue } from '../search/query.js';

export const ALL: Clause = { kind: 'all' };
export const NONE: Clause = { kind: 'none' };

export interface Clauses {
  ids(...ids: readonly string[]): Clause;
  /** The reference `code` of a `type` names one of the targets: `Patient/1`. */
  names(type: string, code: string, ...targets: readonly string[]): Clause;
  /** `system|`, `system|code` or `code`. */
  coded(type: string, code: string, ...tokens: readonly string[]): Clause;
  has(type: string, code: string): Clause;
  /** The reference `code` of a `type` has this identifier: `system|value`. */
  identified(type: string, code: string, token: string): Clause;
  /** The reference `code` of a `type` leads to a `target` of which `where` holds. */
  to(type: string, code: string, target: string, where: Clause): Clause;
  /** A `type` of which `where` holds names this row by its reference `code`. */
  from(type: string, code: string, where: Clause): Clause;
  /** The row, or one that its reference `code` leads to, however often, satisfies `where`. */
  below(type: string, code: string, where: Clause): Clause;
  /** A string `code` of a `type` follows `Organization/1 ` in a string `held` of a `target`; Organization/1 satisfies `where`. */
  held(type: string, code: string, target: string, held: string, where: Clause): Clause;
  /** A composite of a token and a date: the token at a moment, in milliseconds. */
  at(type: string, code: string, token: string, moment: number): Clause;
}

export function createClauses(definitions: Definitions): Clauses {
  const parameterOf = (type: string, code: string): SearchParameter => {
    const parameter = definitions.searchParameters(type).get(code);
    if (!parameter) throw new Error(`${type} has no search parameter ${code}`);
    return parameter;
  };
  const values = (type: string, code: string, list: readonly SearchValue[], modifier?: string): Clause =>
    list.length === 0 ? NONE : { kind: 'parameter', parameter: parameterOf(type, code), values: list, ...(modifier !== undefined && { modifier }) };
  return {
    ids: (...ids) => (ids.length === 0 ? NONE : { kind: 'ids', ids }),
    names: (type, code, ...targets) => values(type, code, targets.map((text) => ({ text, parts: [{ text }] }))),
    coded: (type, code, ...tokens) => values(type, code, tokens.map((text) => ({ text }))),
    identified: (type, code, token) => values(type, code, [{ text: token }], 'identifier'),
    has: (type, code) => values(type, code, [{ text: 'false' }], 'missing'),
    to: (type, code, target, where) => hop({ kind: 'chain', parameter: parameterOf(type, code), type: target, where }),
    from: (type, code, where) => hop({ kind: 'has', parameter: parameterOf(type, code), type, where }),
    below: (type, code, where) => (where.kind === 'none' ? NONE : { kind: 'below', parameter: parameterOf(type, code), where }),
    held: (type, code, target, held, where) =>
      where.kind === 'none' ? NONE : { kind: 'held', parameter: parameterOf(type, code), type: target, held: parameterOf(target, held), holder: 'Organization', where },
    at: (type, code, token, moment) => values(type, code, [{ text: token, parts: [{ text: token }, momentOf(moment)] }]),
  };
}

function hop(clause: Extract<Clause, { kind: 'chain' | 'has' }>): Clause {
  return clause.where.kind === 'none' ? NONE : clause;
}

/** As a date search with the prefix `ap`: what overlaps this one millisecond. */
function momentOf(moment: number): SearchValue {
  return { text: new Date(moment).toISOString(), prefix: 'ap', parts: [{ text: String(moment) }, { text: String(moment + 1) }] };
}

export function either(...of: readonly Clause[]): Clause {
  const some = of.filter(({ kind }) => kind !== 'none');
  if (some.some(({ kind }) => kind === 'all')) return ALL;
  const [only, ...others] = some;
  return only === undefined ? NONE : others.length === 0 ? only : { kind: 'or', of: some };
}

export function both(...of: readonly Clause[]): Clause {
  if (of.some(({ kind }) => kind === 'none')) return NONE;
  const some = of.filter(({ kind }) => kind !== 'all');
  const [only, ...others] = some;
  return only === undefined ? ALL : others.length === 0 ? only : { kind: 'and', of: some };
}

export const not = (of: Clause): Clause => ({ kind: 'not', of });
