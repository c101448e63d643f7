// The effective status: a pure function of all that was ever asserted about a patient and of a moment (domain.md 1.4).
import type { Assertion, Source } from './assertion.js';
import type { Basic, Category } from './category.js';

/** What an assertion of category NONE negates: all that was said before it, or only what OVMs said. */
export type NonePolicy = 'all' | 'own';

/** The assertion that answers, whatever the moment: only whether it has lapsed depends on the clock. */
export interface Winner {
  readonly id: string;
  readonly source: Source;
  /** Of source FEED: which. */
  readonly feed?: string;
  readonly basic: Basic;
  readonly category?: Category;
  readonly decided: string;
  readonly decidedAt: number;
  readonly validUntil?: string;
  readonly lapsesAt?: number;
}

export interface EffectiveStatus {
  /** False where nobody ever asserted anything: then `basic` is U and the rest is absent. */
  readonly determined: boolean;
  readonly basic: Basic;
  readonly category?: Category;
  /** FHIR dateTime of the latest decision. */
  readonly lastUpdated?: string;
  readonly source?: Source;
  readonly feed?: string;
  readonly validUntil?: string;
  readonly expired: boolean;
  readonly winner?: string;
}

export const UNDETERMINED: EffectiveStatus = Object.freeze({ determined: false, basic: 'U', expired: false });

/** A person who has inspected documents outranks a feed, at the same instant only; among the further feeds 1 is the first. */
const RANK: Readonly<Record<Source, number>> = { OVM: 2, HO: 1, FEED: 0 };

/**
 * The answer at `asOf` (milliseconds since the epoch).
 * The latest decision wins, by the instant it was made and not by when it came; one winner gives both basic and category.
 */
export function effective(assertions: readonly Assertion[], asOf: number, nonePolicy: NonePolicy = 'all'): EffectiveStatus {
  return statusAt(winnerOf(assertions, asOf, nonePolicy), asOf);
}

/** The assertion that answers at `asOf`; undefined where none counts. */
export function winnerOf(assertions: readonly Assertion[], asOf: number, nonePolicy: NonePolicy = 'all'): Winner | undefined {
  const counted = assertions.filter((one) => one.withdrawn !== true && knownFrom(one) <= asOf);
  const latest = latestOf(counted);
  if (latest?.category !== 'NONE' || nonePolicy === 'all') return latest;
  return latestOf(counted.filter((one) => one.source !== latest.source)) ?? latest;
}

/** The winner's answer at a moment: after the end of its evidence it is U without a category, never Y, with its date unchanged. */
export function statusAt(winner: Winner | undefined, asOf: number): EffectiveStatus {
  if (!winner) return UNDETERMINED;
  const expired = hasLapsed(winner, asOf);
  return {
    determined: true,
    basic: expired ? 'U' : winner.basic,
    ...(winner.category !== undefined && !expired && { category: winner.category }),
    lastUpdated: winner.decided,
    source: winner.source,
    ...(winner.feed !== undefined && { feed: winner.feed }),
    ...(winner.validUntil !== undefined && { validUntil: winner.validUntil }),
    expired,
    winner: winner.id,
  };
}

export const hasLapsed = (winner: Pick<Winner, 'lapsesAt'>, asOf: number): boolean => winner.lapsesAt !== undefined && asOf >= winner.lapsesAt;

/** A source's clock may run five minutes ahead of ours: such a statement counts from when it came. */
const knownFrom = (one: Assertion): number => Math.min(one.decidedAt, one.receivedAt);

function latestOf(assertions: readonly Assertion[]): Assertion | undefined {
  let latest: Assertion | undefined;
  for (const one of assertions) if (latest === undefined || supersedes(one, latest)) latest = one;
  return latest;
}

/** A total order, so that the order of arrival can't matter: instant, then source, then the feed's rank, then receipt, then id. */
function supersedes(one: Assertion, other: Assertion): boolean {
  if (one.decidedAt !== other.decidedAt) return one.decidedAt > other.decidedAt;
  if (one.source !== other.source) return RANK[one.source] > RANK[other.source];
  if (one.rank !== other.rank) return (one.rank ?? Infinity) < (other.rank ?? Infinity);
  if (one.receivedAt !== other.receivedAt) return one.receivedAt > other.receivedAt;
  return one.id > other.id;
}
