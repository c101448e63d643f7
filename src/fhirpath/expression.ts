// A FHIRPath expression as plain data: what the text says, before any type is known.
// https://hl7.org/fhirpath/N1/

export type Expression =
  /** `null` is the empty collection `{}`. */
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  /** `$this`. */
  | { readonly kind: 'this' }
  /** `%resource`. */
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'member'; readonly of?: Expression; readonly name: string }
  | { readonly kind: 'call'; readonly of?: Expression; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: 'index'; readonly of: Expression; readonly at: Expression }
  | { readonly kind: 'type'; readonly operator: 'is' | 'as'; readonly of: Expression; readonly type: string }
  /** `|`, `and`, `=` … */
  | { readonly kind: 'operator'; readonly operator: string; readonly left: Expression; readonly right: Expression };

/** FHIRPath this compiler does not know: the caller falls back to the interpreter. */
export class UnsupportedError extends Error {}

/** An expression that makes no sense for its type, whoever reads it: `Patient.nmae`. */
export class PathError extends Error {}
