// Who did what and why, as a resource: what the server writes of an act of the domain, beside what the act changed. https://hl7.org/fhir/R4/provenance.html
import type { Caller } from './caller.js';
import { instantText } from './date-time.js';
import { organizationReference } from './ods-code.js';
import type { Resource } from './resource.js';

export interface Act {
  readonly id: string;
  /** What was done: the code of the operation, or a word such as `open` and `assess`. */
  readonly activity: string;
  readonly reason?: string | undefined;
  /** Where the reason is a code: its system. */
  readonly reasonSystem?: string | undefined;
  readonly caller: Caller;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Of an act on these: `Claim/1`. */
export function provenanceOn(targets: readonly string[], { id, activity, reason, reasonSystem, caller, now }: Act): Resource {
  const organization = caller.organization === undefined ? undefined : { onBehalfOf: organizationReference(caller.organization) };
  return {
    resourceType: 'Provenance',
    id,
    target: targets.map((reference) => ({ reference })),
    recorded: instantText(now),
    ...(reason !== undefined && { reason: [reasonSystem === undefined ? { text: reason } : { coding: [{ system: reasonSystem, code: reason }] }] }),
    activity: { text: activity },
    agent: [{ type: { text: caller.role }, who: { identifier: { value: caller.subject } }, ...organization }],
  };
}
