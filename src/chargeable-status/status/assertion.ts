// One statement of a source about a patient, reduced to what the answer depends on. A patient's row holds these as a JSON array.
import type { Basic, Category } from './category.js';

export type Source = 'HO' | 'OVM' | 'FEED';

export interface Assertion {
  /** Logical id of its Observation. */
  readonly id: string;
  readonly source: Source;
  /** Of source FEED: which, and its rank when the statement came. */
  readonly feed?: string;
  readonly rank?: number;
  /** When the source decided, milliseconds since the epoch; a day counts from its start in London. */
  readonly decidedAt: number;
  /** The same as FHIR dateTime with offset, as the source wrote it. */
  readonly decided: string;
  /** When it reached us, milliseconds since the epoch. */
  readonly receivedAt: number;
  readonly basic: Basic;
  readonly category?: Category;
  /** Last day on which its evidence is good: FHIR date. */
  readonly validUntil?: string;
  /** The moment after that day's end in London, milliseconds since the epoch. */
  readonly lapsesAt?: number;
  /** Status entered-in-error: kept for the record, never considered. */
  readonly withdrawn?: boolean;
}

export const readAssertions = (text: string): Assertion[] => JSON.parse(text) as Assertion[];

/** The list with one assertion put in place of its former self, or added. */
export function withAssertion(list: readonly Assertion[], assertion: Assertion): Assertion[] {
  return [...list.filter((one) => one.id !== assertion.id), assertion];
}
