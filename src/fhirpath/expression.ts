// A FHIRPath expression as plain data: what the text says, before any type is known.
// https://hl7.org/fhirpath/N1/

export type Expression =
  /** `null` is the empty collection `{}`; `written` is there where a number has decimal places: 1.10. */
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null; readonly written?: string }
  /** `@2014-01`, `@2014-01-01T10:00`, `@T10:00`, without the `@`. */
  | { readonly kind: 'temporal'; readonly type: 'Date' | 'DateTime' | 'Time'; readonly text: string }
  /** `4 days`, `4 'mg'`: `calendar` tells the first from the second. */
  | { readonly kind: 'quantity'; readonly value: string; readonly unit: string; readonly calendar: boolean }
  /** `$this`. */
  | { readonly kind: 'this' }
  /** `$index`, `$total`. */
  | { readonly kind: 'loop'; readonly name: 'index' | 'total' }
  /** `%resource`. */
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'member'; readonly of?: Expression; readonly name: string }
  | { readonly kind: 'call'; readonly of?: Expression; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: 'index'; readonly of: Expression; readonly at: Expression }
  | { readonly kind: 'type'; readonly operator: 'is' | 'as'; readonly of: Expression; readonly type: string }
  /** `-1`, `+1`. */
  | { readonly kind: 'sign'; readonly negative: boolean; readonly of: Expression }
  /** An argument of `sort`: `name desc`. */
  | { readonly kind: 'order'; readonly descending: boolean; readonly of: Expression }
  /** `|`, `and`, `=`, `+`, `in` … */
  | { readonly kind: 'operator'; readonly operator: string; readonly left: Expression; readonly right: Expression };

/** FHIRPath this compiler does not know: the caller falls back to a slower road. */
export class UnsupportedError extends Error {}

/** An expression that makes no sense for its type, whoever reads it: `Patient.nmae`. */
export class PathError extends Error {}

/** An expression that this data gives no answer to: several values where one is wanted, a text where a number is. */
export class EvaluationError extends Error {}
