// Who did what to a budget and why: the Provenance that stands for a movement of money without a Claim or PaymentNotice (ruling 16).
import type { Caller } from '../fhir/caller.js';
import { instantText } from '../fhir/date-time.js';
import type { Resource } from '../fhir/resource.js';
import { ODS_CODE } from './codes.js';

export interface Act {
  readonly id: string;
  /** What was done: the code of the operation, or `open`. */
  readonly activity: string;
  readonly reason?: string | undefined;
  /** Where the reason is a code: its system. */
  readonly reasonSystem?: string | undefined;
  readonly caller: Caller;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface BudgetAct extends Act {
  /** Logical id of the Account and the version that the act made. */
  readonly account: string;
  readonly version: number;
}

export const provenanceOf = ({ account, version, ...act }: BudgetAct): Resource => provenanceOn([`Account/${account}/_history/${version}`], act);

/** Of an act on these: `Claim/1`. */
export function provenanceOn(targets: readonly string[], { id, activity, reason, reasonSystem, caller, now }: Act): Resource {
  const organization = caller.organization === undefined ? undefined : { onBehalfOf: { type: 'Organization', identifier: { system: ODS_CODE, value: caller.organization } } };
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
