// The cache of verified tokens is bounded and keeps what is used.
import type { Caller } from '../../src/fhir/caller.js';
import { TokenCache } from '../../src/identity/token-cache.js';

const caller: Caller = { role: 'ovm', client: 'c', subject: 's', scopes: [] };
const entry = { caller, expires: 1 };

test('forgets what was not asked for during a whole generation', () => {
  const cache = new TokenCache(2);
  for (const header of ['a', 'b', 'c', 'd', 'e']) cache.set(header, entry);
  expect(['a', 'b', 'c', 'd', 'e'].filter((header) => cache.get(header) !== undefined)).toEqual(['c', 'd', 'e']);
});

test('keeps what is asked for, however many others come', () => {
  const cache = new TokenCache(2);
  cache.set('kept', entry);
  for (let i = 0; i < 100; i += 1) {
    cache.set(`other ${i}`, entry);
    expect(cache.get('kept')).toBe(entry);
  }
});

test('never gives a deleted token, of either generation', () => {
  const cache = new TokenCache(1);
  cache.set('old', entry);
  cache.set('young', entry);
  cache.delete('old');
  cache.delete('young');
  expect([cache.get('old'), cache.get('young')]).toEqual([undefined, undefined]);
});
