// A search as a frozen tree: what the query string said, what a Grant adds, and nothing of SQL or of connections.
// https://hl7.org/fhir/R4/search.html
import type { SearchParameter } from '../definitions/model.js';
import type { Words } from './words.js';

/** What `_contained` and `_containedType` ask for. */
export interface ContainedWish {
  /** Contained resources alone, or those that stand by themselves first. */
  readonly which: 'true' | 'both';
  readonly give: 'container' | 'contained';
}

/** Comparison prefix of date, number and quantity values. */
export type Prefix = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb' | 'ap';

/** One parsed value of a parameter; a parameter's comma list is a list of these (OR). Values with `$` (composite) nest. */
export interface SearchValue {
  readonly text: string;
  readonly prefix?: Prefix;
  readonly parts?: readonly SearchValue[];
}

export type Clause =
  | { readonly kind: 'all' }
  | { readonly kind: 'none' }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Clause[] }
  | { readonly kind: 'not'; readonly of: Clause }
  /** `_id`. */
  | { readonly kind: 'ids'; readonly ids: readonly string[] }
  | { readonly kind: 'parameter'; readonly parameter: SearchParameter; readonly modifier?: string; readonly values: readonly SearchValue[] }
  /** `subject:Patient.identifier=…`: a row whose reference `parameter` points at a row of `type` that satisfies `where`. */
  | { readonly kind: 'chain'; readonly parameter: SearchParameter; readonly type: string; readonly where: Clause }
  /** A row whose reference `parameter` points at any row of `type`, there or not. No query string asks for it. */
  | { readonly kind: 'names'; readonly parameter: SearchParameter; readonly type: string }
  /** `_has:Observation:patient:code=…`. */
  | { readonly kind: 'has'; readonly type: string; readonly parameter: SearchParameter; readonly where: Clause }
  /** `_text`, `_content`: a row whose narrative, or whose whole content, has the words. */
  | { readonly kind: 'text'; readonly of: '_text' | '_content'; readonly words: Words }
  /** A row that satisfies `where`, or whose reference `parameter` leads to one of its own type that does, however many steps away: `location:below=1`. */
  | { readonly kind: 'below'; readonly parameter: SearchParameter; readonly where: Clause }
  /** The other way: a row that satisfies `where`, or to which the reference `parameter` leads from one of its own type that does: `location:above=1`. */
  | { readonly kind: 'above'; readonly parameter: SearchParameter; readonly where: Clause }
  /**
   * A row with a string of `parameter` that follows `Organization/1 ` in a string of `held`, a parameter of another type, where Organization/1 is
   * one of the `holder` type that satisfies `where`: what two resources say of a third. No query string asks for it.
   */
  | { readonly kind: 'held'; readonly parameter: SearchParameter; readonly type: string; readonly held: SearchParameter; readonly holder: string; readonly where: Clause };

export interface SortKey {
  /** `_id` and `_lastUpdated` come as parameters of those codes. */
  readonly parameter: SearchParameter;
  readonly descending: boolean;
}

export interface Include {
  /** `*` for any type. */
  readonly source: string;
  /** Undefined for `*`. */
  readonly parameter?: SearchParameter;
  readonly target?: string;
  readonly iterate: boolean;
  readonly reverse: boolean;
}

/** A page's place: values of the sort keys and the id of the last row seen. */
export interface Cursor {
  readonly keys: readonly (string | number | null)[];
  readonly id: string;
}

export interface Query {
  readonly type: string;
  readonly where: Clause;
  readonly sort: readonly SortKey[];
  /** Rows on a page; 0 asks for the total alone (`_summary=count`). */
  readonly count: number;
  readonly after?: Cursor;
  readonly includes: readonly Include[];
  /** Resources that are included at most; the usual limit where absent. */
  readonly mostIncluded?: number;
  readonly total: 'none' | 'estimate' | 'accurate';
  /** The place of each match in the order is to be told. */
  readonly placed?: boolean;
  /** What resources contain is asked for, too, or alone. */
  readonly contained?: ContainedWish;
  /** The plan is asked for, and not the rows: as PostgreSQL thinks of it, or measured by running it. */
  readonly explain?: 'plan' | 'analyze';
  /** The parameters as understood, in order, for the self link. */
  readonly self: readonly (readonly [string, string])[];
}
