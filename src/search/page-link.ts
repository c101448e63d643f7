// The link to the next page: one sealed word, so that no NHS number or name of a search stands in a URL.
// https://hl7.org/fhir/R4/http.html#paging
import { createCipheriv, createDecipheriv, createHmac, hash, randomBytes, timingSafeEqual, type Cipher } from 'node:crypto';
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

const ALGORITHM = 'aes-256-ctr';
const BLOCK = 16;
const PROCESS_BYTES = 8;
/** Of the number of a stream's first block: the high half of it is always zero. */
const NUMBER_BYTES = 6;
const IV_BYTES = PROCESS_BYTES + NUMBER_BYTES;
const TAG_BYTES = 16;

/**
 * What seals under one secret. The words of a process are parts of one stream, which no other process has, each beginning at a block of its own: a
 * cipher made for each cost a search more than reading its query did. The tag is HMAC-SHA256 over place and content, cut to 128 bits.
 */
interface Sealer {
  readonly key: Buffer;
  readonly inner: Buffer;
  readonly outer: Buffer;
  readonly process: Buffer;
  readonly stream: Cipher;
  /** Of the stream, used so far. */
  blocks: number;
}

const sealers = new Map<string, Sealer>();

function sealerOf(secret: string): Sealer {
  let sealer = sealers.get(secret);
  if (!sealer) sealers.set(secret, (sealer = makeSealer(secret)));
  return sealer;
}

function makeSealer(secret: string): Sealer {
  const [key, tagKey] = [keyFor('content', secret), keyFor('tag', secret)];
  const process = randomBytes(PROCESS_BYTES);
  return { key, inner: padded(tagKey, 0x36), outer: padded(tagKey, 0x5c), process, stream: createCipheriv(ALGORITHM, key, ivOf(process)), blocks: 0 };
}

const keyFor = (use: string, secret: string): Buffer => createHmac('sha256', secret).update(`page link ${use}`).digest();

/** A key as HMAC mixes it in. https://www.rfc-editor.org/rfc/rfc2104#section-2 */
const padded = (key: Buffer, pad: number): Buffer => Buffer.alloc(64, pad).map((byte, index) => byte ^ (key[index] ?? 0)) as Buffer;

/** HMAC by whole hashes: Node's own makes an object for each, at three times the cost. */
function tagOf({ inner, outer }: Sealer, iv: Buffer, content: Buffer): Buffer {
  return hash('sha256', Buffer.concat([outer, hash('sha256', Buffer.concat([inner, iv, content]), 'buffer')]), 'buffer').subarray(0, TAG_BYTES);
}

/** The counter of the block that a place in the stream begins with: the process, and the number in what is left. */
function ivOf(start: Buffer): Buffer {
  const iv = Buffer.alloc(BLOCK);
  start.copy(iv, 0, 0, PROCESS_BYTES);
  start.copy(iv, BLOCK - NUMBER_BYTES, PROCESS_BYTES);
  return iv;
}

export function sealPlace(place: Place, secret: string): string {
  const sealer = sealerOf(secret);
  const start = Buffer.allocUnsafe(IV_BYTES);
  sealer.process.copy(start);
  start.writeUIntBE(sealer.blocks, PROCESS_BYTES, NUMBER_BYTES);
  const text = JSON.stringify(place);
  // White space after the text fills its last block.
  const content = sealer.stream.update(text + ' '.repeat(-Buffer.byteLength(text) & (BLOCK - 1)), 'utf8');
  sealer.blocks += content.length / BLOCK;
  return Buffer.concat([start, tagOf(sealer, start, content), content]).toString('base64url');
}

/** Throws 400 for a word that this server (or one on the same database) did not make, or made for another type. */
export function openPlace(word: string, type: string, secret: string): Place {
  const place = peekPlace(word, secret);
  if (place?.type !== type) throw fail('invalid-parameter', { text: 'The page link is not one this server made for this search: search again' });
  return place;
}

function unseal(bytes: Buffer, secret: string): Place | undefined {
  const sealer = sealerOf(secret);
  const start = bytes.subarray(0, IV_BYTES);
  const content = bytes.subarray(IV_BYTES + TAG_BYTES);
  if (!timingSafeEqual(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES), tagOf(sealer, start, content))) return undefined;
  return JSON.parse(createDecipheriv(ALGORITHM, sealer.key, ivOf(start)).update(content, undefined, 'utf8')) as Place;
}

/** The place of a page link, whatever was searched; undefined for a word that is none. */
export function peekPlace(word: string, secret: string): Place | undefined {
  const bytes = Buffer.from(word, 'base64url');
  return bytes.length > IV_BYTES + TAG_BYTES ? unseal(bytes, secret) : undefined;
}
