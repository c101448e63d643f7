// The keys by which a registered client proves itself, inline or at its URL (RFC 7517), found by kid.
import { createLocalJWKSet, createRemoteJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { Client } from './client.js';

/** What SMART Backend Services and NHS England's API platform sign with; `none` and shared secrets are not among them. */
export const SMART_ALGORITHMS = ['RS384', 'ES384', 'RS512', 'PS512'] as const;
export const CLIENT_ALGORITHMS: readonly string[] = SMART_ALGORITHMS;

/** The key of a client for a token's header. Only what was registered counts: a key or a URL that the token itself brings is refused. */
export type ClientKeys = (client: Client) => JWTVerifyGetKey;

const BROUGHT = ['jwk', 'x5u', 'x5c'] as const;
const MOST_REMOTE = 1000;

export function createClientKeys(): ClientKeys {
  const local = new WeakMap<Client, JWTVerifyGetKey>();
  const remote = new Map<string, JWTVerifyGetKey>();
  const registered = (client: Client): JWTVerifyGetKey => {
    if (client.jwksUri !== undefined) return remoteKeys(remote, client.jwksUri);
    const known = local.get(client);
    if (known !== undefined) return known;
    const made = createLocalJWKSet((client.jwks ?? { keys: [] }) as unknown as JSONWebKeySet);
    local.set(client, made);
    return made;
  };
  return (client) => (header, token) => {
    if (typeof header.kid !== 'string') throw new errors.JWSInvalid('its header names no kid');
    if (BROUGHT.some((name) => header[name] !== undefined)) throw new errors.JWSInvalid('its header brings a key of its own');
    if (header['jku'] !== undefined && header['jku'] !== client.jwksUri) throw new errors.JWSInvalid('its header names keys that are not registered');
    return registered(client)(header, token);
  };
}

/** Fetched when first needed, kept ten minutes, and fetched again for an unknown kid, at most every thirty seconds: so keys are rotated. */
function remoteKeys(known: Map<string, JWTVerifyGetKey>, uri: string): JWTVerifyGetKey {
  let keys = known.get(uri);
  if (keys === undefined) {
    keys = createRemoteJWKSet(new URL(uri));
    if (known.size >= MOST_REMOTE) known.clear();
    known.set(uri, keys);
  }
  return keys;
}
