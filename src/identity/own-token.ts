// What a token of our own says of itself, for introspection and revocation: it is verified like any other, but no client is let in by it.
import { jwtVerify, type JWTPayload } from 'jose';
import { DEVELOPMENT_ALGORITHM, type DevelopmentKeys } from './development-keys.js';
import { DEVELOPMENT_AUDIENCE, DEVELOPMENT_ISSUER } from './trusted-issuer.js';

/** Undefined for what is no access token of ours, or has expired. */
export async function readOwnToken(token: string, keys: DevelopmentKeys, now: number): Promise<JWTPayload | undefined> {
  try {
    const { payload } = await jwtVerify(token, keys.publicKey, { algorithms: [DEVELOPMENT_ALGORITHM], issuer: DEVELOPMENT_ISSUER, audience: DEVELOPMENT_AUDIENCE, currentDate: new Date(now) });
    return payload;
  } catch {
    return undefined;
  }
}

export const textClaim = (claims: JWTPayload, name: string): string | undefined => (typeof claims[name] === 'string' ? claims[name] : undefined);
