// Authorization header -> Caller: RFC 6750 bearer tokens, verified once and remembered until they expire.
import { errors, jwtVerify } from 'jose';
import type { Caller } from '../fhir/caller.js';
import { FhirError, fail } from '../fhir/errors.js';
import { BadClaim, callerOf } from './caller-claims.js';
import { TokenCache } from './token-cache.js';
import type { TrustedIssuer } from './trusted-issuer.js';

const BEARER = /^bearer +(\S+)$/i;
const CHALLENGE = 'Bearer realm="entitle-fhir"';

/** At once for a token already verified, else a promise. Throws or rejects with a FhirError: 401 with WWW-Authenticate, 403 for an unknown role, 503 when the issuer's keys can't be had. */
export type TokenVerifier = (authorization: string | undefined) => Caller | Promise<Caller>;

export function createTokenVerifier(parts: { readonly issuer: TrustedIssuer; readonly clock: () => number }): TokenVerifier {
  const { issuer, clock } = parts;
  const cache = new TokenCache();
  return (authorization) => {
    if (authorization === undefined) throw noToken();
    const known = cache.get(authorization);
    if (known !== undefined) {
      if (clock() < known.expires) return known.caller;
      cache.delete(authorization);
    }
    return verify(authorization, issuer, clock, cache);
  };
}

async function verify(authorization: string, issuer: TrustedIssuer, clock: () => number, cache: TokenCache): Promise<Caller> {
  const token = BEARER.exec(authorization)?.[1];
  if (token === undefined) throw noToken();
  try {
    const { payload } = await jwtVerify(token, issuer.keyOf, {
      issuer: issuer.issuer,
      audience: issuer.audience,
      algorithms: [...issuer.algorithms],
      requiredClaims: ['exp'],
      clockTolerance: issuer.toleranceSeconds,
      currentDate: new Date(clock()),
    });
    const caller = callerOf(payload);
    cache.set(authorization, { caller, expires: ((payload.exp ?? 0) + issuer.toleranceSeconds) * 1000 });
    return caller;
  } catch (error) {
    throw refusal(error);
  }
}

function refusal(error: unknown): FhirError {
  if (error instanceof FhirError) return error;
  if (error instanceof errors.JWTExpired) {
    return fail('expired-token', { text: 'The bearer token has expired: get a new one' }, challenge('The token has expired'));
  }
  if (keysUnavailable(error)) {
    return fail('not-ready', { text: 'The keys of the token\'s issuer can\'t be fetched at the moment: try again' });
  }
  const reason = error instanceof Error ? error.message : String(error);
  return fail('bad-token', { text: `The bearer token is not valid: ${reason}` }, challenge(reason));
}

/** Faults of the issuer's key server, not of the token: fetch's own errors are not jose's, a bad status or body is a bare JOSEError or JWKSInvalid. */
function keysUnavailable(error: unknown): boolean {
  if (error instanceof BadClaim) return false;
  if (!(error instanceof errors.JOSEError)) return true;
  return error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid || error.code === errors.JOSEError.code;
}

function noToken(): FhirError {
  return fail('no-token', {}, { 'WWW-Authenticate': CHALLENGE });
}

function challenge(reason: string): Record<string, string> {
  const words = reason.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '\'');
  return { 'WWW-Authenticate': `${CHALLENGE}, error="invalid_token", error_description="${words}"` };
}
