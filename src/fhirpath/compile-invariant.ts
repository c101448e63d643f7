// An invariant of a StructureDefinition, compiled for the type of the element it stands on.
// https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.constraint
import { compileExpression } from './compile-expression.js';
import { Steps, type PathEnvironment } from './environment.js';
import { corrected } from './errata.js';
import { type Expression, UnsupportedError } from './expression.js';
import { buildTest, type GeneratedTest } from './build.js';
import { generateTest } from './generate.js';
import { makeTest } from './make-plan.js';
import { interpretNodes } from './interpret.js';
import { EMPTY, truthOf, type Items } from './item.js';
import type { OnFallback, TypeModel } from './model.js';
import { resourceTypeOf } from './navigate.js';
import { parse } from './parse.js';

/**
 * True where the node meets the rule. `sibling`: `_birthDate` of a primitive. No answer, or one that can't be worked out (env.onError is told why),
 * is a failure. Never throws.
 */
export type Invariant = (value: unknown, env: PathEnvironment, sibling?: object) => boolean;

/**
 * `contextType`: of the node the rule is asked of: `Patient`, `Patient.contact`, `Quantity`, `decimal`; R4's faulty rules are corrected.
 * Throws PathError where the text is no FHIRPath or names an element or type there is not; `onFallback` is told of what fhirpath.js interprets.
 */
export function compileInvariant(expression: string, contextType: string, model: TypeModel, onFallback?: OnFallback): Invariant {
  const text = corrected(expression, contextType);
  try {
    const parsed = parse(text);
    return fast(parsed, contextType, model) ?? general(parsed, contextType, model);
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    onFallback?.(text, contextType, error.message);
    return interpreted(text, contextType);
  }
}

/** Undefined where there is no code for it. */
function fast(expression: Expression, contextType: string, model: TypeModel): Invariant | undefined {
  const test = testOf(expression, contextType, model);
  if (!test) return undefined;
  return (value, env) => {
    try {
      return typeof value === 'object' && value !== null && test(value, env.resource) === true;
    } catch (error) {
      env.onError?.(error instanceof Error ? error.message : String(error));
      return false;
    }
  };
}

function testOf(expression: Expression, contextType: string, model: TypeModel): GeneratedTest | undefined {
  try {
    return buildTest(generateTest(makeTest(expression, contextType, model)));
  } catch (error) {
    if (error instanceof UnsupportedError) return undefined;
    throw error;
  }
}

function general(expression: Expression, contextType: string, model: TypeModel): Invariant {
  const run = compileExpression(expression, [contextType], model, { lenientAs: true });
  return (value, host, sibling) => {
    const start: Items = [{ type: resourceTypeOf(value, contextType), value, sibling }];
    return judged(host, () => run({ focus: start, index: undefined, total: [], world: { model, host, start, steps: new Steps() } }));
  };
}

function judged(host: PathEnvironment, work: () => Items): boolean {
  try {
    return truthOf(work(), 'an invariant') === true;
  } catch (error) {
    host.onError?.(error instanceof Error ? error.message : String(error));
    return false;
  }
}

function interpreted(expression: string, contextType: string): Invariant {
  const run = interpretNodes(expression, contextType);
  return (value, host) => judged(host, () => (typeof value === 'object' && value !== null ? run(value, host.resource) : EMPTY));
}
