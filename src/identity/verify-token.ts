// Authorization header -> Caller: RFC 6750 bearer tokens, verified once and remembered until they expire or are revoked.
import { decodeJwt, errors, jwtVerify, type JWTPayload } from 'jose';
import type { Caller } from '../fhir/caller.js';
import { FhirError, fail } from '../fhir/errors.js';
import { BadClaim, callerOf } from './caller-claims.js';
import type { Revocable, Revocations } from './revocations.js';
import { TokenCache, type CachedToken } from './token-cache.js';
import { requireAccessToken } from './token-kind.js';
import type { TrustedIssuer } from './trusted-issuer.js';

const BEARER = /^bearer +(\S+)$/i;
const CHALLENGE = 'Bearer realm="entitle-fhir"';
/** Longer than any token of an issuer we know; the headers as a whole end at 16 KiB. */
const LONGEST = 8192;

/** What came beside the token. */
export interface Presented {
  /** SHA-256 of the client's certificate in base64url, where it showed one that is trusted. */
  readonly certificate?: string | undefined;
  /** Header NHSD-Session-URID: which of their roles a member of staff acts in. */
  readonly roleProfile?: string | undefined;
}

/** At once for a token already verified, else a promise. Throws or rejects with a FhirError: 401 with WWW-Authenticate, 403 for an unknown role, 503 when the issuer's keys can't be had. */
export type TokenVerifier = (authorization: string | undefined, presented?: Presented) => Caller | Promise<Caller>;

export interface VerifierParts {
  readonly issuers: readonly TrustedIssuer[];
  readonly clock: () => number;
  /** Of issuers whose tokens can be revoked here. */
  readonly revocations?: Pick<Revocations, 'isRevoked'>;
}

export function createTokenVerifier(parts: VerifierParts): TokenVerifier {
  const cache = new TokenCache();
  return (authorization, presented) => {
    if (authorization === undefined) throw noToken();
    const key = presented?.roleProfile === undefined ? authorization : `${authorization}\n${presented.roleProfile}`;
    const known = cache.get(key);
    if (known !== undefined) {
      if (parts.clock() < known.expires) return good(known, presented, parts);
      cache.delete(key);
    }
    return verify(authorization, presented, parts).then((token) => {
      cache.set(key, token);
      return good(token, presented, parts);
    });
  };
}

/** A token that was good when it was verified: is it still, and does it come by the certificate it is bound to? */
function good({ caller, revocable }: CachedToken, presented: Presented | undefined, { revocations }: VerifierParts): Caller | Promise<Caller> {
  if (caller.certificate !== undefined && caller.certificate !== presented?.certificate) {
    throw badToken('it is bound to a certificate that this connection did not show');
  }
  const revoked = revocable !== undefined && revocations?.isRevoked(revocable);
  if (revoked instanceof Promise) return revoked.then((is) => unrevoked(caller, is));
  return unrevoked(caller, revoked === true);
}

function unrevoked(caller: Caller, isRevoked: boolean): Caller {
  if (isRevoked) throw badToken('it has been revoked');
  return caller;
}

async function verify(authorization: string, presented: Presented | undefined, { issuers, clock }: VerifierParts): Promise<CachedToken> {
  const token = BEARER.exec(authorization)?.[1];
  if (token === undefined) throw noToken();
  try {
    if (token.length > LONGEST) throw new BadClaim(`it is longer than ${LONGEST} characters`);
    const issuer = issuerOf(token, issuers);
    const { payload, protectedHeader } = await jwtVerify(token, issuer.keyOf, {
      issuer: issuer.issuer,
      audience: [...issuer.audiences],
      algorithms: [...issuer.algorithms],
      requiredClaims: ['exp'],
      clockTolerance: issuer.toleranceSeconds,
      currentDate: new Date(clock()),
    });
    requireAccessToken(protectedHeader.typ, payload);
    const caller = await (issuer.callerOf ?? callerOf)(payload, presented?.roleProfile);
    return { caller, expires: ((payload.exp ?? 0) + issuer.toleranceSeconds) * 1000, revocable: issuer.revocable ? revocableOf(payload) : undefined };
  } catch (error) {
    throw refusal(error);
  }
}

/** Nothing is believed yet but whose keys to try. */
function issuerOf(token: string, issuers: readonly TrustedIssuer[]): TrustedIssuer {
  const { iss } = decodeJwt(token);
  const issuer = issuers.find((one) => one.issuer === iss);
  if (issuer === undefined) throw new BadClaim('its issuer (iss) is not one that is trusted here');
  return issuer;
}

function revocableOf({ jti, grant_id: grant }: JWTPayload): Revocable {
  return { ...(jti !== undefined && { jti }), ...(typeof grant === 'string' && { grant }) };
}

function refusal(error: unknown): FhirError {
  if (error instanceof FhirError) return error;
  if (error instanceof errors.JWTExpired) {
    return fail('expired-token', { text: 'The bearer token has expired: get a new one' }, challenge('The token has expired'));
  }
  if (keysUnavailable(error)) {
    return fail('not-ready', { text: 'The keys of the token\'s issuer can\'t be fetched at the moment: try again' });
  }
  return badToken(error instanceof Error ? error.message : String(error));
}

const badToken = (reason: string): FhirError => fail('bad-token', { text: `The bearer token is not valid: ${reason}` }, challenge(reason));

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
