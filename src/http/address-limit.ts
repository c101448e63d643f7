// How many requests without a valid token one address may send: those that come on top are refused before anything is written of each.
import { fail, type FhirError } from '../fhir/errors.js';
import { Bucket } from './rate-limit.js';

/** Counts a failure to authenticate; gives the 429 to answer instead, where there have been too many. Whoever holds a valid token is never counted. */
export type AddressLimit = (address: string) => FhirError | undefined;

const MOST_KNOWN = 10_000;

/** `rate`: failures per second and address. `tick`: milliseconds that only grow. */
export function createAddressLimit({ rate, tick }: { readonly rate: number; readonly tick: () => number }): AddressLimit {
  const buckets = new Map<string, Bucket>();
  return (address) => {
    const now = tick();
    if (buckets.size >= MOST_KNOWN) buckets.clear();
    let bucket = buckets.get(address);
    if (!bucket) buckets.set(address, (bucket = new Bucket(rate, now)));
    if (bucket.take(now)) return undefined;
    return fail('throttled', { text: 'Too many requests without a valid token have come from this address: wait a second, and get a token first' }, { 'retry-after': '1' });
  };
}
