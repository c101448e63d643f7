// The link to the next page: one sealed word, so that no NHS number or name of a search stands in a URL.
// https://hl7.org/fhir/R4/http.html#paging
import { createCipheriv, createDecipheriv, createHash, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { fail } from '../fhir/errors.js';
import type { Cursor } from './query.js';

/** Name of the parameter that carries the word. */
export const PAGE = '_page';

/** Where a page begins. */
export interface Start {
  /** Where several types are searched, the one whose rows come next. */
  readonly in?: string;
  /** Undefined where they come from their beginning. */
  readonly after?: Cursor;
}

/** A search and the place in it where a page begins. */
export interface Place extends Start {
  /** What is searched: a type, or the path of a compartment. */
  readonly type: string;
  /** The parameters as the caller sent them. */
  readonly pairs: readonly (readonly [string, string])[];
  /** Where the pages before this one began, as far back as is kept: rows written meanwhile move none of them. */
  readonly trail?: readonly Start[];
}

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;
const keys = new Map<string, KeyObject>();

/** A nonce must never come twice under one key: a random word for this process, and a count. It is cheaper than twelve random bytes a time. */
const PROCESS_BYTES = 8;
const MOST_COUNTED = 2 ** 32;

/** Nonces, one after the other. Where the count is at its end, as after 50 days of 1,000 pages a second, it begins anew beside another word. */
export function countNonces(from = 0): () => Buffer {
  let word = randomBytes(PROCESS_BYTES);
  let count = from;
  return () => {
    if (count === MOST_COUNTED) [word, count] = [randomBytes(PROCESS_BYTES), 0];
    const bytes = Buffer.alloc(IV_BYTES);
    word.copy(bytes);
    bytes.writeUInt32BE(count++, PROCESS_BYTES);
    return bytes;
  };
}

const nextNonce = countNonces();

function keyOf(secret: string): KeyObject {
  let key = keys.get(secret);
  if (!key) keys.set(secret, (key = createSecretKey(createHash('sha256').update(secret).digest())));
  return key;
}

export function sealPlace(place: Place, secret: string): string {
  const iv = nextNonce();
  const cipher = createCipheriv(ALGORITHM, keyOf(secret), iv);
  // GCM gives all its bytes at once: final() adds none.
  const sealed = cipher.update(JSON.stringify(place), 'utf8');
  cipher.final();
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

/** Throws 400 for a word that this server (or one on the same database) did not make, or made for another type. */
export function openPlace(word: string, type: string, secret: string): Place {
  const place = peekPlace(word, secret);
  if (place?.type !== type) throw fail('invalid-parameter', { text: 'The page link is not one this server made for this search: search again' });
  return place;
}

function unseal(bytes: Buffer, secret: string): Place | undefined {
  const decipher = createDecipheriv(ALGORITHM, keyOf(secret), bytes.subarray(0, IV_BYTES));
  decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  try {
    const text = decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    return JSON.parse(text) as Place;
  } catch {
    return undefined;
  }
}

/** The place of a page link, whatever was searched; undefined for a word that is none. */
export function peekPlace(word: string, secret: string): Place | undefined {
  const bytes = Buffer.from(word, 'base64url');
  return bytes.length > IV_BYTES + TAG_BYTES ? unseal(bytes, secret) : undefined;
}
