// The slow road: fhirpath.js interprets what the compiler does not know. https://github.com/HL7/fhirpath.js
import { createRequire } from 'node:module';
import { EvaluationError, PathError } from './expression.js';
import type { TypedValue } from './model.js';
import { typeReferredTo } from './refers-to.js';

type Evaluate = (node: unknown, variables: object) => unknown[];

interface Interpreter {
  compile(path: string | { base: string; expression: string }, model: unknown, options: object): Evaluate;
  types(values: unknown[]): string[];
  resolveInternalTypes(values: unknown[]): unknown[];
  util: { valData(value: unknown): unknown };
}

/** fhirpath.js knows the type of nothing but its own nodes. */
interface Nodes {
  ResourceNode: { makeResNode(context: unknown, ...node: unknown[]): unknown };
}

const load = createRequire(import.meta.url);

/**
 * `type`: of the input node. Gives the nodes with their types: `HumanName`, `System.String`. Throws PathError where fhirpath.js can't read
 * the expression either, and EvaluationError later, where the data gives no answer.
 */
export function interpretNodes(expression: string, type: string): (node: object, resource: object) => readonly TypedValue[] {
  const interpreter = load('fhirpath') as Interpreter;
  const model: unknown = load('fhirpath/fhir-context/r4');
  const { ResourceNode } = load('fhirpath/src/types.js') as Nodes;
  let within: unknown;
  const resolve = {
    arity: { 0: [] },
    fn(this: unknown, references: unknown[]): unknown[] {
      const types = references.map((reference) => typeReferredTo(interpreter.util.valData(reference), within));
      return types.filter((found) => found !== undefined).map((resourceType) => ResourceNode.makeResNode(this, { resourceType }, null, null, null, null));
    },
  };
  // trace() would print to stdout.
  const options = { resolveInternalTypes: false, traceFn: () => undefined, userInvocationTable: { resolve } };
  const path = /^[A-Z][A-Za-z]+$/.test(type) ? expression : { base: type, expression };
  const evaluate = compile(interpreter, path, model, options);
  return (node, resource) => {
    within = resource;
    const values = evaluated(evaluate, node, resource);
    const types = interpreter.types(values);
    return interpreter.resolveInternalTypes(values).map((value, index) => ({ type: (types[index] ?? '').replace(/^FHIR\./, ''), value }));
  };
}

function compile(interpreter: Interpreter, path: string | { base: string; expression: string }, model: unknown, options: object): Evaluate {
  try {
    return interpreter.compile(path, model, options);
  } catch (error) {
    throw new PathError(`${JSON.stringify(path)} is not FHIRPath: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function evaluated(evaluate: Evaluate, node: object, resource: object): unknown[] {
  try {
    return evaluate(structuredClone(node), { resource, rootResource: resource }); // it may write into its input
  } catch (error) {
    throw new EvaluationError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
