// The keys of an external issuer: at a URL that is set, or where its discovery document says (OpenID Connect Discovery 1.0 section 4).
import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose';

const TIMEOUT_MS = 5000;
/** A document that could not be had is not asked for again at once: each request would wait for it. */
const PAUSE_MS = 10_000;

/** Fetched when first needed, kept ten minutes, and fetched again for an unknown `kid`, at most every thirty seconds. */
export function issuerKeys(issuer: string, jwksUrl: string | undefined): JWTVerifyGetKey {
  if (jwksUrl !== undefined) return createRemoteJWKSet(new URL(jwksUrl));
  let known: Promise<JWTVerifyGetKey> | undefined;
  let failedAt = -Infinity;
  const discovered = (): Promise<JWTVerifyGetKey> => {
    if (known) return known;
    if (performance.now() - failedAt < PAUSE_MS) return Promise.reject(new errors.JWKSTimeout());
    return (known = discover(issuer).catch((error: unknown) => {
      [known, failedAt] = [undefined, performance.now()];
      throw error;
    }));
  };
  return async (header, token) => (await discovered())(header, token);
}

async function discover(issuer: string): Promise<JWTVerifyGetKey> {
  const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' });
  const document: unknown = response.ok ? await response.json() : undefined;
  const { issuer: named, jwks_uri: uri } = (typeof document === 'object' && document !== null ? document : {}) as { readonly issuer?: unknown; readonly jwks_uri?: unknown };
  // A document of another issuer could name anybody's keys.
  if (named !== issuer || typeof uri !== 'string' || !URL.canParse(uri)) throw new errors.JWKSInvalid('the discovery document of the issuer can\'t be used');
  return createRemoteJWKSet(new URL(uri));
}
