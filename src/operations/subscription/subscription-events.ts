// Subscription/[id]/$events: what was told, or was to be told, once more. $dead-letters: what was given up, with the reason.
// https://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition-backport-subscription-events.html
import { BASE } from '../../budgets/codes.js';
import { patientsIn } from '../../audit/patients.js';
import { instantText } from '../../fhir/date-time.js';
import { fail } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import type { Resource } from '../../fhir/resource.js';
import type { Context } from '../../interactions/context.js';
import { CONTENTS, type Content } from '../../subscriptions/channel.js';
import { deadLetters, eventsBetween, standingOf, type NumberedEvent, type Standing } from '../../subscriptions/events.js';
import { notificationBundle, type NotifiedEvent } from '../../subscriptions/notification.js';
import { toldOf } from '../../subscriptions/told.js';
import type { Wanted } from '../../subscriptions/wanted.js';
import { AT, readInput } from '../input.js';
import { viewOf, type Operation } from '../operation.js';
import { output, outputParts, parametersResponse, type OutputParameter } from '../output.js';
import { present } from '../present.js';
import { statusOf } from './subscription-status.js';

interface EventParts {
  readonly validate: (resource: Resource) => readonly Issue[];
}

/** More are asked for from the number after the last. */
const MOST = 100;
const MOST_DEAD = 1000;

export function createSubscriptionEventsOperation({ validate }: EventParts): Operation {
  return {
    ...viewOf('Subscription', 'events', async (request, context) => {
      const subscription = await present('Subscription', request.id ?? '', context);
      const input = readInput(request, { eventsSinceNumber: 'count', eventsUntilNumber: 'count', content: 'text' }, validate);
      const asked = readContent(input.text('content'));
      const standing = await standingOf(context.db, subscription.id ?? '');
      const content = asked ?? usual(standing?.wanted);
      const since = input.count('eventsSinceNumber') ?? 0;
      const until = input.count('eventsUntilNumber') ?? standing?.events ?? 0;
      const found = await eventsBetween(context.db, subscription.id ?? '', { since, until, most: MOST });
      const of = content === 'empty' || !standing ? found.map(untold) : await shown(found, standing, subscription.id ?? '', context);
      return {
        status: 200,
        body: notificationBundle({ ...statusOf(subscription, standing, request, context), type: 'query-event', content, of }),
        about: of.flatMap(({ text }) => (text === undefined ? [] : [...patientsIn(text)])),
      };
    }),
    definition: `${BASE}/OperationDefinition/subscription-events`,
  };
}

function readContent(text: string | undefined): Content | undefined {
  const content = CONTENTS.find((one) => one === text);
  if (text !== undefined && content === undefined) throw fail('invalid-parameter', { text: `The content is one of ${CONTENTS.join(', ')}`, expression: AT });
  return content;
}

/** As the channel has it. */
function usual(wanted: Wanted | undefined): Content {
  if (!wanted) return 'empty';
  return wanted.channel.content ?? (wanted.channel.payload ? 'full-resource' : 'empty');
}

const untold = ({ number, at, focus, version }: NumberedEvent): NotifiedEvent => ({ number, at, focus, version, text: undefined });

/** As the caller may see it now; throws 403 where the caller has lost the right to what is subscribed to. */
async function shown(found: readonly NumberedEvent[], { wanted }: Standing, subscription: string, { grant: { caller }, store, parts: { permit } }: Context): Promise<readonly NotifiedEvent[]> {
  const events: NotifiedEvent[] = [];
  for (const event of found) {
    const { visible, text } = await toldOf({ subscription, caller, wanted }, event, { store, permit });
    if (visible) events.push({ ...untold(event), text });
  }
  return events;
}

export function createDeadLettersOperation({ validate }: EventParts): Operation {
  return viewOf('Subscription', 'dead-letters', async (request, context) => {
    const { id = '' } = await present('Subscription', request.id ?? '', context);
    readInput(request, {}, validate);
    const dead = await deadLetters(context.db, id, MOST_DEAD);
    return parametersResponse(dead.map(({ number, at, focus, attempts, tried, error, behind }): OutputParameter => outputParts('dead-letter', [
      output('event-number', 'valueString', String(number)),
      output('timestamp', 'valueInstant', instantText(at)),
      output('focus', 'valueReference', { reference: `${request.base}/${focus}` }),
      output('attempts', 'valueUnsignedInt', attempts),
      output('first-tried', 'valueInstant', tried === null ? undefined : instantText(tried)),
      output('error', 'valueString', error ?? undefined),
      output('waiting-behind', 'valueUnsignedInt', behind),
    ])));
  });
}
