// A search parameter's FHIRPath, compiled to a JavaScript function for one type: text -> expression -> plan -> code.
// https://hl7.org/fhir/R4/search.html#table
import { buildPath } from './build.js';
import { compileNodes, type NodeSelector } from './compile-nodes.js';
import { EvaluationError, UnsupportedError } from './expression.js';
import { generate } from './generate.js';
import { makePlan } from './make-plan.js';
import type { CompiledPath, OnFallback, TypedValue, TypeModel } from './model.js';
import { parse } from './parse.js';

/**
 * `type`: of the node the path starts at: a resource type, or for the parts of composites a data type or backbone
 * (`Observation.component`). Parts of a union that are for other types are dropped.
 * Throws PathError where the text is no FHIRPath or names an element or type there is not.
 */
export function compilePath(expression: string, type: string, model: TypeModel, onFallback?: OnFallback): CompiledPath {
  try {
    return buildPath(pathSource(expression, type, model));
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    return collected(compileNodes(expression, type, model, { onFallback }));
  }
}

/** What has no answer over some data (several values where one is wanted) gives nothing. */
function collected(select: NodeSelector): CompiledPath {
  return (node, emit, resource = node) => {
    for (const { type, value } of selectedOrNothing(select, node, resource)) {
      if (value !== undefined) emit(type.startsWith('System.') ? type.charAt(7).toLowerCase() + type.slice(8) : type, value);
    }
  };
}

function selectedOrNothing(select: NodeSelector, node: object, resource: object): readonly TypedValue[] {
  try {
    return select(node, { resource, rootResource: resource });
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    return [];
  }
}

/** The JavaScript that `compilePath` runs: body of a function of `o` (the node), `emit` and `r` (the resource it lies in). */
export function pathSource(expression: string, type: string, model: TypeModel): string {
  return generate(makePlan(parse(expression), type, model));
}
