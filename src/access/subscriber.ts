// By what a Subscription belongs to its subscriber: a tag that the server sets, so that whose it is can be searched by.
import type { Caller } from '../fhir/caller.js';

export const SUBSCRIBER_TAG = 'https://fhir.entitle.example/Id/subscriber';

/** One word per user of a client. */
export const subscriberCode = ({ client, subject }: Pick<Caller, 'client' | 'subject'>): string => `${encodeURIComponent(client)}/${encodeURIComponent(subject)}`;
