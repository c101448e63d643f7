// What the FHIRPath compiler must know of FHIR's types; definitions/ implements it.

export interface ElementModel {
  /** Type codes; more than one where the element is a choice (`value[x]`, stored under the name `value`). */
  readonly types: readonly string[];
  readonly choice: boolean;
  /** max > 1 or *: the JSON holds an array. */
  readonly repeats: boolean;
  /** Type name of the backbone where the element is one: `Patient.contact`; equals types[0] then. */
  readonly backbone?: string;
}

export interface TypeModel {
  /** `Patient`, `HumanName`, `Patient.contact`, `string`; undefined where there is no such type. */
  element(type: string, name: string): ElementModel | undefined;
  /** Is `type` the same as `ancestor` or derived from it (Patient -> DomainResource -> Resource)? */
  isA(type: string, ancestor: string): boolean;
  isResource(type: string): boolean;
}

/** Told of an expression that fhirpath.js will interpret, and why: it will be slow. */
export type OnFallback = (expression: string, type: string, reason: string) => void;

/** Called once per node of the result, in document order, with its FHIR type (`HumanName`, `code`, `Reference`). */
export type Emit = (type: string, value: unknown) => void;

/**
 * A search-parameter expression compiled for one resource type, or a part of a composite for the type of its node.
 * `resource` is what the node lies in (for `%resource` and contained references); the node itself when absent.
 */
export type CompiledPath = (node: object, emit: Emit, resource?: object) => void;

/** A node of a result: `HumanName`, `code`, or of FHIRPath's own types, `System.Decimal`. */
export interface TypedValue {
  readonly type: string;
  /** JSON; a decimal, date, time or quantity that was worked out is its text. */
  readonly value: unknown;
}
