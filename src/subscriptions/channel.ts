// Where and how a Subscription is told: its channel, checked. https://hl7.org/fhir/R4/subscription.html#channels
import { fail } from '../fhir/errors.js';
import { asObject, asObjects, asText } from '../fhir/elements.js';
import type { JsonObject, Resource } from '../fhir/resource.js';
import { addressFault, type Network } from './network.js';

export const BACKPORT = 'http://hl7.org/fhir/uv/subscriptions-backport';

/** How much a notification of the backport holds. */
export type Content = 'empty' | 'id-only' | 'full-resource';
export const CONTENTS: readonly Content[] = ['empty', 'id-only', 'full-resource'];

export interface Channel {
  readonly endpoint: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Does plain R4 send the resource (PUT), or only a sign that something has changed (POST without a body)? */
  readonly payload: boolean;
  /** Of the topic form; undefined in plain R4. */
  readonly content?: Content;
}

const JSON_TYPES = new Set(['application/fhir+json', 'application/json']);
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): *([\x20-\x7e\t]*)$/;
/** What the connection itself or the server says. */
const RESERVED = /^(host|connection|content-.*|transfer-encoding|upgrade|te|trailer|expect|keep-alive|proxy-.*|x-entitle-.*)$/i;
const MOST_HEADERS = 16;

/** Throws 422, saying what to send instead. */
export function readChannel(subscription: Resource, topical: boolean, network: Network): Channel {
  const channel = asObject(subscription['channel']) ?? {};
  if (channel['type'] !== 'rest-hook') throw refuse('channel.type', 'Only the channel rest-hook is served: give channel.type rest-hook and an endpoint');
  const endpoint = asText(channel['endpoint']);
  if (endpoint === undefined) throw refuse('channel.endpoint', 'A rest-hook needs an endpoint: the URL that notifications are sent to');
  const fault = addressFault(endpoint, network);
  if (fault !== undefined) throw refuse('channel.endpoint', fault);
  const payload = asText(channel['payload']);
  if (payload !== undefined && !JSON_TYPES.has(payload)) throw refuse('channel.payload', 'Notifications are written in application/fhir+json: give that as the payload, or none to be sent no content');
  const content = topical ? readContent(channel) : undefined;
  if (content !== undefined && payload === undefined) throw refuse('channel.payload', 'A Subscription to a topic needs the payload application/fhir+json');
  return { endpoint, headers: readHeaders(channel['header']), payload: payload !== undefined, ...(content && { content }) };
}

function readContent(channel: JsonObject): Content {
  const url = `${BACKPORT}/StructureDefinition/backport-payload-content`;
  const found = asObjects(asObject(channel['_payload'])?.['extension']).find((one) => one['url'] === url);
  if (!found) return 'id-only';
  const content = CONTENTS.find((one) => one === found['valueCode']);
  if (content === undefined) throw refuse('channel.payload', `The payload content is one of ${CONTENTS.join(', ')}`);
  return content;
}

function readHeaders(header: unknown): [string, string][] {
  const lines = Array.isArray(header) ? header : [];
  if (lines.length > MOST_HEADERS) throw refuse('channel.header', `A channel may have ${MOST_HEADERS} headers`);
  return lines.map((line: unknown, index): [string, string] => {
    const [, name, value] = HEADER.exec(asText(line) ?? '') ?? [];
    if (name === undefined || value === undefined) throw refuse(`channel.header[${index}]`, 'A header is written as "Name: value"');
    if (RESERVED.test(name)) throw refuse(`channel.header[${index}]`, `The header ${name} is the server's to set: leave it out`);
    return [name, value];
  });
}

export const refuse = (element: string, text: string): Error => fail('business-rule', { text, expression: `Subscription.${element}` });
