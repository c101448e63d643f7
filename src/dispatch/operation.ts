// Calls the $operation that a request names, where it may be called that way. https://hl7.org/fhir/R4/operations.html#executing
import { fail } from '../fhir/errors.js';
import type { FhirRequest } from '../fhir/request.js';
import type { Handler } from '../interactions/context.js';
import { once } from '../interactions/once.js';
import type { Operation } from '../operations/operation.js';

export function createOperationHandler(operations: readonly Operation[]): Handler {
  return async (request, context) => {
    // One code may be of several types, each with its own definition: validate-code.
    const operation = operations.find((one) => one.code === request.operation && takes(one, request));
    if (!operation) throw fail('unknown-operation', { text: `There is no operation $${(request.operation ?? '').slice(0, 64)} here` });
    if (request.method !== 'POST' && operation.affectsState) throw fail('method-not-allowed', { text: `$${operation.code} changes something: call it with POST` }, { allow: 'POST' });
    return operation.affectsState ? act(operation)(request, context) : operation.handle(request, context);
  };
}

const act = (operation: Operation): Handler => once((request, context) => operation.handle(request, context));

function takes(operation: Operation, { type, id }: FhirRequest): boolean {
  if (type === undefined) return operation.system;
  return (id === undefined ? operation.types : operation.instances).includes(type);
}
