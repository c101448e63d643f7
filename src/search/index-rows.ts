// What one resource adds to the index tables: computed once per write, by the same files that read search values.

export interface IndexRows {
  /** Of the search parameters that these are the rows of: Definitions.searchVersion. */
  readonly generation: number;
  /** 64-bit hashes for the GIN: see search/token-hash.ts. */
  readonly tokens: readonly bigint[];
  /** `Patient/123 subject patient `: one entry per distinct target, with the parameters that point at it; for includes. */
  readonly refs: readonly string[];
  /** `0`/`1` per search parameter of the type in code order: is there a value? For `:missing`. */
  readonly present: string;
  /** Hash of `Type/id`, so that SQL can make a reference token of a row (self # salt of the parameter). */
  readonly self: bigint;
  /** Promoted: the `Type/id` of the single subject, where the type has one. */
  readonly subject: string | null;
  /** Promoted: bounds of the main date, milliseconds since the epoch, hi exclusive. */
  readonly dateLo: number | null;
  readonly dateHi: number | null;
  /** The words of codes, for `:text`: each text that can be searched for is in fhir.code_text, and its token among `tokens`. */
  readonly texts: readonly CodeText[];
  readonly strings: readonly { readonly param: number; readonly value: string; readonly raw: string }[];
  readonly dates: readonly { readonly param: number; readonly lo: number; readonly hi: number }[];
  readonly quantities: readonly QuantityRow[];
  /** Of the resources inside it; absent where there are none. */
  readonly contained?: readonly ContainedRows[];
}

export interface ContainedRows {
  readonly type: string;
  /** Its id within the container. */
  readonly local: string;
  readonly rows: IndexRows;
}

export interface CodeText {
  readonly param: number;
  /** Folded: see search/fold.ts. */
  readonly value: string;
  readonly token: bigint;
}

export interface QuantityRow {
  readonly param: number;
  /** For composites the token hash of the partner value; 0n otherwise. */
  readonly key: bigint;
  /** Decimal text. A range has a row for each of its ends, which may be `Infinity` or `-Infinity`. */
  readonly value: string;
  /** The other end, where it is one of a range. */
  readonly other?: string;
  /** Hash of system|code, of code, of unit; 0n where absent (numbers). */
  readonly unit: bigint;
  readonly code: bigint;
  readonly display: bigint;
  /** The same in base units of UCUM, where the unit can be converted: see ucum.ts. */
  readonly dimension?: bigint;
  readonly canonical?: string;
  readonly canonicalOther?: string;
}
