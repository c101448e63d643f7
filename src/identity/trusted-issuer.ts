// Whose tokens are believed, and by which keys: the development authorization server, or one external issuer by its JWKS URL (RFC 7517).
import { createRemoteJWKSet, type CryptoKey, type JWTVerifyGetKey } from 'jose';
import { DEVELOPMENT_ALGORITHM, type DevelopmentKeys } from './development-keys.js';

export const DEVELOPMENT_ISSUER = 'urn:entitle-fhir:development';
export const DEVELOPMENT_AUDIENCE = 'urn:entitle-fhir';

/** Asymmetric only: `none` is never authentication, and a shared secret is nobody's signature. https://www.rfc-editor.org/rfc/rfc8725#section-3.1 */
const EXTERNAL_ALGORITHMS = ['RS512', 'RS384', 'RS256', 'PS512', 'PS384', 'PS256', 'ES512', 'ES384', 'ES256'] as const;

export interface TrustedIssuer {
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: readonly string[];
  readonly keyOf: JWTVerifyGetKey;
  /** By how much its clock and ours may differ. */
  readonly toleranceSeconds: number;
}

export function developmentIssuer(keys: DevelopmentKeys): TrustedIssuer {
  const keyOf = (): CryptoKey => keys.publicKey;
  return { issuer: DEVELOPMENT_ISSUER, audience: DEVELOPMENT_AUDIENCE, algorithms: [DEVELOPMENT_ALGORITHM], keyOf, toleranceSeconds: 0 };
}

/** Keys are fetched when first needed, kept ten minutes, and fetched again for an unknown `kid`, at most every thirty seconds. */
export function externalIssuer(external: { readonly issuer: string; readonly jwksUrl: string; readonly audience: string }): TrustedIssuer {
  const { issuer, audience, jwksUrl } = external;
  return { issuer, audience, algorithms: EXTERNAL_ALGORITHMS, keyOf: createRemoteJWKSet(new URL(jwksUrl)), toleranceSeconds: 5 };
}
