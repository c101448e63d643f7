// Who calls a CDS service: a client that signs a token for each call, or one that holds an ordinary access token.
// https://cds-hooks.hl7.org/2.0/#trusting-cds-clients
import { decodeJwt, jwtVerify } from 'jose';
import type { Caller, Role } from '../fhir/caller.js';
import { fail, FhirError } from '../fhir/errors.js';
import type { Client } from './client.js';
import type { ClientKeys } from './client-keys.js';
import type { Clients } from './clients.js';
import type { UsedAssertions } from './used-assertions.js';
import type { Presented, TokenVerifier } from './verify-token.js';

/** `audience`: the URL of the service that is called. Rejects with 401 or 403. */
export type CdsVerifier = (authorization: string | undefined, audience: string, presented?: Presented) => Promise<Caller>;

export interface CdsParts {
  readonly clients: Pick<Clients, 'byIssuer'>;
  readonly keys: ClientKeys;
  readonly used: Pick<UsedAssertions, 'firstUse'>;
  /** Takes the token of anyone but a registered client. */
  readonly otherwise: TokenVerifier;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

const ALGORITHMS = ['ES384', 'RS384'];
const SKEW_SECONDS = 5;
const LONGEST_SECONDS = 300;
const BEARER = /^bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i;
const CHALLENGE = { 'WWW-Authenticate': 'Bearer realm="entitle-fhir", error="invalid_token"' };
/** The roles a client may call in, the narrower first. */
const CALLING: readonly Role[] = ['supplier', 'ovm'];

export function createCdsVerifier(parts: CdsParts): CdsVerifier {
  return async (authorization, audience, presented) => {
    const token = BEARER.exec(authorization ?? '')?.[1];
    const client = token === undefined ? undefined : await issuerOf(token, parts.clients);
    if (token === undefined || client === undefined) return parts.otherwise(authorization, presented);
    if (!client.active) throw fail('forbidden', { text: 'The client of this token has been switched off: ask the administrator of this service' });
    await requireSigned(token, client, audience, parts).catch((error: unknown) => {
      throw error instanceof FhirError ? error : fail('bad-token', { text: `The token of the CDS client is not valid: ${(error as Error).message}` }, CHALLENGE);
    });
    return callerOf(client);
  };
}

async function issuerOf(token: string, clients: CdsParts['clients']): Promise<Client | undefined> {
  try {
    const { iss } = decodeJwt(token);
    return iss === undefined ? undefined : await clients.byIssuer(iss);
  } catch {
    return undefined;
  }
}

async function requireSigned(token: string, client: Client, audience: string, { keys, used, clock }: CdsParts): Promise<void> {
  const now = clock();
  const { payload } = await jwtVerify(token, keys(client), {
    algorithms: ALGORITHMS, issuer: client.issuer, audience, requiredClaims: ['exp', 'iat', 'jti'], clockTolerance: SKEW_SECONDS, currentDate: new Date(now), maxTokenAge: LONGEST_SECONDS,
  });
  const { jti = '', exp = 0 } = payload;
  if (exp > now / 1000 + LONGEST_SECONDS + SKEW_SECONDS) throw new Error(`exp must be at most ${LONGEST_SECONDS} seconds from now`);
  if (jti === '' || jti.length > 256 || jti.includes('\0')) throw new Error('jti must be a string of 1 to 256 characters');
  if (!(await used.firstUse(client.id, `cds ${jti}`, (exp + SKEW_SECONDS) * 1000))) throw new Error('this jti has been used before: sign a new token for each call');
}

function callerOf({ id, roles, organization }: Client): Caller {
  const role = CALLING.find((one) => roles.includes(one));
  if (role === undefined) throw fail('forbidden', { text: `The client ${id} is registered for no role that may ask for a chargeable status` });
  return Object.freeze({ role, client: id, subject: id, scopes: Object.freeze([]), ...(organization !== undefined && { organization }) });
}
