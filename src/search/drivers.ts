// Which clause of a search finds the rows, while the others only sift them: decided here, not by the planner, whose estimates
// for arrays are guesses. The lower a rank, the fewer rows the clause is likely to name.
import type { Definitions } from '../definitions/model.js';
import { referenceTokens } from './params/reference.js';
import { NEGATIVE, tokensOf } from './params/token.js';
import { urisOf } from './params/uri.js';
import type { Clause } from './query.js';
import { slotsOf, type Slot } from './slots.js';
import { isCommon, shareOf, type FrequencyOf, type TokenFrequency } from './token-frequency.js';

export const RANK = {
  id: 0,
  subject: 1,
  /** A chain whose far end is found by an id or a token. */
  nearChain: 2,
  token: 3,
  side: 4,
  farChain: 5,
  /** Scans all the rows of a parameter. */
  contains: 6,
  /** Bounds on a column that is also a sort index; the planner has a histogram of it. */
  range: 7,
  commonToken: 8,
  none: 9,
} as const;

/** One of the clauses that a row must satisfy; those of the Grant are not themselves put under the Grant. */
export interface Conjunct {
  readonly clause: Clause;
  readonly granted: boolean;
}

export interface Drivers {
  /** Rank of the best clause. */
  readonly rank: number;
  readonly drivers: ReadonlySet<Conjunct>;
}

export interface Knowing {
  readonly definitions: Definitions;
  readonly frequencyOf: FrequencyOf;
}

/** The clauses of the best rank; all tokens together, as one look into the GIN. */
export function driversOf(knowing: Knowing, type: string, conjuncts: readonly Conjunct[]): Drivers {
  const ranks = conjuncts.map(({ clause }) => rankOf(knowing, type, clause));
  const rank = Math.min(RANK.none, ...ranks);
  return { rank, drivers: new Set(rank === RANK.none ? [] : conjuncts.filter((_, index) => ranks[index] === rank)) };
}

/** Is the clause one that finds the rows? Within a subject its index has the rows in the order of the date, whose bounds find them beside it. */
export function drives(knowing: Knowing, type: string, { rank, drivers }: Drivers, conjunct: Conjunct): boolean {
  return drivers.has(conjunct) || (rank === RANK.subject && rankOf(knowing, type, conjunct.clause) === RANK.range);
}

export function rankOf(knowing: Knowing, type: string, clause: Clause): number {
  switch (clause.kind) {
    case 'ids':
    case 'none': return RANK.id;
    case 'and': return Math.min(RANK.none, ...clause.of.map((part) => rankOf(knowing, type, part)));
    case 'or': return Math.max(RANK.id, ...clause.of.map((part) => rankOf(knowing, type, part)));
    case 'chain':
    case 'has': return isWide(clause.where) ? RANK.commonToken : rankOf(knowing, clause.type, clause.where) <= RANK.token ? RANK.nearChain : RANK.farChain;
    case 'held': return rankOf(knowing, clause.holder, clause.where) <= RANK.token ? RANK.nearChain : RANK.farChain;
    case 'below':
    case 'above': return RANK.nearChain;
    case 'text': return RANK.side;
    case 'parameter': return parameterRank(knowing, type, clause);
    default: return RANK.none;
  }
}

/** How many rows of the type the clauses leave at most, as far as is known: 0 where nothing is. */
export function rowsLeft({ definitions, frequencyOf }: Knowing, type: string, conjuncts: readonly Conjunct[]): number {
  const frequency = frequencyOf(type);
  if (!frequency) return 0;
  const shares = conjuncts.map(({ clause }) => (clause.kind === 'parameter' ? tokenShare(definitions, frequency, type, clause) : undefined) ?? 1);
  return frequency.rows * Math.min(1, ...shares);
}

/** What belongs to an organisation and all below it is a large part of everything: a walk soon meets a page of it, where gathering it takes a second. */
function isWide(clause: Clause): boolean {
  switch (clause.kind) {
    case 'below': return true;
    case 'and':
    case 'or': return clause.of.some(isWide);
    case 'chain':
    case 'has': return isWide(clause.where);
    default: return false;
  }
}

/** Modifiers of strings that no order of them helps with. */
const SCANS: ReadonlySet<string> = new Set(['contains', 'differs', 'ends']);

type ParameterClause = Extract<Clause, { kind: 'parameter' }>;

function parameterRank({ definitions, frequencyOf }: Knowing, type: string, clause: ParameterClause): number {
  const { modifier, parameter } = clause;
  const slot = slotsOf(definitions, type).byCode.get(parameter.code);
  if (!slot || modifier === 'missing' || (modifier !== undefined && NEGATIVE.has(modifier) && parameter.type === 'token')) return RANK.none;
  if (slot.column === 'subject' && modifier !== 'identifier') return RANK.subject;
  if (slot.column === 'date' || slot.column === 'updated') return RANK.range;
  if (!inTokens(slot, modifier)) return SCANS.has(modifier ?? '') ? RANK.contains : RANK.side;
  const frequency = frequencyOf(type);
  const share = frequency && shareOf(frequency, commonTokens(slot, clause));
  return frequency && share !== undefined && isCommon(frequency, share) ? RANK.commonToken : RANK.token;
}

/** The share of rows that a plain criterion by token leaves; undefined where that is not known. */
function tokenShare(definitions: Definitions, frequency: TokenFrequency, type: string, clause: ParameterClause): number | undefined {
  const slot = slotsOf(definitions, type).byCode.get(clause.parameter.code);
  return slot && clause.modifier === undefined && inTokens(slot, undefined) ? shareOf(frequency, commonTokens(slot, clause)) : undefined;
}

/** Are the parameter's values in the GIN? */
function inTokens({ parameter, parts }: Slot, modifier: string | undefined): boolean {
  if (modifier === 'text' || (modifier === 'below' && parameter.type !== 'token')) return false;
  if (parameter.type === 'composite') return ['token', 'reference'].includes(parts?.[1]?.slot.parameter.type ?? '');
  return ['token', 'uri', 'reference'].includes(parameter.type);
}

/** The tokens whose share may be known; pairs are rare by nature. */
function commonTokens(slot: Slot, { modifier, values }: Pick<ParameterClause, 'modifier' | 'values'>): readonly bigint[] {
  if (slot.parameter.type === 'token') return tokensOf(slot, modifier, values);
  if (slot.parameter.type === 'reference') return modifier === 'identifier' ? [] : referenceTokens(slot, modifier, values);
  return slot.parameter.type === 'uri' ? urisOf(slot, modifier, values) : [];
}
