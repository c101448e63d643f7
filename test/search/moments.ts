// What the specification says of dates and prefixes, sentence by sentence: the reference that searches are held against.
// https://hl7.org/fhir/R4/search.html#prefix
import type { Prefix } from '../../src/search/query.js';

/** The first and the last millisecond of a range, both within it. */
export interface Moment {
  readonly from: number;
  readonly to: number;
}

const overlaps = (a: Moment, b: Moment): boolean => a.from <= b.to && b.from <= a.to;
const contains = (outer: Moment, inner: Moment): boolean => outer.from <= inner.from && inner.to <= outer.to;
const above = ({ to }: Moment): Moment => ({ from: to + 1, to: Infinity });
const below = ({ from }: Moment): Moment => ({ from: -Infinity, to: from - 1 });

export const SENTENCES: Readonly<Record<Prefix, (search: Moment, target: Moment) => boolean>> = {
  eq: (search, target) => contains(search, target),
  ne: (search, target) => !contains(search, target),
  gt: (search, target) => overlaps(above(search), target),
  lt: (search, target) => overlaps(below(search), target),
  ge: (search, target) => overlaps(above(search), target) || contains(search, target),
  le: (search, target) => overlaps(below(search), target) || contains(search, target),
  sa: (search, target) => !overlaps(search, target) && contains(above(search), target),
  eb: (search, target) => !overlaps(search, target) && contains(below(search), target),
  ap: (search, target) => overlaps(search, target),
};

export const PREFIXES = Object.keys(SENTENCES) as readonly Prefix[];
