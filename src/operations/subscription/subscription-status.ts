// Subscription/[id]/$status: how a Subscription stands, as the Subscriptions R5 Backport tells it in R4.
// https://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition-backport-subscription-status.html
import { BASE } from '../../budgets/codes.js';
import { asText } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import type { FhirRequest } from '../../fhir/request.js';
import type { Resource } from '../../fhir/resource.js';
import type { Context } from '../../interactions/context.js';
import { standingOf, type Standing } from '../../subscriptions/events.js';
import { statusParameters, type Notification } from '../../subscriptions/notification.js';
import { AT, readInput } from '../input.js';
import type { Operation } from '../operation.js';
import { present } from '../present.js';

type Validate = (resource: Resource) => readonly Issue[];

/** So many may be asked for at once. */
const MOST = 100;

export function createSubscriptionStatusOperation({ validate }: { readonly validate: Validate }): Operation {
  return {
    code: 'status',
    definition: `${BASE}/OperationDefinition/subscription-status`,
    system: false,
    types: ['Subscription'],
    instances: ['Subscription'],
    affectsState: false,
    async handle(request, context) {
      const found = request.id === undefined ? await named(request, context, validate) : [await one(request, request.id, context, validate)];
      const entry = await Promise.all(found.map((subscription) => entryOf(subscription, request, context)));
      return { status: 200, body: JSON.stringify({ resourceType: 'Bundle', type: 'searchset', total: entry.length, entry: entry.length > 0 ? entry : undefined }) };
    },
  };
}

async function one(request: FhirRequest, id: string, context: Context, validate: Validate): Promise<Resource> {
  readInput(request, {}, validate);
  return present('Subscription', id, context);
}

/** Those of the ids that the caller may see, as a search would find them; in the statuses asked for. */
async function named(request: FhirRequest, { store, grant }: Context, validate: Validate): Promise<readonly Resource[]> {
  const input = readInput(request, { id: 'text*', status: 'text*' }, validate);
  const ids = new Set(input.texts('id').flatMap((text) => text.split(',')));
  const statuses = input.texts('status').flatMap((text) => text.split(','));
  if (ids.size === 0 || ids.size > MOST) throw fail('invalid-parameter', { text: `Name 1 to ${MOST} Subscriptions by the parameter id, or call $status on one of them`, expression: AT });
  const read = await Promise.all([...ids].map((id) => store.read(grant, 'Subscription', id)));
  return read.flatMap((found) => (found?.text == null ? [] : [JSON.parse(found.text) as Resource])).filter((found) => statuses.length === 0 || statuses.includes(asText(found['status']) ?? ''));
}

async function entryOf(subscription: Resource, request: FhirRequest, context: Context): Promise<object> {
  const standing = await standingOf(context.db, subscription.id ?? '');
  const told = statusOf(subscription, standing, request, context);
  const resource = statusParameters({ ...told, type: 'query-status', content: 'empty', of: [] });
  return { fullUrl: `urn:uuid:${told.id}`, resource, search: { mode: 'match' } };
}

/** What every answer about a Subscription begins with. */
export function statusOf(subscription: Resource, standing: Standing | undefined, { base }: FhirRequest, { parts, now }: Context): Omit<Notification, 'type' | 'content' | 'of'> {
  const topic = standing?.wanted.kind === 'status' ? standing.wanted.topic : undefined;
  return { id: parts.newId(), base, subscription: subscription.id ?? '', topic, status: asText(subscription['status']) ?? 'off', events: standing?.events ?? 0, now, error: asText(subscription['error']) };
}
