// What an $operation is: its definition and its handler, side by side. https://hl7.org/fhir/R4/operations.html
import { BASE } from '../budgets/codes.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { Context } from '../interactions/context.js';

export interface Operation {
  /** Without the dollar: `chargeable-status`. */
  readonly code: string;
  /** Canonical URL of its OperationDefinition. */
  readonly definition: string;
  /** Where it may be called. */
  readonly system: boolean;
  readonly types: readonly string[];
  readonly instances: readonly string[];
  /** GET is refused (405) where it is true. */
  readonly affectsState: boolean;
  /** It is answered later in its own way: Prefer: respond-async is left to it. */
  readonly makesJob?: boolean;
  handle(request: FhirRequest, context: Context): Promise<FhirResponse>;
}

const onInstance = (affectsState: boolean) => (type: string, code: string, handle: Operation['handle']): Operation =>
  ({ code, definition: `${BASE}/OperationDefinition/${code}`, system: false, types: [], instances: [type], affectsState, handle });

/** An operation of this service's own on one resource of the type, which changes something: by POST. */
export const actOn = onInstance(true);
/** One that only tells of it: by GET as well. */
export const viewOf = onInstance(false);
