// One JSON object of a client's text, as text and as value together.
import type { JsonObject } from './resource.js';

/** Where one member of an object stands in the text. */
export interface Member {
  readonly key: string;
  /** From the opening quote of the key. */
  readonly start: number;
  readonly valueStart: number;
  /** Exclusive. */
  readonly valueEnd: number;
}

/** One JSON object of a text: a whole body, or the resource of a Bundle entry inside its body. */
export interface JsonDocument {
  /** The whole text, byte order mark removed. */
  readonly text: string;
  /** The range of this object in `text`. */
  readonly start: number;
  readonly end: number;
  /** JSON.parse of the range. Never changed by anyone. */
  readonly value: JsonObject;
  /** Top-level members in order. */
  readonly members: readonly Member[];
  /** The digits as written of a number whose value JavaScript can't hold; undefined where String(number) is exact. `path` is as in FHIRPath: `item[0].net.value`. */
  exactDecimal(path: string): string | undefined;
  /** The digits as written of any number, by the same path. Cheap where all numbers of the document print as written; else one walk per document. */
  writtenNumber(path: string): string | undefined;
}
