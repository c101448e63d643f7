// Whose tokens are believed, and by which keys: the development authorization server, or external issuers by their JWKS URL (RFC 7517).
import type { CryptoKey, JWTPayload, JWTVerifyGetKey } from 'jose';
import type { Caller } from '../fhir/caller.js';
import { DEVELOPMENT_ALGORITHM, type DevelopmentKeys } from './development-keys.js';

export const DEVELOPMENT_ISSUER = 'urn:entitle-fhir:development';
export const DEVELOPMENT_AUDIENCE = 'urn:entitle-fhir';

export interface TrustedIssuer {
  readonly issuer: string;
  /** A token is for one of these. */
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[];
  readonly keyOf: JWTVerifyGetKey;
  /** By how much its clock and ours may differ. */
  readonly toleranceSeconds: number;
  /** Are its tokens revoked here? */
  readonly revocable?: boolean;
  /** Whom its claims stand for; left out, they are ours. Throws a BadClaim (401), or a FhirError. */
  readonly callerOf?: (claims: JWTPayload, roleProfile: string | undefined) => Caller | Promise<Caller>;
}

export function developmentIssuer(keys: DevelopmentKeys): TrustedIssuer {
  const keyOf = (): CryptoKey => keys.publicKey;
  return { issuer: DEVELOPMENT_ISSUER, audiences: [DEVELOPMENT_AUDIENCE], algorithms: [DEVELOPMENT_ALGORITHM], keyOf, toleranceSeconds: 0, revocable: true };
}
