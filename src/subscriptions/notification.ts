// What a subscriber is sent, as text. http://hl7.org/fhir/uv/subscriptions-backport/notifications.html
import { instantText } from '../fhir/date-time.js';
import { etag } from '../fhir/etag.js';
import { BACKPORT, type Content } from './channel.js';

export type NotificationType = 'handshake' | 'event-notification' | 'query-status' | 'query-event';

export interface NotifiedEvent {
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** `Observation/1` and its version. */
  readonly focus: string;
  readonly version: number;
  /** As the subscriber may see it; undefined where it is not there any more. */
  readonly text: string | undefined;
}

export interface Notification {
  readonly id: string;
  readonly base: string;
  readonly subscription: string;
  readonly topic: string | undefined;
  readonly status: string;
  readonly type: NotificationType;
  /** The number of the last event. */
  readonly events: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly content: Content;
  readonly of: readonly NotifiedEvent[];
  /** In words: what has been given up. */
  readonly error?: string | undefined;
}

/** A Bundle of type history: the status first, then what the events are about. */
export function notificationBundle(notification: Notification): string {
  const { id, base, subscription, now, content, of } = notification;
  const status = { fullUrl: `urn:uuid:${id}`, resource: statusParameters(notification), request: { method: 'GET', url: `${base}/Subscription/${subscription}/$status` }, response: { status: '200' } };
  const entries = [JSON.stringify(status), ...(content === 'empty' ? [] : of.map((event) => eventEntry(event, base, content)))];
  const meta = { lastUpdated: instantText(now), profile: [`${BACKPORT}/StructureDefinition/backport-subscription-notification-r4`] };
  return `{"resourceType":"Bundle","id":"${id}","meta":${JSON.stringify(meta)},"type":"history","timestamp":"${instantText(now)}","entry":[${entries.join(',')}]}`;
}

/** The state of a Subscription: https://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition-backport-subscription-status-r4.html */
export function statusParameters({ id, base, subscription, topic, status, type, events, content, of, error }: Notification): object {
  return {
    resourceType: 'Parameters',
    id,
    meta: { profile: [`${BACKPORT}/StructureDefinition/backport-subscription-status-r4`] },
    parameter: [
      { name: 'subscription', valueReference: { reference: `${base}/Subscription/${subscription}` } },
      ...(topic === undefined ? [] : [{ name: 'topic', valueCanonical: topic }]),
      { name: 'status', valueCode: status },
      { name: 'type', valueCode: type },
      { name: 'events-since-subscription-start', valueString: String(events) },
      ...of.map((event) => ({ name: 'notification-event', part: eventParts(event, base, content) })),
      ...(error === undefined ? [] : [{ name: 'error', valueCodeableConcept: { text: error } }]),
    ],
  };
}

function eventParts({ number, at, focus }: NotifiedEvent, base: string, content: Content): object[] {
  return [
    { name: 'event-number', valueString: String(number) },
    { name: 'timestamp', valueInstant: instantText(at) },
    ...(content === 'empty' ? [] : [{ name: 'focus', valueReference: { reference: `${base}/${focus}` } }]),
  ];
}

/** The resource as JSON text, never parsed again; without one, what was there is there no more. */
function eventEntry({ focus, text, version, at }: NotifiedEvent, base: string, content: Content): string {
  const fullUrl = JSON.stringify(`${base}/${focus}`);
  const gone = text === undefined;
  const resource = content === 'full-resource' && !gone ? `,"resource":${text}` : '';
  const request = JSON.stringify({ method: gone ? 'DELETE' : 'PUT', url: focus });
  const response = JSON.stringify({ status: gone ? '204' : '200', etag: etag(String(version)), lastModified: instantText(at) });
  return `{"fullUrl":${fullUrl}${resource},"request":${request},"response":${response}}`;
}
