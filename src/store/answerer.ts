// How the domain answers what only it can: main hands answerers to perform, which asks them before the ordinary road,
// under the same Grant (architecture.md, decision 4).
import type { Queryable } from '../db/database.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { Grant } from '../search/grant.js';
import type { Reader } from './store.js';

export interface AnswerContext {
  readonly grant: Grant;
  readonly store: Reader;
  /** For the tables of the room that answers; inside a transaction bundle, that transaction. */
  readonly db: Queryable;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface Answerer {
  /** Is this request mine? Cheap, and true for a request whose answer is then a refusal. */
  concerns(request: FhirRequest, grant: Grant): boolean;
  /** Undefined hands the request back to the ordinary road. */
  answer(request: FhirRequest, context: AnswerContext): Promise<FhirResponse | undefined>;
}
