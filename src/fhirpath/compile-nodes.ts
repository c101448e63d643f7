// A path to nodes, with all that FHIRPath has: for the discriminators of slices, and what the fast road of search has no code for.
// https://hl7.org/fhir/R4/profiling.html#discriminator
import { decimalText, type Decimal } from '../fhir/decimal.js';
import { compileExpression } from './compile-expression.js';
import { Steps, type PathEnvironment } from './environment.js';
import { UnsupportedError } from './expression.js';
import { interpretNodes } from './interpret.js';
import { isSystem, type Item } from './item.js';
import type { OnFallback, TypedValue, TypeModel } from './model.js';
import { resourceTypeOf } from './navigate.js';
import { parse } from './parse.js';
import { quantityText, type Quantity } from './quantity.js';
import { temporalText, type Temporal } from './temporal.js';

/**
 * The nodes the path leads to from `value`, with their types. `sibling`: `_birthDate` where the value is a primitive.
 * Throws EvaluationError where the data gives no answer: several values where one is wanted.
 */
export type NodeSelector = (value: unknown, env: PathEnvironment, sibling?: object) => readonly TypedValue[];

export interface NodeOptions {
  readonly onFallback?: OnFallback | undefined;
  /** FHIRPath's own `as`: several values are an error. R4's expressions mean `ofType`. */
  readonly strictAs?: boolean;
}

/**
 * `type`: of the node the path starts at. Throws PathError where the text is no FHIRPath or names an element or type there is not;
 * `onFallback` is told of what fhirpath.js interprets.
 */
export function compileNodes(expression: string, type: string, model: TypeModel, { onFallback, strictAs = false }: NodeOptions = {}): NodeSelector {
  try {
    const run = compileExpression(parse(expression), [type], model, { lenientAs: !strictAs });
    return (value, host, sibling) => {
      const start: Item[] = value === undefined ? [] : [{ type: resourceTypeOf(value, type), value, sibling }];
      return run({ focus: start, index: undefined, total: [], world: { model, host, start, steps: new Steps() } }).map(typedValue);
    };
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    onFallback?.(expression, type, error.message);
    const run = interpretNodes(expression, type);
    return (value, { resource }) => (typeof value === 'object' && value !== null ? run(value, resource) : []);
  }
}

function typedValue(item: Item): TypedValue {
  const { type, value } = item;
  if (!isSystem(item) || typeof value !== 'object') return { type, value };
  if (type === 'System.Decimal') return { type, value: decimalText(value as Decimal) };
  if (type === 'System.Quantity') return { type, value: quantityText(value as Quantity) };
  return type === 'System.TypeInfo' ? { type, value } : { type, value: temporalText(value as Temporal) };
}
