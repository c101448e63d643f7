// By what a Subscription belongs to its subscriber, and a file to the feed that sent it: the server sets it, so that whose it is can be searched by.
import type { Caller } from '../fhir/caller.js';

export const SUBSCRIBER_TAG = 'https://fhir.entitle.example/Id/subscriber';
/** An identifier in Binary.securityContext. */
export const SENDER = 'https://fhir.entitle.example/Id/sender';

/** One word per user of a client. */
export const subscriberCode = ({ client, subject }: Pick<Caller, 'client' | 'subject'>): string => `${encodeURIComponent(client)}/${encodeURIComponent(subject)}`;
