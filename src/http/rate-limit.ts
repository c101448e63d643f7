// How many requests a second one client may send: a token bucket for each, in this process. https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-07
import type { Caller } from '../fhir/caller.js';
import { fail } from '../fhir/errors.js';
import type { Client } from '../identity/client.js';

/** Where the headers of an answer are put. */
export interface Headed {
  header(name: string, value: string): unknown;
}

/** Puts the RateLimit headers on the answer; throws 429 with Retry-After for a caller whose client has sent too much. */
export type RateLimit = (caller: Caller, to: Headed) => void;

export interface RateLimitParts {
  /** Requests per second of a client that is registered with no rate of its own. */
  readonly rate: number;
  readonly find: (client: string) => Client | undefined | Promise<Client | undefined>;
  /** Milliseconds that only grow. */
  readonly tick: () => number;
}

/** How old a rate may be before the registration is asked again. */
const FRESH_MS = 1000;
/** Names that an issuer vouches for are not counted beyond this: all begin anew. */
const MOST_KNOWN = 10_000;

export function createRateLimit({ rate, find, tick }: RateLimitParts): RateLimit {
  const buckets = new Map<string, Bucket>();
  const bucketOf = (client: string, now: number): Bucket => {
    if (buckets.size >= MOST_KNOWN) buckets.clear();
    const made = new Bucket(rate, now);
    buckets.set(client, made);
    return made;
  };
  return ({ client }, to) => {
    const now = tick();
    const bucket = buckets.get(client) ?? bucketOf(client, now);
    if (now >= bucket.asked) {
      bucket.asked = now + FRESH_MS;
      const found = find(client);
      // Admission has just asked for it: only a moment's chance makes it a promise, and the rate of before is good for as long.
      if (found instanceof Promise) found.then((one) => { bucket.setRate(one?.rate ?? rate); }, () => undefined);
      else bucket.setRate(found?.rate ?? rate);
    }
    const taken = bucket.take(now);
    to.header('ratelimit-limit', bucket.limit);
    to.header('ratelimit-remaining', String(Math.floor(bucket.left)));
    to.header('ratelimit-reset', bucket.left >= bucket.rate - 1 ? '0' : '1');
    if (!taken) throw fail('throttled', { text: `This client may send ${bucket.limit} requests a second: wait a second, then go on more slowly` }, { 'retry-after': '1' });
  };
}

/** Holds what one second brings; refilled as time goes by. */
export class Bucket {
  left: number;
  limit = '';
  /** When the rate is to be asked for again. */
  asked = 0;
  rate = 0;

  constructor(
    rate: number,
    private at: number,
  ) {
    this.left = rate;
    this.setRate(rate);
  }

  setRate(rate: number): void {
    if (rate === this.rate) return;
    this.rate = rate;
    this.limit = String(rate);
    this.left = Math.min(this.left, rate);
  }

  /** False where nothing is left to take. */
  take(now: number): boolean {
    this.left = Math.min(this.rate, this.left + ((now - this.at) * this.rate) / 1000);
    this.at = now;
    if (this.left < 1) return false;
    this.left -= 1;
    return true;
  }
}
