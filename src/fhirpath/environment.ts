// What an expression may ask of the world outside its node: the resource around it, references, value sets, the clock.
// https://hl7.org/fhir/R4/fhirpath.html#variables
import { EvaluationError } from './expression.js';
import type { Items } from './item.js';
import type { TypeModel } from './model.js';

export interface PathEnvironment {
  /** `%resource`: the resource the node lies in, which may be a contained one. */
  readonly resource: object;
  /** `%rootResource`: the one that contains it, or itself. */
  readonly rootResource: object;
  /** `%context` where it is not the node itself. */
  readonly context?: object;
  /**
   * The resource that a reference leads to; undefined where it can't be found. What is contained in `rootResource`, or an
   * entry of it where it is a Bundle, is found without asking.
   */
  readonly resolve?: (reference: string) => object | undefined;
  /** `value`: a code, Coding, CodeableConcept or text, of that FHIR type. Undefined where the value set is not known. */
  readonly memberOf?: (value: unknown, type: string, valueSet: string) => boolean | undefined;
  /** Undefined where the profile is not known. Without it only R4's own types are known. */
  readonly conformsTo?: (value: unknown, type: string, profile: string) => boolean | undefined;
  /** Is this XHTML allowed in a narrative? True where nobody is asked. */
  readonly htmlChecks?: (xhtml: string) => boolean;
  /** ms since the epoch, for `now()`: an expression that asks for the time fails without it. */
  readonly now?: () => number;
  /** Told why an invariant could not be evaluated, which counts as failed. */
  readonly onError?: (message: string) => void;
}

/** The environment with the node that the evaluation began at. */
export interface Surroundings {
  readonly model: TypeModel;
  readonly host: PathEnvironment;
  readonly start: Items;
  readonly steps: Steps;
}

/** What one evaluation may take: loops within loops over a large resource would hold the server. */
export class Steps {
  /** 13 times what any rule needs over any of the specification's examples (153,252: dom-3 over List-prognosis). */
  private left = 2_000_000;

  /** Throws EvaluationError where no more is left. */
  take(count: number): void {
    this.left -= count;
    if (this.left < 0) throw new EvaluationError('it takes too many steps over this resource');
  }
}
