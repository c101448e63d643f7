// The sealed word of a page link: it tells nothing, opens as what was sealed, and any change to it is found.
import { createCipheriv, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { openPlace, peekPlace, sealPlace, type Place } from '../../src/search/page-link.js';

const SECRET = 'a secret of the test';
const START = 14;
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
  expect(blocks.length).toBeGreaterThan(50 * 25);
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

test('the tag is HMAC-SHA256 and the content AES-256-CTR, as others make them', () => {
  const sealed: Place = { type: 'Patient', pairs: [['name', 'Ö']] };
  const bytes = Buffer.from(sealPlace(sealed, SECRET), 'base64url');
  const key = (use: string): Buffer => createHmac('sha256', SECRET).update(`page link ${use}`).digest();
  const tag = createHmac('sha256', key('tag')).update(bytes.subarray(0, START)).update(bytes.subarray(START + TAG)).digest();
  expect(bytes.subarray(START, START + TAG)).toEqual(tag.subarray(0, TAG));
  const iv = Buffer.concat([bytes.subarray(0, 8), Buffer.alloc(2), bytes.subarray(8, START)]);
  const opened = createCipheriv('aes-256-ctr', key('content'), iv).update(bytes.subarray(START + TAG)).toString('utf8');
  expect(opened.length % 16 === 15 && opened.trimEnd()).toBe(JSON.stringify(sealed));
});
