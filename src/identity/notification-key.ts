// The key by which what this server sends is known to be its own: kept in the database, so that all its processes sign alike.
// https://www.rfc-editor.org/rfc/rfc7515#appendix-F
import { CompactSign, type JWK } from 'jose';
import type { Queryable } from '../db/database.js';
import { keptKey } from './kept-key.js';

const ALGORITHM = 'ES256';
const NAME = 'notification-key';

export interface Signer {
  /** A JWS of `body` without the body: `header..signature`. `claims` go into the protected header. */
  sign(body: string, claims: Readonly<Record<string, string | number>>): Promise<string>;
  /** The public key. */
  readonly key: JWK;
}

export async function openSigner(db: Queryable): Promise<Signer> {
  const { kid, privateKey, publicJwk } = await keptKey(db, NAME, ALGORITHM);
  return {
    key: publicJwk,
    async sign(body, claims) {
      const jws = await new CompactSign(new TextEncoder().encode(body)).setProtectedHeader({ alg: ALGORITHM, kid, ...claims }).sign(privateKey);
      const [header = '', , signature = ''] = jws.split('.');
      return `${header}..${signature}`;
    },
  };
}
