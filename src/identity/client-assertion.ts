// private_key_jwt: a client proves who it is by a token that it signs for this token endpoint alone, once. RFC 7523, SMART Backend Services.
import { decodeJwt, errors, jwtVerify, type JWTPayload } from 'jose';
import type { Client } from './client.js';
import { CLIENT_ALGORITHMS, type ClientKeys } from './client-keys.js';
import type { Clients } from './clients.js';
import { OAuthError } from './oauth-error.js';
import type { UsedAssertions } from './used-assertions.js';

const LONGEST_SECONDS = 300;
/** By how much the client's clock and ours may differ. */
const SKEW_SECONDS = 5;
const LONGEST_JTI = 256;

export interface AssertionParts {
  readonly clients: Pick<Clients, 'find'>;
  readonly keys: ClientKeys;
  readonly used: Pick<UsedAssertions, 'firstUse'>;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

export interface Proven {
  readonly client: Client;
  readonly claims: JWTPayload;
}

/** The client that signed the assertion for one of the audiences. Throws an OAuthError: invalid_client, or temporarily_unavailable when its keys can't be fetched. */
export async function proveClient(assertion: string, audiences: readonly string[], parts: AssertionParts): Promise<Proven> {
  const client = await claimedClient(assertion, parts.clients);
  const now = parts.clock();
  const claims = await verified(assertion, client, audiences, now, parts.keys);
  const { exp = 0, jti } = claims;
  if (exp > now / 1000 + LONGEST_SECONDS + SKEW_SECONDS) throw refused(`exp must be at most ${LONGEST_SECONDS} seconds from now`);
  if (claims.iat !== undefined && claims.iat > now / 1000 + SKEW_SECONDS) throw refused('iat is in the future');
  if (typeof jti !== 'string' || jti === '' || jti.length > LONGEST_JTI || jti.includes('\u0000')) throw refused(`jti must be a string of 1 to ${LONGEST_JTI} characters`);
  if (!(await parts.used.firstUse(client.id, jti, (exp + SKEW_SECONDS) * 1000))) throw refused('this jti has been used before: sign a new assertion for each request');
  return { client, claims };
}

/** Who the assertion says it is from: nothing is believed yet but which keys to try. */
async function claimedClient(assertion: string, clients: AssertionParts['clients']): Promise<Client> {
  const { iss, sub } = claimsOf(assertion);
  if (typeof iss !== 'string' || iss !== sub) throw refused('iss and sub must both be the id of the client');
  const client = await clients.find(iss);
  if (client === undefined) throw refused('there is no such client: an administrator registers it');
  if (!client.active) throw refused('the client has been switched off');
  return client;
}

function claimsOf(assertion: string): JWTPayload {
  try {
    return decodeJwt(assertion);
  } catch {
    throw refused('it is not a JWT');
  }
}

async function verified(assertion: string, client: Client, audiences: readonly string[], now: number, keys: ClientKeys): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(assertion, keys(client), {
      algorithms: [...CLIENT_ALGORITHMS], issuer: client.id, subject: client.id, audience: [...audiences], requiredClaims: ['exp', 'jti'], clockTolerance: SKEW_SECONDS, currentDate: new Date(now),
    });
    // One that is meant for others as well could be sent on to us by any of them.
    if (typeof payload.aud !== 'string') throw refused(`aud must be ${audiences[0]} alone`);
    return payload;
  } catch (error) {
    throw refusalOf(error);
  }
}

function refusalOf(error: unknown): OAuthError {
  if (error instanceof OAuthError) return error;
  const isFetch = !(error instanceof errors.JOSEError) || error instanceof errors.JWKSTimeout || error.code === errors.JOSEError.code;
  if (isFetch) return new OAuthError('temporarily_unavailable', 'The keys of the client can\'t be fetched from its jwksUri at the moment');
  return refused(error.message);
}

const refused = (why: string): OAuthError => new OAuthError('invalid_client', `The client assertion is refused: ${why}`);
