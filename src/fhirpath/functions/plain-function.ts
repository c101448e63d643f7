// How a FHIRPath function with evaluated arguments is written down; those that loop over a criterion are in loops.ts.
import type { Surroundings } from '../environment.js';
import type { Items } from '../item.js';

/** An argument that was not given is undefined. Throws EvaluationError where the values do not fit. */
export type PlainFunction = (input: Items, args: readonly (Items | undefined)[], world: Surroundings) => Items;

export interface FunctionRow {
  /** Fewest and most arguments. */
  readonly takes: readonly [number, number];
  /** Type of the result: undefined where only the data tells, `input` where it is that of the input. */
  readonly gives?: string;
  readonly run: PlainFunction;
}

export type FunctionTable = Readonly<Record<string, FunctionRow>>;
