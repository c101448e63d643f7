// Tokens that a supplier's own system signs for one request, as Spine had them (VM-40 to VM-47). `alg: none` is never authentication.
import { compactVerify, decodeProtectedHeader, errors } from 'jose';
import type { Caller } from '../fhir/caller.js';
import { fail, type FhirError } from '../fhir/errors.js';
import { DEVELOPMENT_CLIENT, type Client } from './client.js';
import { CLIENT_ALGORITHMS, type ClientKeys } from './client-keys.js';
import type { Clients } from './clients.js';
import type { TokenVerifier } from './verify-token.js';

export interface SelfSignedParts {
  readonly clients: Pick<Clients, 'byIssuer'>;
  readonly keys: ClientKeys;
  /** Takes every token of another issuer than a client: whose `iss` is one of these. */
  readonly otherwise: TokenVerifier;
  readonly issuers: ReadonlySet<unknown>;
  /** A sandbox on a loopback address: unsigned tokens pass as the development client. */
  readonly takeUnsigned: boolean;
}

type Claims = Readonly<Record<string, unknown>>;

const BEARER_JWT = /^bearer +([\w-]*)\.([\w-]*)\.([\w-]*)$/i;
const HEADERS = { 'WWW-Authenticate': 'Bearer realm="entitle-fhir", error="invalid_token"' };
const MISSING_HEADER = { system: 'https://fhir.nhs.uk/spine-error-or-warning-code-1', code: 'MISSING_OR_INVALID_HEADER', display: 'There is a required header missing or invalid' };

/**
 * The Caller carries the claims as `audit`, of which only the signature has been judged here: the V&M search judges the rest, and nothing else
 * takes such a caller. Rejects with 400 where the claims are no JSON or name no issuer, and 401 where the signature is not that of a registered key.
 */
export function createSelfSignedVerifier(parts: SelfSignedParts): TokenVerifier {
  return (authorization, presented) => {
    const [, , payload] = BEARER_JWT.exec(authorization ?? '') ?? [];
    if (authorization === undefined || payload === undefined) return parts.otherwise(authorization, presented);
    const claims = readClaims(payload);
    if (parts.issuers.has(claims['iss'])) return parts.otherwise(authorization, presented);
    return verify(authorization.slice(authorization.lastIndexOf(' ') + 1), claims, parts);
  };
}

function readClaims(payload: string): Claims {
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) return claims as Claims;
  } catch {
    // Told below, like JSON that is no object.
  }
  throw fail('malformed-json', { text: 'The claims of the token in Authorization are not a JSON object' });
}

async function verify(token: string, claims: Claims, { clients, keys, takeUnsigned }: SelfSignedParts): Promise<Caller> {
  if (isUnsigned(token)) {
    if (takeUnsigned) return callerOf(DEVELOPMENT_CLIENT, claims);
    throw refused('it is not signed');
  }
  const { iss } = claims;
  if (typeof iss !== 'string' || iss === '') throw fail('bad-request', { text: 'The claim iss of the token in Authorization is missing', coding: MISSING_HEADER });
  const client = await clients.byIssuer(iss);
  if (client === undefined) throw refused('its issuer is not a registered client');
  try {
    await compactVerify(token, keys(client), { algorithms: [...CLIENT_ALGORITHMS] });
  } catch (error) {
    if (error instanceof errors.JOSEError && error.code !== errors.JOSEError.code && !(error instanceof errors.JWKSTimeout)) throw refused(error.message);
    throw fail('not-ready', { text: 'The keys of the client can\'t be fetched at the moment: try again' });
  }
  return callerOf(client, claims);
}

function isUnsigned(token: string): boolean {
  try {
    return String(decodeProtectedHeader(token).alg).toLowerCase() === 'none';
  } catch {
    return false;
  }
}

function callerOf({ id }: Client, claims: Claims): Caller {
  const { sub } = claims;
  return Object.freeze({ role: 'supplier', client: id, subject: typeof sub === 'string' ? sub : id, scopes: Object.freeze(['patient/Observation.read']), audit: claims });
}

const refused = (why: string): FhirError => fail('bad-token', { text: `The token in Authorization is not valid: ${why}` }, HEADERS);
