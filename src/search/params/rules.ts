// What each search type is: both halves of one idea, resource value -> index rows and query value -> SQL.
import { fail, type FhirError } from '../../fhir/errors.js';
import type { SearchValue } from '../query.js';
import type { RowCollector } from '../row-collector.js';
import type { Slot } from '../slots.js';
import type { PredicateScope } from '../sql-scope.js';

/** Takes one value that a parameter's expression found. */
export type Indexer = (rows: RowCollector, value: unknown) => void;

/** What reading a value may depend on beside its text. */
export interface ReadContext {
  /** Milliseconds since the epoch, for `ap` on dates: it reaches no further than the date where this is absent. */
  readonly now?: number | undefined;
  /** URL of this service, without a slash at the end: a reference that begins with it is one of ours. */
  readonly base: string;
  /** Are lists of codes looked up before the search runs? Else what needs one (`:in`, `:below` …) is refused. */
  readonly lists?: boolean;
  /** All resource types, for references that may point at any. */
  readonly types: readonly string[];
}

export interface ParameterRules {
  /** Beyond `:missing`, which all have. On references also the name of a type. */
  readonly modifiers: readonly string[];
  /** For values of one FHIR type. */
  indexer(slot: Slot, type: string): Indexer;
  /** One item of a comma list, escapes still in it. Throws 400 where it can't be a value of this type. */
  read(slot: Slot, modifier: string | undefined, text: string, context: ReadContext): SearchValue;
  /** True for resources that have any of the values. */
  predicate(slot: Slot, modifier: string | undefined, values: readonly SearchValue[], scope: PredicateScope): string;
}

/** 400: says which parameter, what was sent and what would do. */
export function badValue(slot: Slot, text: string, advice: string): FhirError {
  return fail('invalid-parameter', { text: `"${text}" is not a value of ${slot.code}: ${advice}`, expression: slot.code });
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The items of a FHIR list; nothing where the member is absent. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
