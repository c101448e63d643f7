// Who signed in, for the app: an id_token. https://openid.net/specs/openid-connect-core-1_0.html#IDToken
import { SignJWT, type JWK } from 'jose';
import type { Queryable } from '../db/database.js';
import { keptKey, type KeptKey } from './kept-key.js';

/** What every OpenID Connect client can read. */
export const ID_TOKEN_ALGORITHM = 'RS256';
const NAME = 'id-token-key';
const LIFETIME_SECONDS = 300;

export interface IdTokenRequest {
  /** The origin that clients see. */
  readonly issuer: string;
  readonly client: string;
  readonly subject: string;
  /** Absolute URL; undefined for somebody whom no resource stands for. */
  readonly fhirUser: string | undefined;
  readonly nonce: string | undefined;
  readonly signedInAt: number;
}

export interface IdTokens {
  sign(request: IdTokenRequest): Promise<string>;
  publicKey(): Promise<JWK>;
}

/** The key is made when first asked for: an RSA key takes a while. */
export function createIdTokens({ db, clock }: { readonly db: Queryable; readonly clock: () => number }): IdTokens {
  let kept: Promise<KeptKey> | undefined;
  const key = (): Promise<KeptKey> => (kept ??= keptKey(db, NAME, ID_TOKEN_ALGORITHM).catch((error: unknown) => {
    kept = undefined;
    throw error;
  }));
  return {
    publicKey: async () => (await key()).publicJwk,
    async sign({ issuer, client, subject, fhirUser, nonce, signedInAt }) {
      const { kid, privateKey } = await key();
      const at = Math.floor(clock() / 1000);
      const claims = { auth_time: Math.floor(signedInAt / 1000), ...(fhirUser !== undefined && { fhirUser }), ...(nonce !== undefined && { nonce }) };
      return new SignJWT(claims).setProtectedHeader({ alg: ID_TOKEN_ALGORITHM, kid, typ: 'JWT' })
        .setIssuer(issuer).setAudience(client).setSubject(subject).setIssuedAt(at).setExpirationTime(at + LIFETIME_SECONDS).sign(privateKey);
    },
  };
}
