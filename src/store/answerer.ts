// How the domain answers what only it can: main hands answerers to perform, which asks them before the ordinary road,
// under the same Grant (architecture.md, decision 4).
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { Grant } from '../search/grant.js';
import type { Store } from './store.js';

export interface AnswerContext {
  readonly grant: Grant;
  readonly store: Store;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface Answerer {
  /** Is this request mine? Cheap, and true for a request whose answer is then a refusal. */
  concerns(request: FhirRequest, grant: Grant): boolean;
  /** Undefined hands the request back to the ordinary road. */
  answer(request: FhirRequest, context: AnswerContext): Promise<FhirResponse | undefined>;
}
