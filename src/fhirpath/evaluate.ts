// Any FHIRPath over any resource, once. https://hl7.org/fhirpath/N1/
import { compileNodes } from './compile-nodes.js';
import type { PathEnvironment } from './environment.js';
import type { OnFallback, TypedValue, TypeModel } from './model.js';
import { resourceTypeOf } from './navigate.js';

export interface EvaluateOptions extends Partial<PathEnvironment> {
  readonly onFallback?: OnFallback;
}

/**
 * Without a resource the expression can only be about literals. Throws PathError where it makes no sense for the resource's type,
 * EvaluationError where the data gives no answer.
 */
export function evaluate(resource: object | undefined, expression: string, model: TypeModel, { onFallback, ...host }: EvaluateOptions = {}): readonly TypedValue[] {
  const around = resource ?? {};
  const select = compileNodes(expression, resourceTypeOf(resource, 'Resource'), model, { onFallback, strictAs: true });
  return select(resource, { resource: around, rootResource: around, ...host });
}
