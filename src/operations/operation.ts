// What an $operation is: its definition and its handler, side by side. https://hl7.org/fhir/R4/operations.html
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
  handle(request: FhirRequest, context: Context): Promise<FhirResponse>;
}
