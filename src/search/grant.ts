// What a caller may see and do. access/ makes one per request; every function of store/ takes it, so no road is without it.
import type { Caller } from '../fhir/caller.js';
import type { FhirError } from '../fhir/errors.js';
import type { Interaction } from '../fhir/request.js';
import type { Resource } from '../fhir/resource.js';
import type { Clause } from './query.js';

export interface Grant {
  readonly caller: Caller;
  /** The rows of a type that this caller may see; `none` where there are none. ANDed to every read, search, chain and include. */
  rows(type: string): Clause;
  /** May the caller use this interaction on this type at all (403 if not)? */
  allows(interaction: Interaction, type?: string, operation?: string): boolean;
  /** Answers carry status, location and etag only: no resource, no outcome that tells whether someone is known (domain.md ruling 5). */
  readonly receiptsOnly: boolean;
  /** A write, seen with both versions: undefined when allowed, else the refusal to give. */
  refuseWrite(type: string, before: Resource | undefined, after: Resource | undefined): FhirError | undefined;
}
