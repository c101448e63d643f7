// The sealed word of a page link: it tells nothing, opens as what was sealed, and any change to it is found.
import { createDecipheriv, createHash } from 'node:crypto';
import fc from 'fast-check';
import { countNonces, openPlace, peekPlace, sealPlace, type Place } from '../../src/search/page-link.js';

const SECRET = 'a secret of the test';
/** Of the nonce. */
const START = 12;
const TAG = 16;

const text = fc.string({ unit: 'grapheme' });
const place: fc.Arbitrary<Place> = fc.record({
  type: fc.constant('Patient'),
  pairs: fc.array(fc.tuple(text, text), { maxLength: 5 }),
  after: fc.record({ keys: fc.array(fc.oneof(text, fc.constant(null)), { maxLength: 3 }), id: text }),
});

test('what was sealed opens as it was, one after the other and in any order', () => {
  fc.assert(fc.property(fc.array(place, { minLength: 1, maxLength: 8 }), (places) => {
    const words = places.map((one) => sealPlace(one, SECRET));
    expect(words.reverse().map((word) => openPlace(word, 'Patient', SECRET)).reverse()).toEqual(places);
  }));
});

test('a word is of letters that a URL takes, never the same twice, and holds nothing of the search', () => {
  const secret: Place = { type: 'Patient', pairs: [['identifier', '9000000009 '.repeat(40)]] };
  const words = Array.from({ length: 50 }, () => sealPlace(secret, SECRET));
  const blocks = words.flatMap((word) => Buffer.from(word, 'base64url').subarray(START + TAG).toString('hex').match(/.{32}/g) ?? []);
  expect(blocks.length).toBeGreaterThan(50 * 20);
  expect(new Set(blocks).size).toBe(blocks.length);
  for (const word of words) {
    expect(word).toMatch(/^[\w-]+$/);
    expect(Buffer.from(word, 'base64url').toString('latin1')).not.toContain('9000000009');
  }
});

test('not one bit of it can be changed, added or taken away', () => {
  const bytes = Buffer.from(sealPlace({ type: 'Patient', pairs: [['name', 'Ada']] }, SECRET), 'base64url');
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(peekPlace(changed.toString('base64url'), SECRET)).toBeUndefined();
  }
  for (const other of [bytes.subarray(0, -1), bytes.subarray(0, -16), bytes.subarray(1), Buffer.concat([bytes, Buffer.alloc(16)]), bytes.subarray(0, START), Buffer.alloc(0)]) {
    expect(peekPlace(other.toString('base64url'), SECRET)).toBeUndefined();
  }
});

test('another secret, and another type, open nothing', () => {
  const word = sealPlace({ type: 'Patient', pairs: [] }, SECRET);
  expect(peekPlace(word, 'another secret')).toBeUndefined();
  expect(() => openPlace(word, 'Observation', SECRET)).toThrow('The page link is not one this server made for this search');
  expect(() => openPlace('word', 'Patient', SECRET)).toThrow('The page link is not one this server made for this search');
});

test('it is AES-256-GCM, as others open it', () => {
  const sealed: Place = { type: 'Patient', pairs: [['name', 'Ö']] };
  const bytes = Buffer.from(sealPlace(sealed, SECRET), 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', createHash('sha256').update(SECRET).digest(), bytes.subarray(0, START));
  decipher.setAuthTag(bytes.subarray(START, START + TAG));
  expect(decipher.update(bytes.subarray(START + TAG), undefined, 'utf8') + decipher.final('utf8')).toBe(JSON.stringify(sealed));
});

test('no nonce comes twice, also when the count has come to its end', () => {
  const next = countNonces(2 ** 32 - 2);
  const nonces = Array.from({ length: 5 }, next);
  expect(nonces.map((nonce) => nonce.readUInt32BE(8))).toEqual([2 ** 32 - 2, 2 ** 32 - 1, 0, 1, 2]);
  expect(new Set(nonces.map((nonce) => nonce.subarray(0, 8).toString('hex'))).size).toBe(2);
});
