// What every write of a Subscription meets: what it asks for can be served and is allowed, and its status stays the server's.
// https://hl7.org/fhir/R4/subscription-definitions.html#Subscription.status
import { SUBSCRIBER_TAG, subscriberCode } from '../access/subscriber.js';
import type { Definitions } from '../definitions/model.js';
import type { Caller } from '../fhir/caller.js';
import { dateRange } from '../fhir/date-time.js';
import { asObject, asObjects, asText } from '../fhir/elements.js';
import { FhirError } from '../fhir/errors.js';
import type { JsonObject, Resource } from '../fhir/resource.js';
import type { Write, WriteRule } from '../store/rule.js';
import { refuse } from './channel.js';
import type { Network } from './network.js';
import { queryOf } from './outbox.js';
import { change, forget, register, silence } from './registry.js';
import { requireRight, type Permit } from './rights.js';
import { readWanted, type Wanted } from './wanted.js';

export interface SubscriptionRuleParts {
  readonly definitions: Definitions;
  readonly permit: Permit;
  readonly network: Network;
}

export function createSubscriptionRule(parts: SubscriptionRuleParts): WriteRule {
  return {
    concerns: ({ type }) => type === 'Subscription',
    complete: (write, { caller }) => Promise.resolve(write.after && { ...ownedBy(write, caller), ...statusOf(write) }),
    check(write, context) {
      if (write.after && isServed(write)) requireServed(write.after, context.caller, parts);
      return Promise.resolve();
    },
    async after(write, { tx, caller }) {
      const { id, after } = write;
      if (!after) return forget(tx.db, id);
      if (!isServed(write)) return silence(tx.db, id);
      const asked = { subscription: id, caller, wanted: readWanted(after, parts.network), ends: endOf(after) };
      await (after['status'] === 'requested' ? register(tx.db, asked) : change(tx.db, asked));
    },
  };
}

/** One that is off, or a copy of one that failed elsewhere, is kept and not judged. */
function isServed({ before, after }: Write): boolean {
  const status = after?.['status'];
  return status === 'requested' || status === 'active' || (status === 'error' && before !== undefined);
}

function requireServed(after: Resource, caller: Caller, { definitions, permit, network }: SubscriptionRuleParts): void {
  const wanted = readWanted(after, network);
  requireRight(caller, wanted, permit);
  if (wanted.kind === 'search') requireSearch(wanted, definitions);
}

function requireSearch(wanted: Extract<Wanted, { kind: 'search' }>, definitions: Definitions): void {
  if (!definitions.resourceTypes.includes(wanted.type)) throw refuse('criteria', `There is no resource type ${wanted.type} in FHIR R4`);
  try {
    queryOf(definitions, wanted, 0);
  } catch (error) {
    throw error instanceof FhirError ? refuse('criteria', error.message) : error;
  }
}

/** The client asks by `requested`, or stops by `off`; the rest is the server's. Sending `active` or `error` back as they were read changes nothing. */
function statusOf({ before, after }: Write): Readonly<Record<string, unknown>> {
  const asked = after?.['status'];
  const was = before?.['status'];
  if (asked === 'off') return { error: undefined };
  if (asked === 'error' && was === undefined) return {};
  if (asked === 'error') {
    if (was !== 'error') throw refuse('status', 'A Subscription is put in error by the server: send requested, or off');
    return { error: before?.['error'] };
  }
  if (asked === 'active' && was === 'active' && sameAsked(before, after)) return { error: before?.['error'] };
  return { status: 'requested', error: undefined };
}

const sameAsked = (before: Resource | undefined, after: Resource | undefined): boolean =>
  ['criteria', '_criteria', 'channel'].every((member) => JSON.stringify(before?.[member]) === JSON.stringify(after?.[member]));

/** Administrators see all: theirs needs no owner, and another's keeps its own. */
function ownedBy({ before, after }: Write, caller: Caller): { readonly meta?: JsonObject } {
  const kept = tagsOf(before).find(({ system }) => system === SUBSCRIBER_TAG);
  const owner = kept ?? (caller.role === 'admin' ? undefined : { system: SUBSCRIBER_TAG, code: subscriberCode(caller) });
  const others = tagsOf(after).filter(({ system }) => system !== SUBSCRIBER_TAG);
  if (!owner && others.length === tagsOf(after).length) return {};
  const { tag: _replaced, ...meta } = asObject(after?.['meta']) ?? {};
  const tag = owner ? [...others, owner] : others;
  return { meta: { ...meta, ...(tag.length > 0 && { tag }) } };
}

const tagsOf = (resource: Resource | undefined): JsonObject[] => asObjects(asObject(resource?.['meta'])?.['tag']);

function endOf(after: Resource): number | null {
  const end = asText(after['end']);
  return end === undefined ? null : (dateRange(end)?.lo ?? null);
}
